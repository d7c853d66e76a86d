"""Type guards for JSON values, so that the type checkers know the contents of an object or array."""

from typing import Any, TypeGuard

__all__ = ["is_array", "is_object", "type_name"]


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an object; its keys are strings, because it was parsed from JSON."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def type_name(value: Any) -> str:
    """Return the JSON Schema type of a JSON value: ``"integer"`` for an int, ``"number"`` for any float."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")


# bool is a subclass of int, so it comes first.
_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
