"""The strict check of an answer: properties that are undocumented, documented but absent, or empty.

With a contract that requires no property, ``{}`` conforms; only this check reports it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bodydouble_spec.defects import listed, shorten, show
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.schema.validation import SchemaValidator
from bodydouble_spec.values import is_array, is_object, join_pointer, type_name

__all__ = ["strict_findings"]

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


# Shapes within shapes multiply; beyond this number, places with several shapes are not checked.
_MAX_TRIED = 10_000


def strict_findings(validator: SchemaValidator, value: Any, operation: str, evidence: Evidence) -> list[Finding]:
    """List the findings of the strict check of ``value`` beyond those of the schema.

    Absent or empty documented properties have the severity of ``evidence``, undocumented ones are a warning at most,
    and a nullable property that is absent while a sibling has a value is info. Of alternative shapes (anyOf, oneOf),
    those that the value conforms to count, and of these the best fit; where it conforms to none, the schema's findings
    already say so.
    """
    walk = _StrictWalk(Shapes(validator), operation, evidence)
    return walk.read([validator.schema], value, "", 0)


class _StrictWalk:
    """One walk over an answer, together with the schemas that apply at each place."""

    def __init__(self, shapes: Shapes, operation: str, evidence: Evidence) -> None:
        self._shapes = shapes
        self._operation = operation
        self._evidence = evidence
        self._tried = 0

    def read(self, schemas: Sequence[Any], value: Any, pointer: str, depth: int) -> list[Finding]:
        """Return the findings at and below a place where all of ``schemas`` apply."""
        if depth > _MAX_DEPTH:
            return []
        if value is None:
            kinds = self._shapes.kinds(schemas)
            is_empty = "null" in kinds and kinds & CONTAINERS  # a forbidden null is a finding of the schema
            return [self._deviation("null", pointer, "the value is null", "a value", None)] if is_empty else []
        shapes = self._shapes.of(schemas, value)
        if len(shapes) > 1:
            self._tried += len(shapes)
            if self._tried > _MAX_TRIED:
                return []
        if is_array(value):
            results = [list(self._array(shape, value, pointer, depth)) for shape in shapes]
        elif is_object(value):
            undocumented = list(self._undocumented(shapes, value, pointer))
            results = [[*self._object(shape, value, pointer, depth), *undocumented] for shape in shapes]
        else:
            return []
        return min(results, key=_severity_counts, default=list[Finding]())

    def _undocumented(self, shapes: Sequence[Shape], value: dict[str, Any], pointer: str) -> Iterable[Finding]:
        if not all(shape.lists_all for shape in shapes):
            return
        documented = {name for shape in shapes for name in shape.properties}
        for name in value:
            if name not in documented:
                message = f"property {show(name)} is not in the contract"
                here = join_pointer(pointer, name)
                yield self._finding("undocumented", self._at_most_warning(), here, message, None, name)

    def _array(self, shape: Shape, value: list[Any], pointer: str, depth: int) -> Iterable[Finding]:
        if not value and "array" in self._shapes.kinds(shape.parts):
            yield self._deviation("empty", pointer, "the list is empty", "at least one item", value)
        for index, item in enumerate(value):
            yield from self.read(shape.items(index), item, join_pointer(pointer, index), depth + 1)

    def _object(self, shape: Shape, value: dict[str, Any], pointer: str, depth: int) -> Iterable[Finding]:
        nullable = {name for name, schemas in shape.properties.items() if self._shapes.is_nullable_leaf(schemas)}
        has_value = any(value.get(name) not in (None, "") for name in shape.properties)
        if nullable and not has_value:
            yield self._no_value(sorted(nullable), value, pointer)
        for name, schemas in shape.properties.items():
            here = join_pointer(pointer, name)
            if name in value:
                yield from self.read(schemas, value[name], here, depth + 1)
            elif name not in nullable:
                if name not in shape.required:  # a finding of the schema already
                    yield self._deviation("absent", here, f"documented property {show(name)} is absent", name, None)
            elif has_value:
                message = f"documented property {show(name)} is absent instead of null"
                yield self._finding("absent", Severity.INFO, here, message, name, None)

    def _no_value(self, names: list[str], value: dict[str, Any], pointer: str) -> Finding:
        if len(names) == 1:
            here = join_pointer(pointer, names[0])
            return self._deviation("no-value", here, f"{show(names[0])} has no value", names, value)
        message = f"none of {listed(map(show, names))} has a value"
        return self._deviation("no-value", pointer, message, names, value)

    def _at_most_warning(self) -> Severity:
        severity = Severity.for_evidence(self._evidence)
        return Severity.WARNING if severity is Severity.ERROR else severity

    def _deviation(self, rule: str, pointer: str, message: str, expected: Any, got: Any) -> Finding:
        return self._finding(rule, Severity.for_evidence(self._evidence), pointer, message, expected, got)

    def _finding(self, rule: str, severity: Severity, pointer: str, message: str, expected: Any, got: Any) -> Finding:
        return Finding(
            f"response-{rule}", severity, self._evidence, pointer, message, expected, shorten(got),
            direction="response", operation=self._operation,
        )  # fmt: skip


def _severity_counts(findings: Sequence[Finding]) -> list[int]:
    """Order results by errors first, then by warnings, then by infos."""
    ranks = [finding.severity.rank for finding in findings]
    return [ranks.count(severity.rank) for severity in Severity]
