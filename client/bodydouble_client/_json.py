"""JSON as strangers send it: any bytes give a value or a reason, never an exception."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from bodydouble_client._text import shorten

__all__ = ["NotJson", "is_array", "is_object", "number", "parse", "text"]

_TOO_LARGE = 1e300  # an int beyond it cannot become a float


@dataclass(frozen=True, slots=True)
class NotJson:
    """Why some bytes are not a JSON text."""

    reason: str


def parse(body: bytes) -> Any:
    """The JSON value in a body, or NotJson.

    UTF-8, -16 and -32 are recognised, with or without a byte order mark; of a repeated key the last value counts.
    """
    if not body.strip():
        return NotJson("the body is empty")
    try:
        return json.loads(_decoded(body), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return NotJson(f"byte {error.start} is not {error.encoding}")
    except RecursionError:
        return NotJson("it is nested too deeply")
    except ValueError as error:
        return NotJson(shorten(str(error)))


def _decoded(body: bytes) -> str:
    # json.loads(bytes) would let encoded surrogates pass; they are not text
    return body.decode(json.detect_encoding(body))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def number(value: object) -> int | float | None:
    """The value if it is a finite number that is not negative, else None; a boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value < _TOO_LARGE else None


def text(value: object) -> str | None:
    """The value if it is a string with something in it, else None."""
    return value if isinstance(value, str) and value.strip() else None
