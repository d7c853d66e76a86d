"""The common parts of commands that serve in the foreground."""

from bodydouble.serving.announcing import address_lines, address_of, intercepting, log_to_stderr, print_variables
from bodydouble.serving.pipe import PipeHandler

__all__ = ["PipeHandler", "address_lines", "address_of", "intercepting", "log_to_stderr", "print_variables"]
