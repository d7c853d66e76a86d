"""Type guards for the arguments of a caller."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Protocol, TypeGuard, runtime_checkable

__all__ = ["Readable", "is_buffer", "is_iterable", "is_mapping", "is_path"]


@runtime_checkable
class Readable(Protocol):
    """A file object opened for reading bytes."""

    def read(self) -> bytes:
        """Read from the current position to the end."""
        ...


def is_buffer(value: object) -> TypeGuard[bytes]:
    """Return whether the value is bytes, a bytearray or a memoryview."""
    return isinstance(value, (bytes, bytearray, memoryview))


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Return whether the value is iterable."""
    return isinstance(value, Iterable)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Return whether the value is a mapping."""
    return isinstance(value, Mapping)


def is_path(value: object) -> TypeGuard[PathLike[str]]:
    """Return whether the value is a path object; a str is not one."""
    return isinstance(value, PathLike)
