"""One operation before and after: which belongs to which, what a request is called under each, what each of them documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bodydouble_spec import Contract, Operation, is_object, pointer_parts

from bodydouble_contract_tests._boundary import BoundaryCase, boundary_cases
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._impact_identity import Identity, replaced_identities
from bodydouble_contract_tests._node import Parts
from bodydouble_contract_tests._schemas import Schemas, request_schemas

__all__ = ["Pair", "pair_operations"]


@dataclass(frozen=True)
class Pair:
    """An operation of the old contract and the one of the new contract that took its place."""

    old: Contract
    new: Contract
    before: Operation
    after: Operation

    @cached_property
    def old_cases(self) -> tuple[BoundaryCase, ...]:
        """The boundary cases of the old contract; none when it has no JSON request that could be made."""
        return _cases(self.old, self.before)

    @cached_property
    def new_cases(self) -> tuple[BoundaryCase, ...]:
        """The boundary cases of the new contract; none when it has no JSON request that could be made."""
        return _cases(self.new, self.after)

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """What has to be called something else, or every request is refused."""
        if self._old_schemas is None or self._new_schemas is None:
            return ()
        return replaced_identities(self._old_schemas, self._new_schemas)

    @cached_property
    def _old_schemas(self) -> Schemas | None:
        return _schemas(self.old, self.before)

    @cached_property
    def _new_schemas(self) -> Schemas | None:
        return _schemas(self.new, self.after)

    def was_allowed(self, body: Any) -> bool:
        """Whether the old contract allows a request body."""
        return not self.before.validate_request(body)

    def renamed(self, body: Any) -> Any:
        """A request of the old contract under the new name."""
        for identity in self.identities:
            body = identity.renamed(body)
        return body

    def restored(self, body: Any) -> Any:
        """A request of the new contract under the old name."""
        for identity in self.identities:
            body = identity.restored(body)
        return body

    def completed(self, body: Any) -> Any:
        """A request of the old contract under the new name, with plain values of what the new contract requires and it lacks."""
        baseline = self.new_cases[0].body if self.new_cases else None
        if not is_object(body) or not is_object(baseline) or self._new_schemas is None:
            return self.renamed(body)
        ways = self._new_schemas.nodes(self._new_schemas.root)
        required = {name for way in ways[:1] for name in way.required}
        needed = {name: value for name, value in baseline.items() if name in required}
        return {**needed, **self.renamed(body)}

    def was_documented(self, pointer: str) -> bool:
        """Whether the old contract speaks of that place of a request."""
        schemas = self._old_schemas
        return schemas is not None and _is_documented(schemas, schemas.root, pointer_parts(pointer))

    def is_documented(self, pointer: str) -> bool:
        """Whether the new contract speaks of that place of a request."""
        schemas = self._new_schemas
        return schemas is not None and _is_documented(schemas, schemas.root, pointer_parts(pointer))


def pair_operations(old: Contract, new: Contract) -> tuple[list[Pair], list[Operation]]:
    """The operations of both contracts, and those of the old one that nothing took the place of.

    Operations of one method and path belong together. Of the others of one method those do that share an operationId, and the one that is
    left on each side.
    """
    there = {operation.key: operation for operation in new.operations}
    gone = [operation for operation in old.operations if operation.key not in there]
    known = {operation.key for operation in old.operations}
    added = [operation for operation in new.operations if operation.key not in known]
    pairs = [Pair(old, new, item, there[item.key]) for item in old.operations if item.key in there]
    lost: list[Operation] = []
    for operation in gone:
        successor = _successor(operation, gone, added)
        if successor is None:
            lost.append(operation)
        else:
            pairs.append(Pair(old, new, operation, successor))
    return pairs, lost


def _successor(operation: Operation, gone: Sequence[Operation], added: Sequence[Operation]) -> Operation | None:
    alike = [other for other in added if other.method == operation.method]
    if len(gone) == 1 and len(alike) == 1:
        return alike[0]
    name = operation.operation_id
    return next((other for other in alike if name is not None and other.operation_id == name), None)


def _cases(contract: Contract, operation: Operation) -> tuple[BoundaryCase, ...]:
    try:
        return boundary_cases(contract, operation)
    except UnsupportedSchema:
        return ()


def _schemas(contract: Contract, operation: Operation) -> Schemas | None:
    try:
        return request_schemas(contract, operation)
    except UnsupportedSchema:
        return None


def _is_documented(schemas: Schemas, parts: Parts, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    first, rest = keys[0], keys[1:]
    for node in schemas.nodes(parts):
        below = node.properties.get(first)
        if below is None and first.isdecimal() and "array" in node.types:
            below = node.parts_at(int(first))
        if below is not None and _is_documented(schemas, below, rest):
            return True
    return False
