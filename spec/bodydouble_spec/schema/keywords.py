"""The rules for single keywords of a Schema Object, independent of the other keywords."""

from collections.abc import Callable
from typing import Any

import jsonschema_rs

from bodydouble_spec.values import is_array

__all__ = [
    "EXTENSIBLE_NAME_MAPS",
    "NAME_MAPS",
    "NEWER_KEYWORDS",
    "PROSE",
    "SIMPLE",
    "SUBSCHEMAS",
    "SUBSCHEMA_LISTS",
    "SUBSCHEMA_MAPS",
    "normalize_bound",
    "number_of",
]

# The keys below these are names, so a property called "title" is structure, not prose.
NAME_MAPS = {
    "$defs", "content", "definitions", "dependentRequired", "dependentSchemas", "encoding", "headers", "links", "mapping",
    "patternProperties", "properties", "securitySchemes", "variables",
}  # fmt: skip
# As above, but OpenAPI allows extensions among the names.
EXTENSIBLE_NAME_MAPS = {"callbacks", "paths", "responses"}
# Keys that promise nothing about a JSON message.
PROSE = {"$comment", "description", "example", "examples", "externalDocs", "summary", "title", "xml"}
# In JSON Schema, and so in OpenAPI 3.1, but not in 3.0.
NEWER_KEYWORDS = {
    "$defs", "contains", "contentEncoding", "contentMediaType", "dependentRequired", "dependentSchemas", "else",
    "if", "maxContains", "minContains", "patternProperties", "prefixItems", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip

# Keywords whose value is a schema, a list of schemas, or schemas by name.
SUBSCHEMAS = {
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip
SUBSCHEMA_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
SUBSCHEMA_MAPS = {"$defs", "dependentSchemas", "patternProperties", "properties"}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_count(value: Any) -> bool:
    is_whole = (
        value.is_integer() if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)
    )
    return is_whole and value >= 0


def _is_enum(value: Any) -> bool:
    return is_array(value) and bool(value)


def number_of(value: Any) -> float | None:
    """Return a number, or the number in a text; None when it is neither or not finite."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _is_pattern(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        jsonschema_rs.Draft202012Validator({"pattern": value})
    except ValueError:
        return False
    return True


_COUNT = (_is_count, "a whole number that is not negative")
_FLAG = (_is_flag, "true or false")
_TEXT = (_is_text, "a string")
# For each keyword: a predicate over usable values, and their description.
SIMPLE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "$comment": _TEXT,
    "contentEncoding": _TEXT,
    "contentMediaType": _TEXT,
    "deprecated": _FLAG,
    "description": _TEXT,
    "enum": (_is_enum, "a list of values"),
    "format": _TEXT,
    "maxContains": _COUNT,
    "maxItems": _COUNT,
    "maxLength": _COUNT,
    "maxProperties": _COUNT,
    "minContains": _COUNT,
    "minItems": _COUNT,
    "minLength": _COUNT,
    "minProperties": _COUNT,
    "nullable": _FLAG,
    "pattern": (_is_pattern, "a regular expression"),
    "readOnly": _FLAG,
    "title": _TEXT,
    "uniqueItems": _FLAG,
    "writeOnly": _FLAG,
}


def normalize_bound(result: dict[str, Any], bound: str, exclusive: str) -> None:
    """Move the number of an exclusive bound into the exclusive keyword.

    OpenAPI 3.0 has "exclusive: true" beside the bound, JSON Schema the number itself.
    """
    if isinstance(result.get(exclusive), bool) and result.pop(exclusive) and bound in result:
        result[exclusive] = result.pop(bound)
