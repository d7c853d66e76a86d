"""What breaks, each thing once: refusals put together by rule and place, each with the smallest request that shows it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Finding, is_array, is_object, join_pointer, pointer_parts

from bodydouble_contract_tests._impact_pair import Pair

__all__ = ["Attempt", "Break", "Kind", "accepted", "breaks", "first_place", "kind_of_fault", "shrunk"]

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request body as it was sent, why it was refused (nothing when it was served), and how many requests it stands for."""

    body: Any
    faults: Sequence[Finding] = ()
    count: int = 1


@dataclass(slots=True)
class Break:
    """One rule at one place that refuses what was allowed: each attempt that it refuses, with the first fault of this kind."""

    kind: Kind
    refused: list[tuple[Attempt, Finding]] = field(default_factory=list[tuple[Attempt, Finding]])

    @property
    def rule(self) -> str:
        """The rule as the contract calls it: ``enum``, ``max-items``."""
        return self.kind[0].removeprefix("request-")

    @property
    def pointer(self) -> str:
        """The place in a request."""
        return first_place(self.kind)

    @property
    def count(self) -> int:
        """How many requests are refused for this."""
        return sum(attempt.count for attempt, _ in self.refused)


def breaks(attempts: Iterable[Attempt]) -> list[Break]:
    """The different reasons for which the attempts were refused, in the order in which they were met."""
    found: dict[Kind, Break] = {}
    for attempt in attempts:
        kinds: dict[Kind, Finding] = {}
        for fault in attempt.faults:
            kinds.setdefault(kind_of_fault(fault, attempt.body), fault)
        for kind, fault in kinds.items():
            found.setdefault(kind, Break(kind)).refused.append((attempt, fault))
    return [*found.values()]


def kind_of_fault(fault: Finding, body: Any) -> Kind:
    """The rule, and the place with any index left open (``*``)."""
    value = body
    place = ""
    for part in pointer_parts(fault.pointer):
        place = join_pointer(place, "*" if is_array(value) else part)
        value = _below(value, part)
    return fault.id, place


def first_place(kind: Kind) -> str:
    """The place of a kind of fault, with the first index where any index would do."""
    return "/".join("0" if part == "*" else part for part in kind[1].split("/"))


def _below(value: Any, part: str) -> Any:
    if is_object(value):
        return value.get(part)
    return value[int(part)] if is_array(value) and part.isdecimal() and int(part) < len(value) else None


def shrunk(pair: Pair, kind: Kind, body: Any) -> Any:
    """The body without the properties that the new contract's fault does not need, as long as the old contract allows it."""
    most = len(pair.after.validate_request(body))
    for smaller in _without_each(body):
        faults = pair.after.validate_request(smaller)
        is_same = any(kind_of_fault(fault, smaller) == kind for fault in faults) and len(faults) <= most
        if is_same and pair.was_allowed(pair.restored(smaller)):
            return shrunk(pair, kind, smaller)
    return body


def accepted(pair: Pair, kind: Kind, body: Any) -> Any:
    """The body with no more than the old contract's one fault, as the new contract allows it; None when it does not."""
    own = next(iter(pointer_parts(kind[1])), None)
    faults = pair.after.validate_request(body)
    while faults and is_object(body):
        others = {next(iter(pointer_parts(fault.pointer)), None) for fault in faults} - {own}
        smaller = {name: value for name, value in body.items() if name not in others}
        if len(smaller) == len(body):
            return None
        body, faults = smaller, pair.after.validate_request(smaller)
    return None if faults or not _has_only(pair, kind, body) else _smallest_accepted(pair, kind, body)


def _smallest_accepted(pair: Pair, kind: Kind, body: Any) -> Any:
    for smaller in _without_each(body):
        if not pair.after.validate_request(smaller) and _has_only(pair, kind, smaller):
            return _smallest_accepted(pair, kind, smaller)
    return body


def _has_only(pair: Pair, kind: Kind, body: Any) -> bool:
    faults = pair.before.validate_request(pair.restored(body))
    return [kind_of_fault(fault, body) for fault in faults] == [kind]


def _without_each(body: Any) -> Iterator[dict[str, Any]]:
    for name in body if is_object(body) else ():
        yield {key: value for key, value in body.items() if key != name}
