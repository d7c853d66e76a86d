"""Comparison of types and formats: wider, narrower or different."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec._json import is_array, is_object

__all__ = ["TypeDifference", "is_list_of_types", "type_difference"]

_WIDER_FORMATS = {
    ("float", "double"), ("int32", "int64"), ("int32", "bigint"), ("int64", "bigint"), ("date", "date-time"),
    ("time", "date-time"),
}  # fmt: skip
_TEXT = frozenset({"string"})
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TypeDifference:
    """One difference of types: the end of a rule's id, its keyword, and the types before and after in words."""

    suffix: str
    keyword: str
    old: str
    new: str


def type_difference(
    old: Mapping[str, Any], new: Mapping[str, Any], *, is_request: bool, is_strict: bool
) -> TypeDifference | None:
    """Compare the types and formats of two schemas; None when both are equal.

    Alternatives that are bare types count as a list of types, even next to a schema with one type. Nullability is
    compared elsewhere.
    """
    listed = _listed_types(old), _listed_types(new)
    before, after = (types or _NONE for types in listed)
    if before != after and is_list_of_types(old, new):
        is_narrower = bool(before - after) if is_request else not after - before
        suffix = "list-of-types-narrowed" if is_narrower else "list-of-types-widened"
        return TypeDifference(suffix, _keyword(new), _words(before, None), _words(after, None))
    before, after = _types(old), _types(new)
    formats = old.get("format"), new.get("format")
    if before == after and formats[0] == formats[1]:
        return None
    directions = {_types_direction(before, after), _format_direction(*formats)} - {"same"}
    keyword = "type" if before != after else "format"
    words = _words(before, formats[0]), _words(after, formats[1])
    is_compatible = not is_strict and "other" in directions and (after if is_request else before) == _TEXT
    if is_compatible:
        suffix = "type-compatible"
    elif directions == {"wider"}:
        suffix = "type-generalized"
    elif directions == {"narrower"} and not is_request:
        suffix = "type-specialized"
    else:
        suffix = "type-changed"
    return TypeDifference(suffix, keyword, *words)


def is_list_of_types(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether only a list of types changed: one schema lists types, the other lists or has them."""
    is_known = _listed_types(old) is not None and _listed_types(new) is not None
    return is_known and (not _types(old) or not _types(new)) and _listed_types(old) != _listed_types(new)


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    types = schema.get("type")
    return frozenset(types if is_array(types) else [types] if isinstance(types, str) else []) - {"null"}


def _listed_types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    if any(keyword in schema for keyword in ("allOf", "not")) or schema.get("properties"):
        return None
    if _types(schema):
        return _types(schema)
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if is_array(branches):
            return _NONE.union(*map(_types, branches)) if all(map(_is_single_type, branches)) else None
    return None


def _is_single_type(branch: Any) -> bool:
    composed = ("allOf", "anyOf", "oneOf", "properties")
    return is_object(branch) and len(_types(branch)) == 1 and not any(branch.get(keyword) for keyword in composed)


def _keyword(schema: Mapping[str, Any]) -> str:
    return next((keyword for keyword in ("type", "oneOf", "anyOf") if keyword in schema), "type")


def _types_direction(old: frozenset[str], new: frozenset[str]) -> str:
    if old == new:
        return "same"
    if not new or (old and all(_fits(item, new) for item in old)):
        return "wider"
    return "narrower" if not old or all(_fits(item, old) for item in new) else "other"


def _fits(item: str, types: frozenset[str]) -> bool:
    return item in types or (item == "integer" and "number" in types)


def _format_direction(old: Any, new: Any) -> str:
    if old == new:
        return "same"
    if new is None or (old, new) in _WIDER_FORMATS:
        return "wider"
    return "narrower" if old is None or (new, old) in _WIDER_FORMATS else "other"


def _words(types: frozenset[str], form: Any) -> str:
    words = " or ".join(sorted(types)) or "any type"
    return words if form is None else f"{words} ({form})"
