"""The strict check of an answer: properties that are undocumented, documented but absent, or empty.

With a contract that requires no property, ``{}`` conforms; only this check reports it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, islice
from typing import Any

from bodydouble_spec.defects import listed, shorten, show
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.schema.types import ANYTHING
from bodydouble_spec.schema.validation import SchemaValidator
from bodydouble_spec.schema.view import SchemaView
from bodydouble_spec.values import is_array, is_object, join_pointer

__all__ = ["Shapes", "lists_all", "names_failure", "strict_findings"]

CONTAINERS = frozenset({"array", "object"})

_MAX_DEPTH = 60
_MAX_SHAPES = 16
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_FAILURE_WORDS = {
    "err", "error", "errored", "errors", "exception", "exceptions", "fail", "failed", "failure", "failures", "fault", "faults", "refusal",
}  # fmt: skip
# Beside one of these, a name outside `properties` may be documented, or the schema's own check covers it.
_OPEN_KEYWORDS = {
    "additionalProperties", "dependentSchemas", "else", "if", "patternProperties", "then", "unevaluatedProperties",
}  # fmt: skip


def names_failure(name: str) -> bool:
    """Return whether a property is called after an error, as ``error``, ``errorMessage`` and ``request_failures`` are: beside a success it is empty."""
    return any(word.lower() in _FAILURE_WORDS for word in _WORDS.findall(name))


class Shapes:
    """Finds the shapes of values in one compiled schema: views without alternatives."""

    def __init__(self, validator: SchemaValidator) -> None:
        self._validator = validator

    def of(self, view: SchemaView, value: Any) -> list[SchemaView]:
        """Return the shapes of ``value`` at a place; none when it conforms to none, or there are too many."""
        try:
            return self._of(view, value, 0)
        except _TooManyShapes:
            return []

    def evidence_for(self, views: Iterable[SchemaView]) -> Evidence | None:
        """Return the strongest evidence for some places; None for none."""
        return self._validator.evidence_for(views)

    def _of(self, view: SchemaView, value: Any, depth: int) -> list[SchemaView]:
        if depth > _MAX_DEPTH:
            raise _TooManyShapes
        shapes = [view]
        for choice in view.choices:
            matching = [branch for branch in choice if self._conforms(branch, value)]
            inner = [shape for branch in matching for shape in self._of(branch, value, depth + 1)]
            if len(shapes) * len(inner) > _MAX_SHAPES:
                raise _TooManyShapes
            shapes = [shape.joined(other) for shape in shapes for other in inner]
        return shapes

    def _conforms(self, branch: SchemaView, value: Any) -> bool:
        schema = branch.roots[0].schema
        return self._validator.branch_is_valid(schema, value) if is_object(schema) else schema is True


class _TooManyShapes(Exception):
    """The shapes of a value are too many or recur without end."""


def _kinds(view: SchemaView) -> frozenset[str]:
    """Return the JSON types that a value may have; empty when it may have any."""
    return frozenset() if view.types == ANYTHING else view.types


def _examples(view: SchemaView) -> list[Any]:
    listed = [example for examples in view.values("examples") if is_array(examples) for example in examples]
    return [*view.values("example"), *listed]


def _nulls(shape: SchemaView) -> frozenset[str]:
    """Return the names of the properties that are null in an example of the document."""
    examples = [example for example in _examples(shape) if is_object(example)]
    own = {name for name, view in shape.properties.items() if None in _examples(view)}
    return frozenset(own.union(name for example in examples for name, value in example.items() if value is None))


def _is_nullable_leaf(view: SchemaView) -> bool:
    """Return whether a value there may be null or else a scalar: no array and no object."""
    return "null" in view.types and len(view.types) > 1 and not view.types & CONTAINERS


def lists_all(shape: SchemaView) -> bool:
    """Return whether a name outside ``properties`` is undocumented."""
    return bool(shape.properties) and not _OPEN_KEYWORDS & shape.origins.keys()


# Shapes within shapes multiply; beyond this number, places with several shapes are not checked.
_MAX_TRIED = 10_000
_MAX_FAULTS = 100


def strict_findings(validator: SchemaValidator, value: Any, operation: str, evidence: Evidence) -> list[Finding]:
    """List the findings of the strict check of ``value`` beyond those of the schema.

    Absent or empty documented properties have the severity of ``evidence``, undocumented ones are a warning at most,
    and a nullable property that is absent while a sibling has a value is info. After 100 findings the reading ends, and one more says so. A null is in order where an example of the document has it, where
    a nullable text beside it has a value, and in a property called after an error. Of alternative shapes (anyOf, oneOf),
    those that the value conforms to count, and of these the best fit; where it conforms to none, the schema's findings
    already say so.
    """
    walk = _StrictWalk(Shapes(validator), operation, evidence)
    findings = walk.read(validator.view, value, "", frozenset())
    return findings if len(findings) <= _MAX_FAULTS else [*findings[:_MAX_FAULTS], walk.more_faults()]


class _StrictWalk:
    """One walk over an answer, together with the schemas that apply at each place."""

    def __init__(self, shapes: Shapes, operation: str, evidence: Evidence) -> None:
        self._shapes = shapes
        self._operation = operation
        self._evidence = evidence
        self._tried = 0

    def read(self, view: SchemaView, value: Any, pointer: str, above: frozenset[int]) -> list[Finding]:
        """Return the first findings at and below a place, one more than are listed at most. ``above`` are the schemas that enclose it."""
        if pointer.count("/") > _MAX_DEPTH:
            return []
        if value is None:
            kinds = _kinds(view)
            # A forbidden null is a finding of the schema, and where a schema contains itself, null is its end.
            is_empty = "null" in kinds and kinds & CONTAINERS and not _encloses(above, view)
            return [self._deviation("null", [view], pointer, "the value is null", "a value", None)] if is_empty else []
        shapes = self._shapes.of(view, value)
        if len(shapes) > 1:
            self._tried += len(shapes)
            if self._tried > _MAX_TRIED:
                return []
        if is_array(value):
            results = [_first(self._array(shape, value, pointer, above)) for shape in shapes]
        elif is_object(value):
            undocumented = _first(self._undocumented(shapes, value, pointer))
            alternative = {name for choice in view.choices for branch in choice for name in branch.required}
            results = [
                _first(chain(self._object(shape, value, pointer, above, alternative), undocumented)) for shape in shapes
            ]
        else:
            return []
        return min(results, key=_severity_counts, default=list[Finding]())

    def more_faults(self) -> Finding:
        """Return the finding that says that the reading ended early."""
        severity = Severity.for_evidence(self._evidence)
        return self._finding("more-faults", severity, "", "more faults are not listed", None, None)

    def _undocumented(self, shapes: Sequence[SchemaView], value: dict[str, Any], pointer: str) -> Iterable[Finding]:
        if not all(map(lists_all, shapes)):
            return
        documented = {name for shape in shapes for name in (*shape.properties, *shape.required)}
        for name in value:
            if name not in documented:
                message = f"property {show(name)} is not in the contract"
                here = join_pointer(pointer, name)
                yield self._finding("undocumented", self._at_most_warning(), here, message, None, name)

    def _array(self, shape: SchemaView, value: list[Any], pointer: str, above: frozenset[int]) -> Iterable[Finding]:
        if not value and "array" in _kinds(shape) and not _encloses(above, shape.item(0)):
            yield self._deviation("empty", [shape], pointer, "the list is empty", "at least one item", value)
        for index, item in enumerate(value):
            yield from self.read(shape.item(index), item, join_pointer(pointer, index), above | _schemas(shape))

    def _object(
        self,
        shape: SchemaView,
        value: dict[str, Any],
        pointer: str,
        above: frozenset[int],
        alternative: Collection[str],
    ) -> Iterable[Finding]:
        """Yield the findings of an object; a name in ``alternative`` is required by one of several shapes, and may be forbidden in this one."""
        nullable = {name for name, view in shape.properties.items() if _is_nullable_leaf(view)}
        has_value = any(value.get(name) not in (None, "") for name in shape.properties)
        if nullable and not has_value:
            yield self._no_value(sorted(nullable), shape, value, pointer)
        may_be_null = _nulls(shape)
        has_text = any(
            isinstance(value.get(name), str) and value[name] and not names_failure(name) for name in nullable
        )
        for name, view in shape.properties.items():
            here = join_pointer(pointer, name)
            is_failure = names_failure(name)
            if name in value:
                is_empty = value[name] is None or (is_failure and value[name] == [])
                if not (is_empty and (is_failure or has_text or name in may_be_null)):
                    yield from self.read(view, value[name], here, above | _schemas(shape))
            elif is_failure or name in alternative or True in view.values("writeOnly"):
                continue
            elif name not in nullable:
                if name not in shape.required:  # a finding of the schema already
                    message = f"documented property {show(name)} is absent"
                    yield self._deviation("absent", [view], here, message, name, None)
            elif has_value:
                message = f"documented property {show(name)} is absent instead of null"
                yield self._finding("absent", Severity.INFO, here, message, name, None)

    def _no_value(self, names: list[str], shape: SchemaView, value: dict[str, Any], pointer: str) -> Finding:
        views = [shape.properties[name] for name in names]
        if len(names) == 1:
            here = join_pointer(pointer, names[0])
            return self._deviation("no-value", views, here, f"{show(names[0])} has no value", names, value)
        message = f"none of {listed(names, show)} has a value"
        return self._deviation("no-value", views, pointer, message, names, value)

    def _at_most_warning(self) -> Severity:
        severity = Severity.for_evidence(self._evidence)
        return Severity.WARNING if severity is Severity.ERROR else severity

    def _deviation(
        self, rule: str, views: Sequence[SchemaView], pointer: str, message: str, expected: Any, got: Any
    ) -> Finding:
        """Return a finding with the evidence for its places, or that for the whole answer where it is weaker."""
        known = self._shapes.evidence_for(views) or self._evidence
        evidence = max(known, self._evidence, key=lambda one: one.rank)
        severity = Severity.for_evidence(evidence)
        return self._finding(rule, severity, pointer, message, expected, got, evidence)

    def _finding(
        self,
        rule: str,
        severity: Severity,
        pointer: str,
        message: str,
        expected: Any,
        got: Any,
        evidence: Evidence | None = None,
    ) -> Finding:
        return Finding(
            f"response-{rule}", severity, evidence or self._evidence, pointer, message, expected, shorten(got),
            direction="response", operation=self._operation,
        )  # fmt: skip


def _schemas(view: SchemaView) -> frozenset[int]:
    return frozenset(id(part.schema) for part in view.parts)


def _encloses(above: frozenset[int], view: SchemaView) -> bool:
    """Return whether a schema of a place is one of those that enclose the place."""
    return any(not above.isdisjoint(_schemas(one)) for one in (view, *chain.from_iterable(view.choices)))


def _first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the first findings; the rest of a lazy reading is not made."""
    return list(islice(findings, _MAX_FAULTS + 1))


def _severity_counts(findings: Sequence[Finding]) -> list[int]:
    """Order results by errors first, then by warnings, then by infos."""
    ranks = [finding.severity.rank for finding in findings]
    return [ranks.count(severity.rank) for severity in Severity]
