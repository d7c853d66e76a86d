"""The memory of a server between calls: in its own process, or in Redis, shared with other processes."""

from bodydouble_mockserver.shared.address import CannotShare
from bodydouble_mockserver.shared.memory import Memory, new_memory

__all__ = ["CannotShare", "Memory", "new_memory"]
