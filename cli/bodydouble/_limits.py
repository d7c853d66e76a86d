"""The limits of a schema in words."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from bodydouble_spec import is_array

__all__ = ["limits_of"]

_MAX_PATTERN_CHARACTERS = 32
_SIZES = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "properties"),
)


def _pattern(value: Any) -> str:
    text = str(value)
    return f"pattern {text}" if len(text) <= _MAX_PATTERN_CHARACTERS else f"pattern {text[:_MAX_PATTERN_CHARACTERS]}…"


def _listed(value: Any) -> str:
    return ", ".join(map(_text, value)) if is_array(value) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_DESCRIPTIONS: dict[str, Callable[[Any], str | None]] = {
    "enum": lambda value: f"one of {_listed(value)}",
    "const": lambda value: f"always {_text(value)}",
    "multipleOf": lambda value: f"a multiple of {value}",
    "uniqueItems": lambda value: "unique items" if value is True else None,
    "pattern": _pattern,
    "format": lambda value: f"format {_text(value)}",
    "additionalProperties": lambda value: "no other properties" if value is False else None,
    "x-known-values": lambda value: f"known values: {_listed(value)}",
}


def limits_of(schema: dict[str, Any]) -> dict[str, str]:
    """Return the limits of a schema in words, by the keyword that sets each: ``{"minimum": "1 to 4"}``."""
    return dict(_limits(schema))


def _limits(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _bounds(schema)
    for least, most, unit in _SIZES:
        if least in schema and most in schema:
            yield least, f"{schema[least]} to {schema[most]} {unit}"
        elif least in schema:
            yield least, f"at least {schema[least]} {unit}"
        elif most in schema:
            yield most, f"at most {schema[most]} {unit}"
    for keyword, describe in _DESCRIPTIONS.items():
        if keyword in schema:
            text = describe(schema[keyword])
            if text is not None:
                yield keyword, text


def _bounds(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    low, low_is_open = _bound(schema, "minimum", "exclusiveMinimum")
    high, high_is_open = _bound(schema, "maximum", "exclusiveMaximum")
    if low is not None and high is not None and not low_is_open and not high_is_open:
        yield "minimum", f"{low} to {high}"
        return
    if low is not None:
        yield "minimum", f"more than {low}" if low_is_open else f"at least {low}"
    if high is not None:
        yield "maximum", f"less than {high}" if high_is_open else f"at most {high}"


def _bound(schema: dict[str, Any], inclusive: str, exclusive: str) -> tuple[Any, bool]:
    """Return the bound, and whether it is exclusive: by a flag in OpenAPI 3.0, by its own keyword in 3.1."""
    flag = schema.get(exclusive)
    if flag is None or isinstance(flag, bool):
        return schema.get(inclusive), flag is True
    return flag, True
