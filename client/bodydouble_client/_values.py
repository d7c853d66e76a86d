"""Checks and conversions of values from callers and servers: text, types and JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, NoReturn, Protocol, TypeGuard, runtime_checkable

_TOO_LARGE = 1e300  # an int beyond it cannot become a float


def shorten(text: str, limit: int = 200) -> str:
    """Return the text on one line of at most ``limit`` characters, with ``?`` for anything unprintable."""
    head = " ".join(text[: limit * 4].split())
    printable = "".join(character if character.isprintable() else "?" for character in head)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def describe(value: object, limit: int = 60) -> str:
    """Return a short repr of any value, also when its ``__repr__`` fails."""
    if isinstance(value, (str, bytes)):
        value = value[: limit * 2]
    try:
        return shorten(repr(value), limit)
    except Exception:  # noqa: BLE001 - a foreign __repr__, or an int too long to print
        return f"a value of type {type(value).__name__}"


def describe_error(error: Exception) -> str:
    """Return the type and the text of an exception."""
    return f"{type(error).__name__}: {shorten(str(error))}".rstrip(": ")


def file_error_reason(error: Exception) -> str:
    """Return the reason that an exception gives for a failed file operation."""
    return shorten(getattr(error, "strerror", None) or str(error))


def is_encodable(text: str) -> bool:
    """Return whether the text can be encoded as UTF-8; a lone surrogate cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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


@dataclass(frozen=True, slots=True)
class NotJson:
    """The reason that some bytes are not JSON."""

    reason: str


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body, or NotJson.

    UTF-8, UTF-16 and UTF-32 are detected, with or without a byte order mark. The last value of a repeated key counts.
    """
    if not body.strip():
        return NotJson("the body is empty")
    try:
        return json.loads(_decode(body), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return NotJson(f"byte {error.start} is not {error.encoding}")
    except RecursionError:
        return NotJson("it is nested too deeply")
    except ValueError as error:
        return NotJson(shorten(str(error)))


def _decode(body: bytes) -> str:
    # json.loads(bytes) would accept encoded surrogates
    return body.decode(json.detect_encoding(body))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def as_number(value: object) -> int | float | None:
    """Return the value if it is a finite number of 0 or more, else None; a boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value < _TOO_LARGE else None


def as_text(value: object) -> str | None:
    """Return the value if it is a string that is not blank, else None."""
    return value if isinstance(value, str) and value.strip() else None
