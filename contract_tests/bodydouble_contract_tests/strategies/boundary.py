"""The boundary cases of a request body: deterministic, complete, one fault each."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import orjson
from bodydouble_spec import (
    Contract,
    Evidence,
    Operation,
    is_array,
    is_object,
    join_pointer,
    pointer_parts,
    resolve_pointer,
)
from bodydouble_spec.limits import DOCUMENT_LIMITS, DocumentLimits
from bodydouble_spec.schema import SchemaView

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.schema import NOTHING, LeftOut, Sampler, SchemaWalker, request_walker
from bodydouble_contract_tests.strategies.families import empty_values, far_numbers, texts_for_numbers, wrong_spellings
from bodydouble_contract_tests.strategies.variants import (
    Variant,
    length_variants,
    number_variants,
    option_variants,
    property_count_variants,
    text_variants,
    type_variants,
)

__all__ = ["BoundaryCase", "VariedRequests", "boundary_cases", "double_faults", "vary_requests"]


@dataclass(frozen=True, slots=True)
class BoundaryCase:
    """One body at a boundary of the contract.

    ``id`` names place and rule (``num_images/maximum+1``) and stays the same as long as the contract does. ``pointer`` is the place in
    ``body`` where the one fault is reported or, in a valid case, that is varied. ``rule`` is the last part of the id, and ``evidence`` is the
    evidence for the rule.
    """

    id: str
    body: Any
    valid: bool
    pointer: str
    rule: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class VariedRequests:
    """The boundary cases of an operation, and what no case varies because there is too much of it."""

    cases: tuple[BoundaryCase, ...]
    left_out: tuple[LeftOut, ...] = ()


def boundary_cases(contract: Contract, operation: Operation | None = None) -> tuple[BoundaryCase, ...]:
    """Return the cases of `vary_requests`."""
    return vary_requests(contract, operation).cases


def vary_requests(
    contract: Contract, operation: Operation | None = None, limits: DocumentLimits = DOCUMENT_LIMITS
) -> VariedRequests:
    """Return every boundary case of the operation's request body (the only operation by default), always the same ones.

    The first case is a valid ``baseline`` with every documented property. For each place in it there are cases with: each required property
    missing (invalid) and each optional one missing (valid), each wrong JSON type, each value of an enum, one outside and other spellings of the first
    one, each bound exactly, one step beyond and far beyond, lengths and counts likewise, each alternative of a pattern and several texts outside, known
    values in several letter cases, a wrong item at each place of a list, and unknown properties. An invalid case has exactly one fault. Left out are cases whose fault is hidden or joined by other rules, lengths
    beyond a million characters, lists beyond ten thousand items, and what is beyond the limits for a document.

    Raises UnsupportedSchema when the operation takes no JSON body or no valid one is found.
    """
    operation = operation or contract.operation()
    walker = request_walker(contract, operation, limits)
    sampler = Sampler(walker)
    baseline = sampler.at(walker.root)
    if baseline is NOTHING:
        message = f"{operation.key}: no simple valid request was found; look for contradicting rules"
        raise UnsupportedSchema(f"{message} at {walker.root.pointer}")
    builder = _CaseBuilder(contract, operation, walker, sampler, limits.max_case_bytes)
    builder.add(Variant("baseline", baseline, walker.root.pointer), _Place("", "", lambda value: value), "")
    builder.visit(walker.root, baseline, _Place("", "", lambda value: value))
    return VariedRequests(tuple(builder.cases.values()), (*walker.left_out, *builder.left_out))


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the baseline: its name in ids, its pointer, a function that puts another value there, the place where its faults are reported, and whether it may be absent."""

    name: str
    pointer: str
    embed: Callable[[Any], Any]
    reported_at: str | None = None
    may_be_absent: bool = False

    def below(self, key: str | int, embed: Callable[[Any], Any]) -> "_Place":
        return _Place(
            join_pointer(self.name, key),
            join_pointer(self.pointer, key),
            lambda value: self.embed(embed(value)),
            self.reported_at,
        )


