"""Comparison of the keywords of one schema that hold no subschemas: types, values and bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec.meaning import Node
from bodydouble_spec.schema import json_key
from bodydouble_spec.values import is_object

__all__ = ["BOUNDS", "LEAF_KEYWORDS", "keyword_differences"]

_WIDER_FORMATS = {
    ("float", "double"), ("int32", "int64"), ("int32", "bigint"), ("int64", "bigint"), ("date", "date-time"),
    ("time", "date-time"),
}  # fmt: skip
_TEXT = frozenset({"string"})


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
    """Compare the types and formats of two schemas; None when both are equal. Nullability is compared elsewhere."""
    if old.get("isImplied") or new.get("isImplied"):
        # Only the values say what the type is, and they are compared.
        return None
    before, after = _types(old), _types(new)
    formats = old.get("format"), new.get("format")
    if before == after and formats[0] == formats[1]:
        return None
    if before and after and before != after and max(len(before), len(after)) > 1:
        is_narrower = bool(before - after) if is_request else not after - before
        suffix = "list-of-types-narrowed" if is_narrower else "list-of-types-widened"
        return TypeDifference(suffix, "type", _words(before, None), _words(after, None))
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


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(schema.get("type", ())) - {"null"}


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


BOUNDS = {
    "maximum": "max", "minimum": "min", "exclusiveMaximum": "exclusive-max", "exclusiveMinimum": "exclusive-min",
    "maxLength": "max-length", "minLength": "min-length", "maxItems": "max-items", "minItems": "min-items",
    "maxProperties": "max-properties", "minProperties": "min-properties", "maxContains": "max-contains",
    "minContains": "min-contains",
}  # fmt: skip
# The default of these is zero, so setting one is an increase, as in oasdiff.
_DEFAULT_ZERO = {"minItems", "minLength", "minProperties"}
_FLAGS = {"uniqueItems": ("unique-items-set", "unique-items-unset"), "deprecated": ("deprecated", "reactivated")}
_CONTENTS = {"contentEncoding": "content-encoding-changed", "contentMediaType": "content-media-type-changed"}
# Patterns that every text matches.
_ANY_TEXT = {".*", "^.*$", "", "^"}

LEAF_KEYWORDS = {
    *BOUNDS, *_FLAGS, *_CONTENTS, "const", "default", "dependentRequired", "discriminator", "enum", "format", "multipleOf",
    "nullable", "pattern", "type",
}  # fmt: skip
"""The keywords that this module compares."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the end of a rule's id, the keys below the schema that lead to it, and the values before and after.

    ``is_gone`` tells that the keys lead there in the old schema only.
    """

    suffix: str
    path: tuple[str | int, ...]
    old: Any = None
    new: Any = None
    is_gone: bool = False


def keyword_differences(
    old: Mapping[str, Any], new: Mapping[str, Any], *, is_request: bool, is_strict: bool
) -> Iterator[Difference]:
    """Yield the differences between the leaf keywords of two nodes.

    ``is_strict`` tells that the media type has types, so that the number 1 and the text "1" differ.
    """
    old, new = _with_encodings(old, new)
    changed = type_difference(old, new, is_request=is_request, is_strict=is_strict)
    if changed is not None:
        yield Difference(changed.suffix, (changed.keyword,), changed.old, changed.new, changed.keyword not in new)
    if "type" in old and "type" in new and ("null" in old["type"]) != ("null" in new["type"]):
        word = "became-nullable" if "null" in new["type"] else "became-not-nullable"
        yield Difference(word, ("type",), "null" in old["type"], "null" in new["type"])
    elif old.get("nullable", False) != new.get("nullable", False):
        yield Difference("became-nullable" if new.get("nullable") else "became-not-nullable", ())
    yield from _enum(old, new)
    yield from _default(old, new)
    yield from _bounds(old, new)
    yield from _multiple_of(old, new, is_request=is_request)
    yield from _pattern(old, new)
    for keyword, (on, off) in _FLAGS.items():
        before, after = bool(old.get(keyword)), bool(new.get(keyword))
        if before != after:
            yield Difference(on if after else off, (keyword,), before, after, keyword not in new)
    for keyword, suffix in _CONTENTS.items():
        if old.get(keyword) != new.get(keyword):
            yield Difference(suffix, (keyword,), old.get(keyword), new.get(keyword), keyword not in new)
    yield from _dependent_required(old, new)
    yield from _discriminator(old, new)


def _with_encodings(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return both with ``byte`` as an encoding, when one has another encoding."""
    if "contentEncoding" not in {*old, *new}:
        return old, new
    pair = [
        {**{key: value for key, value in schema.items() if key != "format"}, "contentEncoding": "base64"}
        if schema.get("format") == "byte"
        else schema
        for schema in (old, new)
    ]
    return pair[0], pair[1]


