"""The common parts of commands that serve in the foreground."""

from bodydouble.serving.banner import Proxied, print_banner
from bodydouble.serving.foreground import Foreground
from bodydouble.serving.pipe import PipeHandler
from bodydouble.serving.workers import end_with_parent

__all__ = ["Foreground", "PipeHandler", "Proxied", "end_with_parent", "print_banner"]
