"""What the commands that serve in the foreground share."""

from bodydouble.serving.announcing import address_lines, address_of, intercepting, log_to_stderr, print_variables
from bodydouble.serving.pipe import PipeHandler

__all__ = ["PipeHandler", "address_lines", "address_of", "intercepting", "log_to_stderr", "print_variables"]
