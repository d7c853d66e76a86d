"""What openapi-core and openapi-spec-validator share: python's jsonschema errors in short, and no fetching.

The text of these errors repeats the whole value, which may have megabytes.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from bodydouble_spec._defects import shorten, show
from bodydouble_spec._json import is_array
from bodydouble_spec._pointer import join_pointer

__all__ = ["Fault", "NoFetching", "cut", "read_error"]

_MAX_CHARACTERS = 200
_MAX_LISTED = 6


class Fault(NamedTuple):
    """A broken rule: its name in kebab case, where (relative to what was validated), a sentence, what was expected, what was there."""

    rule: str
    pointer: str
    message: str
    expected: Any = None
    got: Any = None


class NoFetching(dict[str, Any]):
    """The handlers of every URL scheme: each refuses. With none at all, jsonschema-path would fetch what a reference names."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Any:
        return _refuse


def _refuse(uri: str) -> NoReturn:
    raise OSError(f"{cut(uri)} is another document; nothing is fetched")


def read_error(error: Any) -> Fault:
    """The fault that a ``jsonschema.ValidationError`` describes; a missing property is placed where it should be."""
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    pointer = join_pointer("", *error.absolute_path)
    if not isinstance(keyword, str):
        return Fault(_kebab(type(error).__name__.removesuffix("Error")), pointer, cut(error.message))
    if keyword == "required" and is_array(wanted):
        name = next((name for name in wanted if error.message.startswith(repr(name))), "")
        return Fault("required", join_pointer(pointer, name), f"required property {show(name)} is missing", name)
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        names = _unexpected(error)
        listed = ", ".join(show(name) for name in names[:_MAX_LISTED]) or "a property here"
        return Fault(_kebab(keyword), pointer, f"{listed} is not allowed", None, names)
    if keyword in {"type", "enum"}:
        return Fault(keyword, pointer, f"{show(value)} is not {show(wanted)}", wanted, shorten(value))
    return Fault(_kebab(keyword), pointer, f"{show(value)} breaks the rule `{keyword}`", None, shorten(value))


def cut(text: str) -> str:
    """A text of a stranger in one line of at most 200 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"


def _unexpected(error: Any) -> list[str]:
    """The names in an object that its schema does not know."""
    known: Mapping[str, Any] = error.schema.get("properties", {})
    patterns: Mapping[str, Any] = error.schema.get("patternProperties", {})
    names = [str(name) for name in error.instance if name not in known]
    return [name for name in names if not any(re.search(pattern, name) for pattern in patterns)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