class _CaseBuilder:
    """Visits a body place by place and keeps the cases that the validator confirms."""

    def __init__(
        self, contract: Contract, operation: Operation, walker: SchemaWalker, sampler: Sampler, max_bytes: int
    ) -> None:
        self._contract = contract
        self._operation = operation
        self._walker = walker
        self._sampler = sampler
        self._max_bytes = max_bytes
        self._bytes = 0
        self.cases: dict[str, BoundaryCase] = {}
        self.left_out: list[LeftOut] = []

    def add(self, variant: Variant, place: _Place, pointer: str) -> None:
        """Keep a case if the validator confirms it: no fault when valid, faults at its one place only when invalid."""
        identifier = f"{place.name}/{variant.rule}".removeprefix("/")
        if identifier in self.cases or self.left_out:
            return
        body = place.embed(variant.value)
        self._bytes += size_of(body)
        if self._bytes > self._max_bytes:
            self.left_out.append(LeftOut(variant.origin, f"what follows the first {len(self.cases):,} requests"))
            return
        reported_at = pointer if place.reported_at is None else place.reported_at
        findings = self._operation.validate_request(body)
        found = {finding.pointer for finding in findings}
        if variant.valid and not found:
            fault_pointer = pointer
        elif not variant.valid and len(found) == 1 and f"{reported_at}/".startswith(f"{min(found)}/"):
            # A validator may report the object instead of its property: an unknown one where none is known, one without a name.
            fault_pointer = min(found)
        else:
            return
        # A refusal has the evidence for the rules that were broken, an acceptance that for the rule at its boundary.
        known = [finding.evidence for finding in findings] or [self._contract.evidence(variant.origin)]
        evidence = min(known, key=lambda one: one.rank)
        self.cases[identifier] = BoundaryCase(identifier, body, variant.valid, fault_pointer, variant.rule, evidence)

    def visit(self, schema: SchemaView, example: Any, place: _Place) -> None:
        """Add all cases at and below a place that holds ``example`` in the baseline, up to the limit of bytes."""
        if self.left_out:
            return
        views = self._walker.ways(schema)
        for variant in (*type_variants(views, example, self._sampler), *texts_for_numbers(views)):
            self.add(variant, place, place.pointer)
        for variant in empty_values(views) if place.may_be_absent else ():
            self.add(variant, place, place.pointer)
        for number, view in enumerate(views, 1):
            if not view.is_branch:
                self._visit_view(view, example, place)
                continue
            examples = [value for value in self._sampler.of(view) if value is not None] or [None]
            name = join_pointer(place.name, f"alternative-{number}")
            inner = _Place(
                name, place.pointer, place.embed, place.pointer if place.reported_at is None else place.reported_at
            )
            self.add(Variant("valid", examples[0], view.pointer), inner, place.pointer)
            self._visit_view(view, examples[0], inner)

    def _visit_view(self, view: SchemaView, example: Any, place: _Place) -> None:
        options = (*option_variants(view), *wrong_spellings(view))
        numbers = (*number_variants(view, example), *far_numbers(view, example))
        for variant in (*options, *numbers, *text_variants(view, example)):
            self.add(variant, place, place.pointer)
        if view.options is None and is_array(example):
            self._visit_array(view, example, place)
        if view.options is None and is_object(example):
            self._visit_object(view, example, place)

    def _visit_array(self, view: SchemaView, example: list[Any], place: _Place) -> None:
        for variant in length_variants(view, example, self._sampler):
            self.add(variant, place, place.pointer)
        for index in range(min(len(example), len(view.prefix) + 1)):
            self.visit(
                view.item(index),
                example[index],
                place.below(index, partial(_with_item, example, index)),
            )
        if not view.prefix:
            self._add_wrong_items(view, place)

    def _add_wrong_items(self, view: SchemaView, place: _Place) -> None:
        """Add lists of three with a wrong item at the first, the middle and the last place."""
        items = self._sampler.list_of(view, len(_PLACES))
        of_item, first = f"{join_pointer(place.name, 0)}/".removeprefix("/"), join_pointer(place.pointer, 0)
        known = (case for case in self.cases.values() if case.id.startswith(of_item) and case.pointer == first)
        faults = _telling(known)
        for index, where in enumerate(_PLACES if items is not None else ()):
            for fault in faults:
                wrong = resolve_pointer(fault.body, pointer_parts(fault.pointer))
                inner = place.below(index, partial(_with_item, items or [], index))
                named = _Place(place.name, inner.pointer, inner.embed, inner.reported_at)
                self.add(
                    Variant(f"{where}-{fault.rule}", wrong, view.origin("items"), valid=False), named, inner.pointer
                )

    def _visit_object(self, view: SchemaView, example: dict[str, Any], place: _Place) -> None:
        for name in dict.fromkeys((*view.required, *view.properties)):
            is_required = name in view.required
            inner = place.below(name, partial(_with_property, example, name))
            without = {key: value for key, value in example.items() if key != name}
            origin = view.origin("required") if is_required else join_pointer(view.origin("properties"), name)
            missing = _Place(inner.name, inner.pointer, place.embed, place.reported_at)
            self.add(Variant("missing", without, origin, valid=not is_required), missing, inner.pointer)
            if name in example:
                self.visit(view.property(name), example[name], replace(inner, may_be_absent=not is_required))
        self._visit_unknown_property(view, example, place)
        for variant in property_count_variants(view, example, self._sampler):
            self.add(variant, place, place.pointer)

    def _visit_unknown_property(self, view: SchemaView, example: dict[str, Any], place: _Place) -> None:
        name = next(name for name in ("unknown_key", "another_unknown_key", "x") if name not in view.properties)
        origin = view.origin("additionalProperties")
        inner = place.below(name, partial(_with_property, example, name))
        value = self._sampler.at(view.additional)
        if value is NOTHING:
            self.add(Variant("additionalProperties", "text", origin, valid=False), inner, inner.pointer)
            return
        self.add(Variant("additionalProperties", value, origin), inner, inner.pointer)
        if view.additional.roots:
            self.visit(view.additional, value, inner)


