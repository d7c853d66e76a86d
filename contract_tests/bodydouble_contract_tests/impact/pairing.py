"""Pairs of an old and a new operation: their boundary cases, the translation between their requests, and what each documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from bodydouble_spec import Contract, Operation, is_object, pointer_parts
from bodydouble_spec.schema import SchemaView, json_key

from bodydouble_contract_tests.errors import TooLarge, UnsupportedSchema
from bodydouble_contract_tests.impact.terms import OperationTerms
from bodydouble_contract_tests.schema import LeftOut, SchemaWalker, places, response_walkers, whole_request_walker
from bodydouble_contract_tests.strategies import BoundaryCase, VariedRequests, vary_requests

__all__ = ["OperationPair", "pair_operations"]


@dataclass(frozen=True, slots=True)
class ReplacedProperty:
    """A required property that allowed only ``old_values`` and now allows none of them, but ``new_value`` and others."""

    name: str
    old_values: tuple[Any, ...]
    new_value: Any
    new_values: tuple[Any, ...]

    def renamed(self, body: Any) -> Any:
        """Return the body with an old value replaced by the new one."""
        return self._replaced(body, self.old_values, self.new_value)

    def restored(self, body: Any) -> Any:
        """Return the body with a new value replaced by an old one."""
        return self._replaced(body, self.new_values, self.old_values[0])

    def _replaced(self, body: Any, values: tuple[Any, ...], value: Any) -> Any:
        if not is_object(body) or self.name not in body:
            return body
        is_one = json_key(body[self.name]) in {json_key(one) for one in values}
        return {**body, self.name: value} if is_one else body


def find_replaced_properties(old: SchemaWalker, new: SchemaWalker) -> tuple[ReplacedProperty, ...]:
    """Return the properties that every old request needs and whose old values the new contract all refuses."""
    views = old.ways(old.root)
    before = _options(
        old, {name for view in views[:1] for name in view.required if all(name in view.required for view in views)}
    )
    after = _options(new, before)
    found: list[ReplacedProperty] = []
    for name, values in before.items():
        others = after.get(name, {})
        if others and not values.keys() & others.keys():
            found.append(
                ReplacedProperty(name, tuple(values.values()), _nearest(values, others), tuple(others.values()))
            )
    return tuple(found)


def _options(walker: SchemaWalker, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the only values allowed for each of some top properties, by their JSON text, where every view lists them."""
    views = walker.ways(walker.root)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        property_views = [inner for view in views for inner in walker.ways(view.property(name))]
        if property_views and all(inner.options is not None for inner in property_views):
            found[name] = {json_key(value): value for inner in property_views for value in inner.options or ()}
    return found


def _nearest(old: dict[str, Any], new: dict[str, Any]) -> Any:
    """Return the new value that is most similar to an old one."""
    best = get_close_matches(next(iter(old), ""), [*new], n=1, cutoff=0.0)
    return new[best[0]] if best else next(iter(new.values()))


