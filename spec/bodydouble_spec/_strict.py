"""The strict reading of an answer: is anything undocumented, documented but absent, or empty where it must mean something?

With a contract that requires no property, ``{}`` conforms; only this reading notices.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from bodydouble_spec._defects import listed, shorten, show
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer
from bodydouble_spec._shape import CONTAINERS, Shape, Shapes
from bodydouble_spec._validation import SchemaValidator

__all__ = ["strict_findings"]

_MAX_DEPTH = 60
# Shapes within shapes multiply; when this many were tried, a place with several is not judged any more.
_MAX_TRIED = 10_000


def strict_findings(validator: SchemaValidator, value: Any, operation: str, evidence: Evidence) -> list[Finding]:
    """What the strict reading finds in ``value`` beyond plain validation.

    Absent or empty documented properties deviate with the severity of ``evidence``, undocumented ones are a warning at most, and a
    nullable property that is absent while a sibling does its job is info. Of alternative shapes (anyOf, oneOf), those that the value
    conforms to count, and of these the one that it fits best; where it conforms to none, plain validation has said so.
    """
    reading = _Reading(Shapes(validator), operation, evidence)
    return reading.read([validator.schema], value, "", 0)


class _Reading:
    """One walk over an answer, beside the schemas that hold at each place."""

    def __init__(self, shapes: Shapes, operation: str, evidence: Evidence) -> None:
        self._shapes = shapes
        self._operation = operation
        self._evidence = evidence
        self._tried = 0

    def read(self, schemas: Sequence[Any], value: Any, pointer: str, depth: int) -> list[Finding]:
        """The findings at and below a place where all of ``schemas`` hold."""
        if depth > _MAX_DEPTH:
            return []
        if value is None:
            kinds = self._shapes.kinds(schemas)
            is_empty = "null" in kinds and kinds & CONTAINERS  # where null is forbidden, plain validation says so
            return [self._deviation("null", pointer, "this is null", "a value", None)] if is_empty else []
        shapes = self._shapes.of(schemas, value)
        if len(shapes) > 1:
            self._tried += len(shapes)
            if self._tried > _MAX_TRIED:
                return []
        if is_array(value):
            readings = [list(self._array(shape, value, pointer, depth)) for shape in shapes]
        elif is_object(value):
            undocumented = list(self._undocumented(shapes, value, pointer))
            readings = [[*self._object(shape, value, pointer, depth), *undocumented] for shape in shapes]
        else:
            return []
        return min(readings, key=_badness, default=list[Finding]())

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
            yield self._deviation("empty", pointer, "this list is empty", "at least one item", value)
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
                if name not in shape.required:  # plain validation says that already
                    yield self._deviation("absent", here, f"documented property {show(name)} is absent", name, None)
            elif has_value:
                message = f"documented property {show(name)} is absent; null is what the contract has for it"
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


def _badness(findings: Sequence[Finding]) -> list[int]:
    """Orders readings: fewest errors first, then fewest warnings, then fewest of anything."""
    ranks = [finding.severity.rank for finding in findings]
    return [ranks.count(severity.rank) for severity in Severity]
