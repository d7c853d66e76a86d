"""What kind of thing a caller has passed, asked in a form that type checkers follow."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Protocol, TypeGuard, runtime_checkable

__all__ = ["Readable", "is_buffer", "is_iterable", "is_mapping", "is_path"]


@runtime_checkable
class Readable(Protocol):
    """A file object opened for reading bytes."""

    def read(self) -> bytes:
        """Everything from the current position to the end."""
        ...


def is_buffer(value: object) -> TypeGuard[bytes]:
    """Whether it is bytes, a bytearray or a memoryview."""
    return isinstance(value, (bytes, bytearray, memoryview))


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether it can be looped over."""
    return isinstance(value, Iterable)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether it has keys and values."""
    return isinstance(value, Mapping)


def is_path(value: object) -> TypeGuard[PathLike[str]]:
    """Whether it is a path object; a str is none."""
    return isinstance(value, PathLike)
