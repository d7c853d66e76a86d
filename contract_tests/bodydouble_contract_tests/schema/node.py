"""The rules at one place of a body as one flat record, merged from every schema that applies there."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import is_array, is_object

__all__ = ["ANYTHING", "LocatedSchema", "SchemaParts", "SchemaView", "json_key", "merge", "type_of"]


@dataclass(frozen=True, slots=True)
class LocatedSchema:
    """A JSON Schema, the pointer of its OpenAPI source in the document, and the references followed on the way there."""

    schema: Any
    pointer: str
    trail: tuple[str, ...] = ()


SchemaParts = tuple[LocatedSchema, ...]
"""Schemas that all hold at one place."""

# "number" includes the integers; a set never holds both.
ANYTHING = frozenset({"null", "boolean", "number", "string", "array", "object"})


@dataclass(frozen=True, slots=True)
class SchemaView:
    """One way for a value to conform.

    ``options`` are the only values allowed (None: no such list), ``limits`` the bounds by keyword. ``additional`` applies to properties without
    a name here, ``items`` to items beyond ``prefix``. ``origins`` has the pointer of each keyword in the document. ``is_branch`` marks one
    of several alternatives (their faults are reported at the whole value). ``is_exact`` means that every value made from this view conforms.
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
    properties: Mapping[str, SchemaParts] = field(default_factory=dict[str, SchemaParts])
    pattern_properties: Mapping[str, SchemaParts] = field(default_factory=dict[str, SchemaParts])
    required: tuple[str, ...] = ()
    additional: SchemaParts = ()
    prefix: tuple[SchemaParts, ...] = ()
    items: SchemaParts = ()
    is_unique: bool = False
    is_branch: bool = False
    is_exact: bool = True
    origins: Mapping[str, str] = field(default_factory=dict[str, str])

    def parts_of(self, name: str) -> SchemaParts:
        """Return the schemas of a property: its own, or those of additional properties."""
        return self.properties.get(name, self.additional)

    def parts_at(self, index: int) -> SchemaParts:
        """Return the schemas of an item."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def likely_types(self) -> list[str]:
        """Return the types to make values of: the stated ones, else those implied by other keywords, else all; null comes last."""
        types = self.types
        if types == ANYTHING and "type" not in self.origins:
            hinted = {kind for kind, keywords in _HINTS.items() if keywords & self.origins.keys()}
            types = frozenset(hinted) or types
        return [kind for kind in _ORDER if kind in types]

    def origin(self, keyword: str) -> str:
        """Return the pointer of a keyword in the document, or of the schema when it lacks the keyword."""
        return self.origins.get(keyword, self.pointer)


_ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")
_HINTS = {
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}


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


def merge(first: SchemaView, second: SchemaView) -> SchemaView | None:
    """Merge two views into one, or return None when no value can conform to both."""
    types = _common_types(first.types, second.types)
    options = _common_options(first.options, second.options)
    if not types or options == ():
        return None
    limits, origins = _tighter_limits(first, second)
    names = [*first.properties, *(name for name in second.properties if name not in first.properties)]
    length = max(len(first.prefix), len(second.prefix))
    return SchemaView(
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
    common = _with_integer(first) & _with_integer(second)
    return common - {"integer"} if "number" in common else common


def _with_integer(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _common_options(first: tuple[Any, ...] | None, second: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if first is None or second is None:
        return second if first is None else first
    allowed = {json_key(value) for value in second}
    return tuple(value for value in first if json_key(value) in allowed)


def _tighter_limits(first: SchemaView, second: SchemaView) -> tuple[dict[str, float], dict[str, str]]:
    limits = dict(first.limits)
    origins = {**second.origins, **first.origins}
    for keyword, value in second.limits.items():
        present = limits.get(keyword)
        is_upper = "max" in keyword.lower()
        if present is None or (value < present if is_upper else value > present):
            limits[keyword] = value
            origins[keyword] = second.origins[keyword]
    return limits, origins
