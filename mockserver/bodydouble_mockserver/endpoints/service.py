"""The endpoints of the contracts that one server stands in for, and the routes that lead to them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bodydouble_spec import Contract, Evidence, Operation, Redactor, vendored
from bodydouble_spec.schema import SchemaEvidence, SchemaValidator
from bodydouble_spec.values import template_of

from bodydouble_mockserver.answer import (
    RefusalWriter,
    SuccessWriter,
    check_answerable,
    exposed_headers,
    is_of_the_vendor,
)
from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.endpoints.dispatch import Choice, IndistinguishableOperations
from bodydouble_mockserver.endpoints.foreign import ForeignEndpoint
from bodydouble_mockserver.endpoints.operation import ChoosingEndpoint, OperationEndpoint, UnknownValueEndpoint
from bodydouble_mockserver.endpoints.parts import SharedParts
from bodydouble_mockserver.request import contract_limits, operation_limits
from bodydouble_mockserver.scripting import ScriptTarget

__all__ = ["Endpoint", "Service", "names_of"]

# The bodies of the first operation and of at most so many more, whose schemas have so many bytes together, are prepared at start-up.
_MAX_PREPARED, _MAX_PREPARED_BYTES = 100, 1_000_000
Endpoint = OperationEndpoint | ChoosingEndpoint


def names_of(contracts: Sequence[Contract]) -> list[str | None]:
    """Return the names of contracts for journal, findings and scripts; None for the vendored contract when it is the only one."""
    named = [Redactor().text(contract.source) for contract in contracts]
    return [None] if len(contracts) == 1 and contracts[0].is_vendored else [*named]


class Service:
    """The endpoints of some contracts: ``literal`` by path and method, ``templated`` by path template.

    ``targets`` are the operations that can be scripted, ``exposed`` is the header that lets pages read the headers of an answer, and ``notices`` are
    the limits of the answers, one sentence each. Raises ValueError for a contract that cannot be served, and for two contracts with
    operations that no request tells apart.
    """

    def __init__(self, contracts: Sequence[Contract], parts: SharedParts) -> None:
        self.contracts = tuple(contracts)
        self.is_vendor = any(map(is_of_the_vendor, contracts))
        self.refusals = RefusalWriter(None, is_vendor=self.is_vendor)
        self.foreign = ForeignEndpoint(self.refusals, self.contracts, parts)
        self.targets: list[ScriptTarget] = []
        self.literal: dict[str, dict[str, Endpoint]] = {}
        self.templated: list[tuple[str, str, Endpoint]] = []
        self.exposed = exposed_headers(contracts)
        self._parts = parts
        routes: dict[tuple[str, str], list[_Candidate]] = {}
        for number, (contract, name) in enumerate(zip(contracts, names_of(contracts), strict=True)):
            for endpoint in self._endpoints(contract, name):
                for path in _spellings(endpoint.operation.path):
                    is_exact = path == endpoint.operation.path
                    candidate = _Candidate(endpoint, number, name, is_exact)
                    routes.setdefault((template_of(path), endpoint.operation.method), []).append(candidate)
        choosing: dict[tuple[int, ...], Endpoint] = {}
        for (path, method), candidates in routes.items():
            chosen = _best_of_each(candidates)
            key = tuple(id(candidate.endpoint) for candidate in chosen)
            if key not in choosing:
                choosing[key] = self._choosing(chosen)
            if "{}" in path:
                self.templated.append((path, method, choosing[key]))
            else:
                self.literal.setdefault(path, {})[method] = choosing[key]
        self.notices = [*dict.fromkeys(self._prepare())]

    def find(self, scope: Scope) -> Endpoint | None:
        """Return the endpoint of the operation that a request is for, with the parameters of its path in the scope; None for another route."""
        method, path = scope["method"], scope["path"]
        literal = self.literal.get(path, {}).get(method)
        if literal is not None:
            return literal
        for template, of_method, endpoint in self.templated:
            if method == of_method:
                found = re.fullmatch("([^/]+)".join(map(re.escape, template.split("{}"))), path)
                if found is not None:
                    scope["path_params"] = {f"p{index}": value for index, value in enumerate(found.groups())}
                    return endpoint
        return None

    def _prepare(self) -> Iterator[str]:
        """Prepare the bodies of operations, as many as take little time, and yield the limits of their answers."""
        for contract in self.contracts:
            yield from contract_limits(contract)
        size = 0
        for index, target in enumerate(self.targets):
            yield from operation_limits(target.operation)
            size += target.writer.size
            if index and (index >= _MAX_PREPARED or size > _MAX_PREPARED_BYTES):
                rest = len(self.targets) - index
                yield f"{rest} more operation{'s are' if rest > 1 else ' is'} prepared at their first call; limits of their answers are logged then"
                return
            # The README says which dialects the vendored contract does not allow.
            yield from target.writer.prepare(names_dialects=target.contract not in (None, vendored.NAME))

    def _endpoints(self, contract: Contract, name: str | None) -> Iterator[OperationEndpoint]:
        parts = self._parts
        is_vendor = is_of_the_vendor(contract)
        check_answerable(contract)
        for operation in contract.operations:
            writer = SuccessWriter(operation, parts.settings, parts.gallery, is_vendor=is_vendor)
            refusals = RefusalWriter(operation, is_vendor=is_vendor)
            self.targets.append(ScriptTarget(operation, writer, name))
            yield OperationEndpoint(operation, writer, refusals, parts, name)

    def _choosing(self, candidates: Sequence["_Candidate"]) -> Endpoint:
        """Return the endpoint of some operations, one of each contract; those with exactly this path win where nothing else decides."""
        if len(candidates) == 1:
            return candidates[0].endpoint
        try:
            choice = Choice([candidate.endpoint.operation for candidate in candidates])
        except IndistinguishableOperations as error:
            exact = [candidate for candidate in candidates if candidate.is_exact]
            if exact and len(exact) < len(candidates):
                return self._choosing(exact)
            one, other = candidates[error.first], candidates[error.second]
            raise ValueError(
                f"{one.name} and {other.name} both have {one.endpoint.operation.key}, and requests for them cannot be distinguished: "
                f"{error.reason}; serve one of them, or give one property of both (such as model) different values"
            ) from None
        first = candidates[0].endpoint
        unknown = UnknownValueEndpoint(_refusing(first.operation, choice), first.writer, first.refusals, self._parts)
        return ChoosingEndpoint(choice, [candidate.endpoint for candidate in candidates], unknown, self._parts)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An endpoint for a route, the number and name of its contract, and whether the path is spelt as in the contract."""

    endpoint: OperationEndpoint
    number: int
    name: str | None
    is_exact: bool


def _best_of_each(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return one candidate of each contract, with the path as it is spelt there if there is one."""
    best: dict[int, _Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.number)
        if known is None or (candidate.is_exact and not known.is_exact):
            best[candidate.number] = candidate
    return [*best.values()]


def _refusing(operation: Operation, choice: Choice) -> Operation:
    """Return an operation that refuses every request for which nothing can be chosen, with all known values."""
    evidence = SchemaEvidence({}, "", lambda _pointer: Evidence.DOCUMENTED)
    validator = SchemaValidator(choice.schema, "request", operation.key, evidence)
    bodies = dict.fromkeys(operation.request_bodies, validator)
    return replace(operation, request=validator, request_bodies=bodies, request_required=True)


def _spellings(path: str) -> list[str]:
    """Return the paths of an operation: under both official base URLs, with and without a trailing slash."""
    bare = path.rstrip("/") or "/"
    both = [bare, bare.removeprefix("/v1")] if bare.startswith("/v1/") else [bare]
    return [spelling for item in both for spelling in (item, f"{item}/")]
