"""Sentences about a value that breaks a keyword of JSON Schema: what is wrong with it, and what it must be."""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from bodydouble_spec.defects import listed, show
from bodydouble_spec.values import type_name

__all__ = ["expectation"]

_NOUNS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_RATIO = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?")
_MAX_CHARACTERS = 60
# Of a longer list, none of the others is searched for what was meant.
_MAX_COMPARED = 1_000


def expectation(keyword: str, details: dict[str, Any], value: Any) -> tuple[Any, str]:
    """Return the expected JSON value, and the rest of the sentence "VALUE …" about one that breaks a keyword.

    ``details`` are those of the error of jsonschema-rs.
    """
    if keyword not in _SENTENCES:
        return None, f"breaks the rule `{keyword}`"
    option, describe = _SENTENCES[keyword]
    expected = details.get(option)
    return expected, describe(expected, value)


def _allowed(options: Sequence[Any], value: Any) -> str:
    if len(options) == 1:
        return f"is not allowed; it must be {show(options[0])}"
    texts = [option for option in options[:_MAX_COMPARED] if isinstance(option, str)]
    close = _closest(value[:_MAX_CHARACTERS], texts) if isinstance(value, str) else None
    meant = "" if close is None else f"; did you mean {show(close)}?"
    return f"is not one of {listed(options, show)}{meant}"


def _closest(text: str, options: Sequence[str]) -> str | None:
    """Return the option that may be meant: of aspect ratios the nearest one, of other texts the most similar; None without one."""
    wanted = _ratio(text.replace("x", ":"))
    known = {option: ratio for option in options if (ratio := _ratio(option)) is not None}
    if wanted is not None and len(known) == len(options):
        return min(known, key=lambda option: abs(known[option] - wanted), default=None)
    return next(iter(difflib.get_close_matches(text, options, 1)), None)


def _ratio(text: str) -> float | None:
    """Return the logarithm of an aspect ratio such as 16:9, in which wide and tall ones are equally far apart; None for any other text."""
    sides = _RATIO.fullmatch(text)
    return None if sides is None else math.log(int(sides[1]) / int(sides[2]))


def _typed(types: Sequence[str], value: Any) -> str:
    nouns = " or ".join(_NOUNS.get(name, name) for name in types)
    if isinstance(value, str) and "number" in types and _NUMBER.fullmatch(value):
        return f"is a string, not {nouns}; send {value} without quotation marks"
    # The others are plain to see: 5, true, null.
    own = f"{_NOUNS[type_name(value)]}, " if isinstance(value, str | list | dict) else ""
    return f"is {own}not {nouns}"


def _counted(count: int, noun: str, plural: str) -> str:
    return f"{count} {noun if count == 1 else plural}"


# For each keyword: the error's option with the expected value (if any), and the rest of the sentence.
_SENTENCES: dict[str, tuple[str, Callable[[Any, Any], str]]] = {
    "const": ("expected_value", lambda wanted, _: f"is not allowed; it must be {show(wanted)}"),
    "enum": ("options", _allowed),
    "falseSchema": ("", lambda _, __: "is not allowed"),
    "exclusiveMaximum": ("limit", lambda limit, _: f"is too large; it must be less than {show(limit)}"),
    "exclusiveMinimum": ("limit", lambda limit, _: f"is too small; it must be more than {show(limit)}"),
    "maxItems": ("limit", lambda limit, _: f"is too long; it may have at most {_counted(limit, 'item', 'items')}"),
    "maxLength": ("limit", lambda limit, _: f"is too long; it may have at most {_counted(limit, 'character', 'characters')}"),
    "maxProperties": ("limit", lambda limit, _: f"is too long; it may have at most {_counted(limit, 'property', 'properties')}"),
    "maximum": ("limit", lambda limit, _: f"is too large; it must be at most {show(limit)}"),
    "minItems": ("limit", lambda limit, _: f"is too short; it must have at least {_counted(limit, 'item', 'items')}"),
    "minLength": ("limit", lambda limit, _: f"is too short; it must have at least {_counted(limit, 'character', 'characters')}"),
    "minProperties": ("limit", lambda limit, _: f"is too short; it must have at least {_counted(limit, 'property', 'properties')}"),
    "minimum": ("limit", lambda limit, _: f"is too small; it must be at least {show(limit)}"),
    "multipleOf": ("multiple_of", lambda factor, _: f"is not a multiple of {show(factor)}"),
    "pattern": ("pattern", lambda _, __: "does not have the required form"),
    "type": ("types", _typed),
    "uniqueItems": ("", lambda _, __: "has duplicate items"),
}  # fmt: skip
