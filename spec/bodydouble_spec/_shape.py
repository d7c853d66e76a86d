"""The shapes that a schema allows for a value: allOf merged, anyOf and oneOf as the branches that the value conforms to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bodydouble_spec._json import is_array, is_object, type_name
from bodydouble_spec._validation import SchemaValidator

__all__ = ["CONTAINERS", "Shape", "Shapes"]

CONTAINERS = frozenset({"array", "object"})

_KINDS = frozenset({"array", "boolean", "null", "number", "object", "string"})
_MAX_DEPTH = 60
_MAX_SHAPES = 16
# Beside one of these, a name outside `properties` may be documented, or the schema's own check covers it.
_OPEN_KEYWORDS = {
    "additionalProperties", "dependentSchemas", "else", "if", "patternProperties", "then", "unevaluatedProperties",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Schemas without alternatives that all apply at one place."""

    parts: tuple[dict[str, Any], ...]

    @cached_property
    def properties(self) -> dict[str, list[Any]]:
        """The documented properties of an object, each with all schemas that apply to it."""
        result: dict[str, list[Any]] = {}
        for part in self.parts:
            for name, schema in part.get("properties", {}).items():
                result.setdefault(name, []).append(schema)
        return result

    @cached_property
    def required(self) -> frozenset[str]:
        """The names that the schema requires."""
        return frozenset(name for part in self.parts for name in part.get("required", ()))

    @property
    def lists_all(self) -> bool:
        """True when a name outside `properties` is undocumented."""
        return bool(self.properties) and not any(_OPEN_KEYWORDS & part.keys() for part in self.parts)

    def items(self, index: int) -> list[Any]:
        """Return all schemas that apply to the item of that index."""
        result: list[Any] = []
        for part in self.parts:
            prefix: list[Any] = part.get("prefixItems", [])
            result.append(prefix[index] if index < len(prefix) else part.get("items", True))
        return result


class Shapes:
    """Finds the shapes of values in one compiled schema."""

    def __init__(self, validator: SchemaValidator) -> None:
        self._validator = validator
        self._definitions: dict[str, Any] = validator.schema.get("$defs", {})

    def of(self, schemas: Sequence[Any], value: Any) -> list[Shape]:
        """Return the shapes of ``value`` where all of ``schemas`` apply; none when it conforms to none, or there are too many."""
        try:
            alternatives = _cross(self._alternatives(schema, value, 0) for schema in schemas)
        except _TooManyShapes:
            return []
        return [Shape(tuple(parts)) for parts in alternatives]

    def kinds(self, schemas: Iterable[Any]) -> frozenset[str]:
        """Return the JSON types that a value may have where all of ``schemas`` apply, with integers as numbers.

        Empty when it may have any.
        """
        kinds = _KINDS.intersection(*(self._kinds(schema, 0) for schema in schemas))
        return frozenset() if kinds == _KINDS else kinds

    def is_nullable_leaf(self, schemas: Iterable[Any]) -> bool:
        """Return whether a value there may be null or else a scalar: no array and no object."""
        kinds = self.kinds(schemas)
        return "null" in kinds and len(kinds) > 1 and not kinds & CONTAINERS

    def _alternatives(self, schema: Any, value: Any, depth: int) -> list[list[dict[str, Any]]]:
        if not is_object(schema):
            return [[]]
        if depth > _MAX_DEPTH:
            raise _TooManyShapes
        alternatives = [[[schema]]]
        alternatives += [self._alternatives(part, value, depth + 1) for part in self._parts(schema)]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                matching = [branch for branch in schema[keyword] if self._conforms(branch, value)]
                alternatives.append(
                    [parts for branch in matching for parts in self._alternatives(branch, value, depth + 1)]
                )
        return _cross(alternatives)

    def _kinds(self, schema: Any, depth: int) -> frozenset[str]:
        if not is_object(schema) or depth > _MAX_DEPTH:
            return _KINDS
        kinds = _declared_kinds(schema).intersection(*(self._kinds(part, depth + 1) for part in self._parts(schema)))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                kinds &= frozenset[str]().union(*(self._kinds(branch, depth + 1) for branch in schema[keyword]))
        return kinds

    def _parts(self, schema: dict[str, Any]) -> list[Any]:
        """Return the schemas that apply together with ``schema``: its reference's target, and those of allOf."""
        reference = schema.get("$ref")
        target = [] if reference is None else [self._definitions.get(reference.removeprefix("#/$defs/"))]
        return [*target, *schema.get("allOf", ())]

    def _conforms(self, branch: Any, value: Any) -> bool:
        return self._validator.branch_is_valid(branch, value) if is_object(branch) else branch is True


class _TooManyShapes(Exception):
    """The shapes of a value are too many or recur without end."""


def _cross(alternatives: Iterable[list[list[dict[str, Any]]]]) -> list[list[dict[str, Any]]]:
    """Return each way to take one alternative of every choice."""
    result: list[list[dict[str, Any]]] = [[]]
    for choice in alternatives:
        if len(result) * len(choice) > _MAX_SHAPES:
            raise _TooManyShapes
        result = [[*parts, *more] for parts in result for more in choice]
    return result


def _declared_kinds(schema: dict[str, Any]) -> frozenset[str]:
    declared = schema.get("type")
    names = _KINDS if declared is None else declared if is_array(declared) else [declared]
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    kinds = _without_integer(names)
    return kinds if values is None else kinds & _without_integer(map(type_name, values))


def _without_integer(names: Iterable[str]) -> frozenset[str]:
    return frozenset("number" if name == "integer" else name for name in names)
