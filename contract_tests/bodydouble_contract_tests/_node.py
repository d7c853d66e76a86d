"""What holds at one place of a body, as one flat record: merged from every schema that applies there."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import is_array, is_object

__all__ = ["ANYTHING", "Located", "Node", "Parts", "identity", "merge", "type_of"]


@dataclass(frozen=True, slots=True)
class Located:
    """A JSON Schema, where its OpenAPI source stands in the document, and the references followed on the way there."""

    schema: Any
    pointer: str
    trail: tuple[str, ...] = ()


Parts = tuple[Located, ...]
"""Schemas that all hold at one place."""

# "number" includes the integers; a set never holds both.
ANYTHING = frozenset({"null", "boolean", "number", "string", "array", "object"})


@dataclass(frozen=True, slots=True)
class Node:
    """One way for a value to conform.

    ``options`` are the only values allowed (None: no such list), ``limits`` the bounds by keyword, ``additional`` holds for properties
    that are not named and ``items`` for items beyond ``prefix``. ``origins`` says where in the document a keyword stands. ``is_branch``
    tells that this is one of several alternatives (faults inside are reported at the whole), ``is_exact`` that a value made
    from this record conforms for sure.
    """

    pointer: str
    types: frozenset[str] = ANYTHING
    options: tuple[Any, ...] | None = None
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    factors: tuple[float, ...] = ()
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    known_values: tuple[str, ...] = ()
    defaults: tuple[Any, ...] = ()
    properties: Mapping[str, Parts] = field(default_factory=dict[str, Parts])
    pattern_properties: Mapping[str, Parts] = field(default_factory=dict[str, Parts])
    required: tuple[str, ...] = ()
    additional: Parts = ()
    prefix: tuple[Parts, ...] = ()
    items: Parts = ()
    is_unique: bool = False
    is_branch: bool = False
    is_exact: bool = True
    origins: Mapping[str, str] = field(default_factory=dict[str, str])

    def parts_of(self, name: str) -> Parts:
        """What holds for a property: what is said of it, else what is said of every other one."""
        return self.properties.get(name, self.additional)

    def parts_at(self, index: int) -> Parts:
        """What holds for an item."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def likely_types(self) -> list[str]:
        """The types to make values of: those stated, else those that the other keywords speak of, else all; null comes last."""
        types = self.types
        if types == ANYTHING and "type" not in self.origins:
            hinted = {kind for kind, keywords in _HINTS.items() if keywords & self.origins.keys()}
            types = frozenset(hinted) or types
        return [kind for kind in _ORDER if kind in types]

    def origin(self, keyword: str) -> str:
        """Where a keyword stands in the document; the schema itself when it has no such keyword."""
        return self.origins.get(keyword, self.pointer)


_ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")
_HINTS = {
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}


def identity(value: Any) -> str:
    """Equal for equal JSON values only: 1 and true differ, 1 and 1.0 do not."""
    return json.dumps(_plain_number(value), sort_keys=True)


def _plain_number(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if is_array(value):
        return [_plain_number(item) for item in value]
    if is_object(value):
        return {key: _plain_number(item) for key, item in value.items()}
    return value


def type_of(value: Any) -> str:
    """The JSON Schema type of a value; a number without a fraction is an integer."""
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return _TYPES[type(value).__name__]


_TYPES = {"NoneType": "null", "bool": "boolean", "int": "integer", "str": "string", "list": "array", "dict": "object"}


def merge(first: Node, second: Node) -> Node | None:
    """Both at once; None when nothing can conform to both."""
    types = _common_types(first.types, second.types)
    options = _common_options(first.options, second.options)
    if not types or options == ():
        return None
    limits, origins = _tighter(first, second)
    names = [*first.properties, *(name for name in second.properties if name not in first.properties)]
    length = max(len(first.prefix), len(second.prefix))
    return Node(
        pointer=first.pointer,
        types=types,
        options=options,
        limits=limits,
        factors=first.factors + second.factors,
        patterns=tuple(dict.fromkeys(first.patterns + second.patterns)),
        formats=first.formats + second.formats,
        known_values=first.known_values + second.known_values,
        defaults=first.defaults + second.defaults,
        properties={name: first.parts_of(name) + second.parts_of(name) for name in names},
        pattern_properties={
            name: first.pattern_properties.get(name, ()) + second.pattern_properties.get(name, ())
            for name in {**first.pattern_properties, **second.pattern_properties}
        },
        required=tuple(dict.fromkeys(first.required + second.required)),
        additional=first.additional + second.additional,
        prefix=tuple(first.parts_at(index) + second.parts_at(index) for index in range(length)),
        items=first.items + second.items,
        is_unique=first.is_unique or second.is_unique,
        is_branch=first.is_branch or second.is_branch,
        is_exact=first.is_exact and second.is_exact and not (first.factors and second.factors),
        origins=origins,
    )


def _common_types(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    common = _spelled_out(first) & _spelled_out(second)
    return common - {"integer"} if "number" in common else common


def _spelled_out(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _common_options(first: tuple[Any, ...] | None, second: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if first is None or second is None:
        return second if first is None else first
    allowed = {identity(value) for value in second}
    return tuple(value for value in first if identity(value) in allowed)


def _tighter(first: Node, second: Node) -> tuple[dict[str, float], dict[str, str]]:
    limits = dict(first.limits)
    origins = {**second.origins, **first.origins}
    for keyword, value in second.limits.items():
        present = limits.get(keyword)
        is_upper = "max" in keyword.lower()
        if present is None or (value < present if is_upper else value > present):
            limits[keyword] = value
            origins[keyword] = second.origins[keyword]
    return limits, origins
