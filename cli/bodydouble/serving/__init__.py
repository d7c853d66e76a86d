"""The common parts of commands that serve in the foreground."""

from bodydouble.serving.announcing import address_lines
from bodydouble.serving.banner import print_banner
from bodydouble.serving.foreground import Foreground
from bodydouble.serving.pipe import PipeHandler
from bodydouble.serving.workers import end_with_parent

__all__ = ["Foreground", "PipeHandler", "address_lines", "end_with_parent", "print_banner"]
