"""Helpers for openapi-core and openapi-spec-validator: short forms of jsonschema's errors, and a ban on fetching.

The text of these errors repeats the whole value, which may have megabytes.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from bodydouble_spec._defects import shorten, show
from bodydouble_spec._json import is_array
from bodydouble_spec._pointer import join_pointer

__all__ = ["NoFetching", "SchemaFault", "cut", "read_error"]

_MAX_CHARACTERS = 200
_MAX_LISTED = 6


class SchemaFault(NamedTuple):
    """A broken rule: its kebab-case name, the pointer into the validated value, a sentence, and the expected and actual values."""

    rule: str
    pointer: str
    message: str
    expected: Any = None
    got: Any = None


class NoFetching(dict[str, Any]):
    """Handlers that refuse every URL scheme. Without handlers, jsonschema-path would fetch the target of a reference."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Any:
        return _refuse


def _refuse(uri: str) -> NoReturn:
    raise OSError(f"{cut(uri)} is another document, which is not fetched")


def read_error(error: Any) -> SchemaFault:
    """Convert a ``jsonschema.ValidationError``; a missing property is reported at its own place."""
    keyword, expected, value = error.validator, error.validator_value, error.instance
    pointer = join_pointer("", *error.absolute_path)
    if not isinstance(keyword, str):
        return SchemaFault(_kebab(type(error).__name__.removesuffix("Error")), pointer, cut(error.message))
    if keyword == "required" and is_array(expected):
        name = next((name for name in expected if error.message.startswith(repr(name))), "")
        return SchemaFault("required", join_pointer(pointer, name), f"required property {show(name)} is missing", name)
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        names = _unexpected(error)
        listed = ", ".join(show(name) for name in names[:_MAX_LISTED]) or "a property here"
        return SchemaFault(_kebab(keyword), pointer, f"{listed} is not allowed", None, names)
    if keyword in {"type", "enum"}:
        return SchemaFault(keyword, pointer, f"{show(value)} is not {show(expected)}", expected, shorten(value))
    return SchemaFault(_kebab(keyword), pointer, f"{show(value)} breaks the rule `{keyword}`", None, shorten(value))


def cut(text: str) -> str:
    """Shorten a foreign text to one line of at most 200 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"


def _unexpected(error: Any) -> list[str]:
    """Return the names in an object that its schema does not allow."""
    known: Mapping[str, Any] = error.schema.get("properties", {})
    patterns: Mapping[str, Any] = error.schema.get("patternProperties", {})
    names = [str(name) for name in error.instance if name not in known]
    return [name for name in names if not any(re.search(pattern, name) for pattern in patterns)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
