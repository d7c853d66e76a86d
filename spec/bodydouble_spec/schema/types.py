"""The JSON types and the options that a schema allows by its own keywords, and those of a value."""

import json
import math
from collections.abc import Iterable
from typing import Any

from bodydouble_spec.values import is_array, is_object

__all__ = ["ANYTHING", "common_types", "json_key", "options_of", "own_types", "type_of", "without_integer"]

# "number" includes the integers; a set never holds both.
ANYTHING = frozenset({"null", "boolean", "number", "string", "array", "object"})
# OpenAPI 3.0 writes "nothing is allowed" as the negation of one of these.
_ANY: tuple[Any, ...] = ({}, True)


def own_types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the types that a schema itself allows: by ``type`` with ``nullable``, by its options, and none by ``not: {}``."""
    if schema.get("not") in _ANY:
        return frozenset()
    stated = schema.get("type")
    names = ANYTHING if stated is None else frozenset([stated] if isinstance(stated, str) else stated)
    if isinstance(stated, str) and schema.get("nullable") is True:
        names |= {"null"}
    options = options_of(schema)
    return common_types([names, *([] if options is None else [frozenset(map(type_of, options.values()))])])


def common_types(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return the types in every set; an integer is a number."""
    common = ANYTHING | {"integer"}
    for types in sets:
        common &= types | {"integer"} if "number" in types else types
    return without_integer(common)


def without_integer(types: frozenset[str]) -> frozenset[str]:
    """Return types without integer where number includes it."""
    return types - {"integer"} if "number" in types else types


def options_of(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the only values allowed, by their `json_key`; None without ``enum`` and ``const``."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return {json_key(value): value for value in values} if is_array(values) else None


def json_key(value: Any) -> str:
    """Return a text that is equal for equal JSON values only: 1 and true differ, 1 and 1.0 do not."""
    return json.dumps(_normalized(value), sort_keys=True)


def _normalized(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if is_array(value):
        return [_normalized(item) for item in value]
    if is_object(value):
        return {key: _normalized(item) for key, item in value.items()}
    return value


def type_of(value: Any) -> str:
    """Return the JSON Schema type of a value. A number without a fraction is an integer."""
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return _TYPES[type(value).__name__]


_TYPES = {"NoneType": "null", "bool": "boolean", "int": "integer", "str": "string", "list": "array", "dict": "object"}