def size_of(body: Any) -> int:
    """Return the number of bytes of a body as JSON."""
    try:
        return len(orjson.dumps(body))
    except TypeError:
        return len(json.dumps(body))  # a whole number beyond 64 bits, or a lone surrogate


_PLACES = ("first", "middle", "last")


def _telling(cases: Iterable[BoundaryCase]) -> list[BoundaryCase]:
    """Return up to two wrong items: null, and the first with the right type and a wrong value, as far as they are documented."""
    wrong = [case for case in cases if not case.valid and case.evidence is Evidence.DOCUMENTED]
    of_type = [case for case in wrong if case.rule == "type-null"]
    of_value = [case for case in wrong if not case.rule.startswith("type-") and case.rule.count("empty") == 0]
    return [*of_type[:1], *of_value[:1]]


def double_faults(cases: Sequence[BoundaryCase]) -> list[BoundaryCase]:
    """Return bodies with two faults, made from boundary cases: each property with a fault is wrong beside a neighbour, each time in another way.

    ``pointer`` is the place of the first fault.
    """
    baseline = cases[0].body if cases else None
    if not is_object(baseline):
        return []
    by_property: dict[str, list[BoundaryCase]] = {}
    for case in cases:
        parts = pointer_parts(case.pointer)
        if not case.valid and len(parts) == 1 and case.evidence is Evidence.DOCUMENTED and is_object(case.body):
            by_property.setdefault(parts[0], []).append(case)
    names = list(by_property)
    found: list[BoundaryCase] = []
    neighbours = list(pairwise(names))
    for turn, (name, other) in enumerate(dict.fromkeys((*neighbours[::2], *neighbours[-1:]))):
        one, two = (by_property[key][(turn * 2) % len(by_property[key])] for key in (name, other))
        body = {key: value for key, value in one.body.items() if key != other}
        body |= {other: two.body[other]} if other in two.body else {}
        found.append(BoundaryCase(f"{one.id} and {two.id}", body, False, one.pointer, "two-faults", one.evidence))
    return found


def _with_item(items: list[Any], index: int, value: Any) -> list[Any]:
    return [*items[:index], value, *items[index + 1 :]]


def _with_property(properties: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**properties, name: value}
