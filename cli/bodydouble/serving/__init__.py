"""The common parts of commands that serve in the foreground."""

from bodydouble.serving.announcing import address_lines
from bodydouble.serving.foreground import Foreground
from bodydouble.serving.pipe import PipeHandler

__all__ = ["Foreground", "PipeHandler", "address_lines"]