def _enum(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = old.get("enum"), new.get("enum")
    known = {json_key(value) for value in before or ()}
    kept = {json_key(value) for value in after or ()}
    if known == kept:
        return
    was_const, is_const = (schema.get("isConst", False) for schema in (old, new))
    if before is None and after is not None:
        added = Difference("const-added", ("const",), None, after[0]), Difference("became-enum", ("enum",), None, after)
        yield added[0 if is_const else 1]
        yield from () if is_const else _enum_values(old, new)
    elif before is not None and after is None:
        removed = (
            Difference("const-removed", ("const",), before[0], None, is_gone=True),
            Difference("became-not-enum", ("enum",), before, None, is_gone=True),
        )
        yield removed[0 if was_const else 1]
        yield from () if was_const else _enum_values(old, new)
    elif was_const and is_const and before and after:
        yield Difference("const-changed", ("const",), before[0], after[0])
    else:
        yield from _enum_values(old, new)


def _enum_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = old.get("enum"), new.get("enum")
    known = {json_key(value) for value in before or ()}
    kept = {json_key(value) for value in after or ()}
    was_const, is_const = (schema.get("isConst", False) for schema in (old, new))
    for index, value in enumerate(before or ()):
        if json_key(value) not in kept:
            yield Difference(
                "enum-value-removed", ("const",) if was_const else ("enum", index), value, None, is_gone=True
            )
    for index, value in enumerate(after or ()):
        if json_key(value) not in known:
            yield Difference("enum-value-added", ("const",) if is_const else ("enum", index), None, value)


def _default(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    name = "default"
    if name not in old and name not in new:
        return
    before, after = old.get(name), new.get(name)
    if name not in old:
        yield Difference("default-value-added", (name,), None, after)
    elif name not in new:
        yield Difference("default-value-removed", (name,), before, None, is_gone=True)
    elif json_key(before) != json_key(after):
        yield Difference("default-value-changed", (name,), before, after)


def _bounds(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for keyword, name in BOUNDS.items():
        if keyword not in old and keyword not in new:
            continue
        default = 0 if keyword in _DEFAULT_ZERO else None
        was, is_now = old.get(keyword, default), new.get(keyword, default)
        if was is None or is_now is None:
            word = "set" if was is None else "unset"
        elif was == is_now:
            continue
        else:
            word = "increased" if is_now > was else "decreased"
        yield Difference(f"{name}-{word}", (keyword,), was, is_now, keyword not in new)


def _multiple_of(old: Mapping[str, Any], new: Mapping[str, Any], *, is_request: bool) -> Iterator[Difference]:
    before, after = old.get("multipleOf"), new.get("multipleOf")
    if before == after:
        return
    word = "changed"
    if before is None or after is None:
        word = "set" if before is None else "unset"
    elif is_request and before % after == 0:
        word = "generalized"
    elif not is_request and after % before == 0:
        word = "specialized"
    yield Difference(f"multiple-of-{word}", ("multipleOf",), before, after, after is None)


def _pattern(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = old.get("pattern"), new.get("pattern")
    if before == after:
        return
    word = "generalized" if after in _ANY_TEXT else "changed"
    if before is None or after is None:
        word = "added" if before is None else "removed"
    yield Difference(f"pattern-{word}", ("pattern",), before, after, after is None)


def _dependent_required(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = _object(old, "dependentRequired"), _object(new, "dependentRequired")
    for name in {**before, **after}:
        here = ("dependentRequired", name)
        if name not in before:
            yield Difference("dependent-required-added", here, None, after[name])
        elif name not in after:
            yield Difference("dependent-required-removed", here, before[name], None, is_gone=True)
        elif sorted(map(str, before[name])) != sorted(map(str, after[name])):
            yield Difference("dependent-required-changed", here, before[name], after[name])


def _discriminator(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = _object(old, "discriminator"), _object(new, "discriminator")
    here = ("discriminator",)
    if not before or not after:
        if before or after:
            word = "removed" if before else "added"
            yield Difference(f"discriminator-{word}", here, before or None, after or None, not after)
        return
    if before.get("propertyName") != after.get("propertyName"):
        names = (before.get("propertyName"), after.get("propertyName"))
        yield Difference("discriminator-property-name-changed", here, *names)
    known, kept = _object(before, "mapping"), _object(after, "mapping")
    for name in {**known, **kept}:
        place = ("discriminator", "mapping", name)
        if name not in known:
            yield Difference("discriminator-mapping-added", place, None, name)
        elif name not in kept:
            yield Difference("discriminator-mapping-deleted", place, name, None, is_gone=True)
        elif (was := _target(known[name])) != (is_now := _target(kept[name])) and _number(known[name]) != _number(
            kept[name]
        ):
            yield Difference("discriminator-mapping-changed", place, was, is_now)


def _object(schema: Mapping[str, Any], keyword: str) -> dict[str, Any]:
    value = schema.get(keyword)
    return value if is_object(value) else {}


def _target(node: Any) -> str | None:
    return node.pointer if isinstance(node, Node) else None


def _number(node: Any) -> str | None:
    return node.number if isinstance(node, Node) else None
