"""Narrowing of JSON values, so that the type checkers know what an object and an array hold."""

from typing import Any, TypeGuard

__all__ = ["is_array", "is_object", "type_name"]


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object; its keys are strings, because it was parsed from JSON."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def type_name(value: Any) -> str:
    """The JSON Schema type of a JSON value: ``"integer"`` for a whole number without a decimal point, else ``"number"``."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")


# A Boolean is an integer to Python, so it stands first.
_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
