"""Refusals grouped by rule and place, each with the smallest request that shows it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Finding, is_array, is_object, join_pointer, pointer_parts

from bodydouble_contract_tests.impact.pairing import OperationPair

__all__ = [
    "Break",
    "FaultKind",
    "TriedRequest",
    "first_place",
    "group_refusals",
    "kind_of_fault",
    "shrink",
    "shrink_accepted",
]

FaultKind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TriedRequest:
    """A request body as sent, the faults for which it was refused (none when it was served), and the number of requests that it represents."""

    body: Any
    faults: Sequence[Finding] = ()
    count: int = 1


@dataclass(slots=True)
class Break:
    """One rule at one place that refuses what was allowed: each refused request with its first fault of this kind."""

    kind: FaultKind
    refused: list[tuple[TriedRequest, Finding]] = field(default_factory=list[tuple[TriedRequest, Finding]])

    @property
    def rule(self) -> str:
        """The rule as named by the contract: ``enum``, ``max-items``."""
        return self.kind[0].removeprefix("request-")

    @property
    def pointer(self) -> str:
        """The place in a request."""
        return first_place(self.kind)

    @property
    def count(self) -> int:
        """The number of requests that are refused for it."""
        return sum(tried_request.count for tried_request, _ in self.refused)


def group_refusals(tried_requests: Iterable[TriedRequest]) -> list[Break]:
    """Group the faults of the requests by kind, in order of appearance."""
    found: dict[FaultKind, Break] = {}
    for tried_request in tried_requests:
        kinds: dict[FaultKind, Finding] = {}
        for fault in tried_request.faults:
            kinds.setdefault(kind_of_fault(fault, tried_request.body), fault)
        for kind, fault in kinds.items():
            found.setdefault(kind, Break(kind)).refused.append((tried_request, fault))
    return [*found.values()]


def kind_of_fault(fault: Finding, body: Any) -> FaultKind:
    """Return the rule and the place of a fault, with ``*`` for any index."""
    value = body
    place = ""
    for part in pointer_parts(fault.pointer):
        place = join_pointer(place, "*" if is_array(value) else part)
        value = _below(value, part)
    return fault.id, place


def first_place(kind: FaultKind) -> str:
    """Return the place of a kind of fault, with the first index for any index."""
    return "/".join("0" if part == "*" else part for part in kind[1].split("/"))


def _below(value: Any, part: str) -> Any:
    if is_object(value):
        return value.get(part)
    return value[int(part)] if is_array(value) and part.isdecimal() and int(part) < len(value) else None


def shrink(pair: OperationPair, kind: FaultKind, body: Any) -> Any:
    """Remove the properties that the new contract's fault does not need, as long as the old contract allows the body."""
    most = len(pair.after.validate_request(body))

    def is_same(smaller: Any) -> bool:
        faults = pair.after.validate_request(smaller)
        has_fault = any(kind_of_fault(fault, smaller) == kind for fault in faults) and len(faults) <= most
        return has_fault and pair.was_allowed(pair.restored(smaller))

    return _smallest(body, is_same)


def shrink_accepted(pair: OperationPair, kind: FaultKind, body: Any) -> Any:
    """Return the smallest body that has only this fault under the old contract and none under the new one, or None."""
    own = next(iter(pointer_parts(kind[1])), None)
    faults = pair.after.validate_request(body)
    while faults and is_object(body):
        others = {next(iter(pointer_parts(fault.pointer)), None) for fault in faults} - {own}
        smaller = {name: value for name, value in body.items() if name not in others}
        if len(smaller) == len(body):
            return None
        body, faults = smaller, pair.after.validate_request(smaller)
    if faults or not _has_only(pair, kind, body):
        return None
    return _smallest(body, lambda smaller: not pair.after.validate_request(smaller) and _has_only(pair, kind, smaller))


def _has_only(pair: OperationPair, kind: FaultKind, body: Any) -> bool:
    faults = pair.before.validate_request(pair.restored(body))
    return [kind_of_fault(fault, body) for fault in faults] == [kind]


def _smallest(body: Any, is_enough: Callable[[Any], bool]) -> Any:
    """Remove properties as long as what is left is enough: halves first, since a body may have thousands, then one by one."""
    size = len(body) // 2 if is_object(body) else 0
    while size:
        before, position = len(body), 0
        while position < len(body):
            names = {*[*body][position : position + size]}
            smaller = {name: value for name, value in body.items() if name not in names}
            if is_enough(smaller):
                body = smaller
            else:
                position += size
        # What one removal made possible is found in another round.
        size = size // 2 if size > 1 else int(len(body) < before)
    return body
