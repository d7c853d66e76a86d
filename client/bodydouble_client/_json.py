"""Tolerant JSON: any bytes give a value or a reason, never an exception."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from bodydouble_client._text import shorten

__all__ = ["NotJson", "is_array", "is_object", "number", "parse", "text"]

_TOO_LARGE = 1e300  # an int beyond it cannot become a float


@dataclass(frozen=True, slots=True)
class NotJson:
    """The reason that some bytes are not JSON."""

    reason: str


def parse(body: bytes) -> Any:
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


def number(value: object) -> int | float | None:
    """Return the value if it is a finite number of 0 or more, else None; a boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value < _TOO_LARGE else None


def text(value: object) -> str | None:
    """Return the value if it is a string that is not blank, else None."""
    return value if isinstance(value, str) and value.strip() else None
