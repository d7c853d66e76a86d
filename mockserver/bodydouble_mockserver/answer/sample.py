"""A sample value from a JSON Schema, with the contract's own examples where they conform."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import is_array, is_object

__all__ = ["sample"]

_MAX_DEPTH = 20
_NO_NAMES: frozenset[str] = frozenset()


def sample(schema: Any, published: Any = None) -> Any:
    """Return a value that conforms to a JSON Schema 2020-12 (as the contract builds it), with one item in each list.

    ``published`` is the OpenAPI schema behind it, whose ``example``s are used; the caller validates the result. Patterns are ignored,
    and a recursive schema is expanded once.
    """
    definitions: dict[str, Any] = schema.get("$defs", {}) if is_object(schema) else {}
    return _Sampler(definitions).value(schema, published)


@dataclass(frozen=True, slots=True)
class _Sampler:
    """A sampler at one place of a schema; ``open_names`` are the definitions that enclose this place."""

    definitions: dict[str, Any]
    open_names: frozenset[str] = _NO_NAMES
    depth: int = 0

    def value(self, schema: Any, published: Any = None) -> Any:
        if not is_object(schema) or self.depth > _MAX_DEPTH:
            return None
        if "$ref" in schema:
            name = _name(schema)
            inside = replace(self, open_names=self.open_names | {name}, depth=self.depth + 1)
            return None if self._is_open(schema) else inside.value(self.definitions.get(name))
        hints: dict[str, Any] = published if is_object(published) else {}
        for key in ("example", "default"):
            if key in hints:
                return hints[key]
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        deeper = replace(self, depth=self.depth + 1)
        own = deeper.for_type(schema, hints)
        if schema.get("allOf"):
            return deeper.merged([*schema["allOf"]], own)
        for keyword in ("oneOf", "anyOf"):
            if schema.get(keyword):
                return deeper.merged(schema[keyword][:1], own)
        return own

    def merged(self, branches: list[Any], own: Any) -> Any:
        values = [self.value(branch) for branch in branches]
        result: dict[str, Any] = {}
        for value in [*values, own]:
            result |= value if is_object(value) else {}
        return result or next((value for value in values if value is not None), own)

    def for_type(self, schema: dict[str, Any], hints: dict[str, Any]) -> Any:
        match _type(schema):
            case "object":
                return self._object(schema, hints.get("properties", {}))
            case "array":
                items = schema.get("items", {})
                if self._is_open(items):
                    return []
                return [self.value(items, hints.get("items"))] * max(1, int(schema.get("minItems", 1)))
            case "string":
                return "text".ljust(int(schema.get("minLength", 0)), ".")[: int(schema.get("maxLength", 2**31))]
            case "integer":
                return _number(schema, schema.get("multipleOf", 1))
            case "number":
                return _number(schema, schema.get("multipleOf"))
            case "boolean":
                return True
            case _:
                return None

    def _object(self, schema: dict[str, Any], published: dict[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        values = {name: self.value(others) for name in schema.get("required", ()) if name not in properties}
        for name, item in properties.items():
            if not self._is_open(item):
                values[name] = self.value(item, published.get(name))
        return values

    def _is_open(self, schema: Any) -> bool:
        """Return whether this is a reference to a definition that is being sampled."""
        return is_object(schema) and "$ref" in schema and _name(schema) in self.open_names


def _name(schema: dict[str, Any]) -> str:
    reference: str = schema["$ref"]
    return reference.removeprefix("#/$defs/")


def _type(schema: dict[str, Any]) -> str:
    types = schema.get("type")
    if is_array(types):
        return next((name for name in types if name != "null"), "null")
    return types if isinstance(types, str) else ("object" if {"properties", "required"} & schema.keys() else "null")


def _number(schema: dict[str, Any], step: float | None) -> int | float:
    """Return the first value within the bounds of zero, the numbers next to a bound, and the middle between the bounds."""
    return next((value for value in _numbers(schema, step) if _is_within(schema, value)), 0)


def _numbers(schema: dict[str, Any], step: float | None) -> Iterator[int | float]:
    lows: list[float] = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
    highs: list[float] = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
    unit = step or 1
    yield 0
    for low in lows:
        yield from (math.ceil(low / unit) * unit, (math.floor(low / unit) + 1) * unit)
    for high in highs:
        yield from (math.floor(high / unit) * unit, (math.ceil(high / unit) - 1) * unit)
    if step is None:
        yield from (*lows, *highs)
        if lows and highs:
            yield (max(lows) + min(highs)) / 2


def _is_within(schema: dict[str, Any], value: float) -> bool:
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    return bool(least <= value <= most and above < value < below)