@dataclass(frozen=True)
class OperationPair:
    """An operation of the old contract and its successor in the new one."""

    old: Contract
    new: Contract
    before: Operation
    after: Operation

    @cached_property
    def old_cases(self) -> tuple[BoundaryCase, ...]:
        """The boundary cases of the old contract; none when it has no JSON request that can be made."""
        return self._old_requests.cases

    @cached_property
    def new_cases(self) -> tuple[BoundaryCase, ...]:
        """The boundary cases of the new contract; none when it has no JSON request that can be made."""
        return self._new_requests.cases

    @property
    def left_out(self) -> dict[str, Sequence[LeftOut]]:
        """The parts of the old and of the new contract that no case varies, because there is too much."""
        return {"old": self._old_requests.left_out, "new": self._new_requests.left_out}

    @cached_property
    def _old_requests(self) -> VariedRequests:
        return _varied(self.old, self.before)

    @cached_property
    def _new_requests(self) -> VariedRequests:
        return _varied(self.new, self.after)

    @cached_property
    def replaced_properties(self) -> tuple[ReplacedProperty, ...]:
        """The properties that must get a new value, or every request is refused."""
        if self._old_walker is None or self._new_walker is None:
            return ()
        return find_replaced_properties(self._old_walker, self._new_walker)

    @cached_property
    def _old_walker(self) -> SchemaWalker | None:
        return _walker(self.old, self.before)

    @cached_property
    def _new_walker(self) -> SchemaWalker | None:
        return _walker(self.new, self.after)

    @cached_property
    def old_terms(self) -> OperationTerms:
        """The terms of the old operation beyond the body of a request."""
        return OperationTerms(self.old, self.before)

    @cached_property
    def new_terms(self) -> OperationTerms:
        """The terms of the new operation beyond the body of a request."""
        return OperationTerms(self.new, self.after)

    @cached_property
    def changed_defaults(self) -> dict[str, tuple[Any, Any]]:
        """The old and the new default of each top property that both contracts document and that is not required, where they differ."""
        old, new = (_defaults(walker) for walker in (self._old_walker, self._new_walker))
        both = [name for name in old if name in new]
        return {name: (old[name], new[name]) for name in both if json_key([old[name]]) != json_key([new[name]])}

    @cached_property
    def dropped_places(self) -> frozenset[tuple[str, ...]]:
        """The places of a success body that the old document has and the new one lacks, whatever an overlay says; ``*`` is any item."""
        return _published_places(self.old, self.before) - _published_places(self.new, self.after)

    def was_allowed(self, body: Any) -> bool:
        """Tell whether the old contract allows a request body."""
        return not self.before.validate_request(body)

    def renamed(self, body: Any) -> Any:
        """Return a request of the old contract with the new values of replaced properties."""
        for replaced in self.replaced_properties:
            body = replaced.renamed(body)
        return body

    def restored(self, body: Any) -> Any:
        """Return a request of the new contract with the old values of replaced properties."""
        for replaced in self.replaced_properties:
            body = replaced.restored(body)
        return body

    def completed(self, body: Any) -> Any:
        """Return a renamed request with simple values for the missing properties that the new contract requires."""
        baseline = self.new_cases[0].body if self.new_cases else None
        if not is_object(body) or not is_object(baseline) or self._new_walker is None:
            return self.renamed(body)
        views = self._new_walker.ways(self._new_walker.root)
        required = {name for view in views[:1] for name in view.required}
        needed = {name: value for name, value in baseline.items() if name in required}
        return {**needed, **self.renamed(body)}

    def was_documented(self, pointer: str) -> bool:
        """Tell whether the old contract documents a place of a request."""
        walker = self._old_walker
        return walker is not None and _is_documented(walker, walker.root, pointer_parts(pointer))

    def is_documented(self, pointer: str) -> bool:
        """Tell whether the new contract documents a place of a request."""
        walker = self._new_walker
        return walker is not None and _is_documented(walker, walker.root, pointer_parts(pointer))


def pair_operations(old: Contract, new: Contract) -> tuple[list[OperationPair], list[Operation]]:
    """Return the pairs of both contracts' operations, and the old operations without a successor.

    Operations with the same method and path are paired. Of the others, those with the same method and operationId are paired, and those that
    are the only ones left on both sides with the same method.
    """
    there = {operation.key: operation for operation in new.operations}
    gone = [operation for operation in old.operations if operation.key not in there]
    known = {operation.key for operation in old.operations}
    added = [operation for operation in new.operations if operation.key not in known]
    pairs = [OperationPair(old, new, item, there[item.key]) for item in old.operations if item.key in there]
    without_successor: list[Operation] = []
    for operation in gone:
        successor = _successor(operation, gone, added)
        if successor is None:
            without_successor.append(operation)
        else:
            pairs.append(OperationPair(old, new, operation, successor))
    return pairs, without_successor


def _successor(operation: Operation, gone: Sequence[Operation], added: Sequence[Operation]) -> Operation | None:
    alike = [other for other in added if other.method == operation.method]
    if len(gone) == 1 and len(alike) == 1:
        return alike[0]
    name = operation.operation_id
    return next((other for other in alike if name is not None and other.operation_id == name), None)


def _varied(contract: Contract, operation: Operation) -> VariedRequests:
    try:
        return vary_requests(contract, operation)
    except TooLarge as error:
        return VariedRequests((), (LeftOut("", f"all, since {error}"),))
    except UnsupportedSchema:
        return VariedRequests(())


def _defaults(walker: SchemaWalker | None) -> dict[str, Any]:
    """Return the default of each optional top property; None where it has none."""
    views = () if walker is None else walker.root.ways
    return {
        name: next(iter(place.values("default")), None)
        for view in views
        for name, place in view.properties.items()
        if name not in view.required
    }


def _published_places(contract: Contract, operation: Operation) -> frozenset[tuple[str, ...]]:
    published = Contract.load(dict(contract.published), overlay=None)
    alone = next((other for other in published.operations if other.key == operation.key), None)
    if alone is None or alone.response(alone.success_status) is None:
        return frozenset()
    walkers = response_walkers(published, alone, alone.success_status).values()
    return frozenset(path for walker in walkers if walker is not None for path, _ in places(walker.root))


def _walker(contract: Contract, operation: Operation) -> SchemaWalker | None:
    try:
        return whole_request_walker(contract, operation)
    except UnsupportedSchema:
        return None


def _is_documented(walker: SchemaWalker, place: SchemaView, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    first, rest = keys[0], keys[1:]
    for view in walker.ways(place):
        below = view.properties.get(first)
        if below is None and first.isdecimal() and "array" in view.types:
            below = view.item(int(first))
        if below is not None and _is_documented(walker, below, rest):
            return True
    return False
