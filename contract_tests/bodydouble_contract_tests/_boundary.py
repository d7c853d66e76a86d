"""The boundary cases of a request body: deterministic, complete, one fault each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bodydouble_spec import Contract, Evidence, Operation, is_array, is_object, join_pointer

from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._leaf_cases import Variant, number_variants, text_variants
from bodydouble_contract_tests._node import Node, Parts
from bodydouble_contract_tests._plain import NOTHING, Plain
from bodydouble_contract_tests._schemas import Schemas, request_schemas
from bodydouble_contract_tests._structure_cases import (
    length_variants,
    option_variants,
    property_count_variants,
    type_variants,
)

__all__ = ["BoundaryCase", "boundary_cases"]


@dataclass(frozen=True, slots=True)
class BoundaryCase:
    """One body at a boundary of the contract.

    ``id`` names place and rule (``num_images/maximum+1``) and stays the same as long as the contract does. ``pointer`` is the place in
    ``body`` where the one fault is reported, or that is varied in a valid case; ``rule`` the last part of the id, and
    ``evidence`` how the rule is known.
    """

    id: str
    body: Any
    valid: bool
    pointer: str
    rule: str
    evidence: Evidence


def boundary_cases(contract: Contract, operation: Operation | None = None) -> tuple[BoundaryCase, ...]:
    """Every boundary of the operation's request body (the only operation when none is given), the same cases every time.

    A valid ``baseline`` with every documented property, and for each place in it: each required property missing (invalid) and each
    optional one missing (valid), each wrong JSON type, each value of an enum and one outside, each bound exactly and one step
    beyond, lengths and counts likewise, each alternative of a pattern and several texts outside, known values in several letter
    cases, unknown properties. An invalid case has exactly one fault. Left out is what cannot be isolated: a case whose one fault the
    contract's other rules hide or join, lengths beyond a million characters and lists beyond ten thousand items.

    Raises UnsupportedSchema when the operation takes no JSON body or no valid one is found.
    """
    operation = operation or contract.operation()
    schemas = request_schemas(contract, operation)
    walk = _Walk(contract, operation, schemas)
    baseline = walk.plain.at(schemas.root)
    if baseline is NOTHING:
        message = f"{operation.key}: no plain valid request was found; look for rules that contradict each other"
        raise UnsupportedSchema(f"{message} at {schemas.root[0].pointer}")
    walk.add(Variant("baseline", baseline, schemas.root[0].pointer), _Site("", "", lambda value: value), "")
    walk.visit(schemas.root, baseline, _Site("", "", lambda value: value))
    return tuple(walk.cases.values())


@dataclass(frozen=True, slots=True)
class _Site:
    """A place in the baseline: its name in ids, its pointer, the whole body with another value there, and where faults are reported."""

    name: str
    pointer: str
    embed: Callable[[Any], Any]
    reported_at: str | None = None

    def below(self, key: str | int, embed: Callable[[Any], Any]) -> "_Site":
        return _Site(
            join_pointer(self.name, key),
            join_pointer(self.pointer, key),
            lambda value: self.embed(embed(value)),
            self.reported_at,
        )


class _Walk:
    """Goes through a body place by place and keeps the cases whose verdict is the one that they claim."""

    def __init__(self, contract: Contract, operation: Operation, schemas: Schemas) -> None:
        self._contract = contract
        self._operation = operation
        self._schemas = schemas
        self.plain = Plain(schemas)
        self.cases: dict[str, BoundaryCase] = {}

    def add(self, variant: Variant, site: _Site, pointer: str) -> None:
        """Keep a case if it is what it claims to be: valid, or with faults at its one place only."""
        identifier = f"{site.name}/{variant.rule}".removeprefix("/")
        if identifier in self.cases:
            return
        body = site.embed(variant.value)
        reported_at = pointer if site.reported_at is None else site.reported_at
        found = {finding.pointer for finding in self._operation.validate_request(body)}
        if variant.valid and not found:
            where = pointer
        elif not variant.valid and len(found) == 1 and f"{reported_at}/".startswith(f"{min(found)}/"):
            # A validator may report an object for one of its properties: an unknown one where none is known, one without a name.
            where = min(found)
        else:
            return
        evidence = self._contract.evidence(variant.origin)
        self.cases[identifier] = BoundaryCase(identifier, body, variant.valid, where, variant.rule, evidence)

    def visit(self, parts: Parts, example: Any, site: _Site) -> None:
        """All cases at and below a place that holds ``example`` in the baseline."""
        nodes = self._schemas.nodes(parts)
        for variant in type_variants(nodes, parts, example, self.plain):
            self.add(variant, site, site.pointer)
        for number, node in enumerate(nodes, 1):
            if not node.is_branch:
                self._node(node, parts, example, site)
                continue
            examples = [value for value in self.plain.of(node, parts) if value is not None] or [None]
            name = join_pointer(site.name, f"alternative-{number}")
            inner = _Site(
                name, site.pointer, site.embed, site.pointer if site.reported_at is None else site.reported_at
            )
            self.add(Variant("valid", examples[0], node.pointer), inner, site.pointer)
            self._node(node, parts, examples[0], inner)

    def _node(self, node: Node, parts: Parts, example: Any, site: _Site) -> None:
        for variant in (*option_variants(node), *number_variants(node, example), *text_variants(node, example)):
            self.add(variant, site, site.pointer)
        if node.options is None and is_array(example):
            self._array(node, example, site)
        if node.options is None and is_object(example):
            self._object(node, example, site)

    def _array(self, node: Node, example: list[Any], site: _Site) -> None:
        for variant in length_variants(node, example, self.plain):
            self.add(variant, site, site.pointer)
        for index in range(min(len(example), len(node.prefix) + 1)):
            self.visit(
                node.parts_at(index),
                example[index],
                site.below(index, partial(_with_item, example, index)),
            )

    def _object(self, node: Node, example: dict[str, Any], site: _Site) -> None:
        for name in dict.fromkeys((*node.required, *node.properties)):
            is_required = name in node.required
            inner = site.below(name, partial(_with_property, example, name))
            without = {key: value for key, value in example.items() if key != name}
            origin = node.origin("required") if is_required else join_pointer(node.origin("properties"), name)
            missing = _Site(inner.name, inner.pointer, site.embed, site.reported_at)
            self.add(Variant("missing", without, origin, valid=not is_required), missing, inner.pointer)
            if name in example:
                self.visit(node.parts_of(name), example[name], inner)
        self._unknown(node, example, site)
        for variant in property_count_variants(node, example, self.plain):
            self.add(variant, site, site.pointer)

    def _unknown(self, node: Node, example: dict[str, Any], site: _Site) -> None:
        name = next(name for name in ("unknown_key", "another_unknown_key", "x") if name not in node.properties)
        origin = node.origin("additionalProperties")
        inner = site.below(name, partial(_with_property, example, name))
        value = self.plain.at(node.additional)
        if value is NOTHING:
            self.add(Variant("additionalProperties", "text", origin, valid=False), inner, inner.pointer)
            return
        self.add(Variant("additionalProperties", value, origin), inner, inner.pointer)
        if node.additional:
            self.visit(node.additional, value, inner)


def _with_item(items: list[Any], index: int, value: Any) -> list[Any]:
    return [*items[:index], value, *items[index + 1 :]]


def _with_property(properties: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**properties, name: value}
