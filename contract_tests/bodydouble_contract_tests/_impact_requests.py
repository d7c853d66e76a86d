"""Requests that the old contract allowed, sent to the new one: what is refused now, what has no effect any more, what is newly possible."""

from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Finding, Severity, join_pointer

from bodydouble_contract_tests._claims_stage import Stage
from bodydouble_contract_tests._impact_breaks import Attempt, Break, breaks, kind_of_fault, shrunk
from bodydouble_contract_tests._impact_client import OurClient
from bodydouble_contract_tests._impact_pair import Pair
from bodydouble_contract_tests._impact_permits import newly_accepted, without_effect
from bodydouble_contract_tests._impact_sentences import (
    as_call,
    as_request,
    found,
    listed,
    number_of,
    reason,
    shown,
    value_at,
)
from bodydouble_contract_tests._impact_standin import StandIn
from bodydouble_contract_tests._node import identity

__all__ = ["request_findings"]

_EXAMPLES = 4
_SHORT = 60


def request_findings(pair: Pair, standin: StandIn, ours: OurClient) -> list[Finding]:
    """What the boundary cases of both contracts and the client's calls say about requests."""
    bodies = [*_once(pair.renamed(body) for body in _allowed(pair))]
    stage = ours.on_new(pair.renamed)
    attempts = [
        *ours.attempts(stage),
        *(Attempt(body, tuple(standin.refuses(pair.after, body))) for body in bodies),
    ]
    refused = [_refused(pair, standin, ours, stage, broken, attempts) for broken in breaks(attempts)]
    return [
        *_replaced(pair, standin, ours),
        *(finding for finding in refused if finding is not None),
        *without_effect(pair, attempts, ours),
        *newly_accepted(pair, standin),
    ]


def _allowed(pair: Pair) -> Iterator[Any]:
    """The bodies that the old contract allows: its own valid cases, and those invalid under the new one at a place of which the old one speaks."""
    yield from (case.body for case in pair.old_cases if case.valid)
    for case in pair.new_cases:
        body = pair.restored(case.body)
        if not case.valid and pair.was_documented(case.pointer) and pair.was_allowed(body):
            yield body


def _once(bodies: Iterable[Any]) -> Iterable[Any]:
    return {identity(body): body for body in bodies}.values()


def _replaced(pair: Pair, standin: StandIn, ours: OurClient) -> Iterator[Finding]:
    """What every request meets that goes by the old name."""
    if not pair.identities:
        return
    bodies = [case.body for case in pair.old_cases if case.valid]
    refused = sum(bool(standin.refuses(pair.after, body)) for body in bodies)
    called = ours.attempts(ours.on_new(_as_it_is))
    calls = sum(bool(attempt.faults) for attempt in called)
    tried = [f"{_share(refused, len(bodies), 'request')} that the old contract allowed"]
    tried += [f"{_share(calls, len(called), 'call')} of our client"] if called else []
    every = "every request is refused" if refused == len(bodies) else "requests are refused"
    for item in pair.identities:
        values = listed(map(shown, item.new_values), _EXAMPLES)
        message = (
            f"as sent, {every}: {item.name} is now {values}, no longer {listed(map(shown, item.old_values), _EXAMPLES)} "
            f"(tried: {' and '.join(tried)}); what else breaks was tried with {item.name}={item.new_value!r}"
        )
        yield found(
            "impact-identity-replaced",
            Severity.ERROR,
            join_pointer("", item.name),
            message,
            pair.before,
            direction="request",
            expected=[*item.new_values],
            got=item.old_values[0],
            request=bodies[0] if bodies else None,
        )


def _share(count: int, total: int, noun: str) -> str:
    return f"all {number_of(total, noun)}" if count == total else f"{count} of {number_of(total, noun)}"


def _as_it_is(body: Any) -> Any:
    return body


def _refused(
    pair: Pair, standin: StandIn, ours: OurClient, stage: Stage, broken: Break, attempts: list[Attempt]
) -> Finding | None:
    """One thing that is refused now, by the smallest request that shows it, as a call of the client if it can be one."""
    bodies: dict[str, Any] = {}
    for attempt, fault in broken.refused:
        bodies.setdefault(identity(value_at(attempt.body, fault.pointer)), attempt.body)
    # Short values first: what makes the others long is rarely what they are refused for.
    tried = sorted(bodies, key=lambda text: max(len(text), _SHORT))[: _EXAMPLES + 1]
    examples = [example for text in tried for example in _examples(pair, standin, broken, bodies[text])]
    if not examples:
        return None
    said = [ours.says(stage, body) for body, _ in examples]
    chosen = said.index(True) if True in said else 0
    body, fault = examples[chosen]
    wording = ours.wording if said[chosen] else None
    words = as_request(body, fault.pointer) if wording is None else as_call(wording, body, fault.pointer)
    every = "every " if words == "edit(…)" and len(broken.refused) == len(attempts) else ""
    alike = [example for example, is_said in zip(examples, said, strict=True) if is_said == said[chosen]]
    values = {shown(value_at(one, its.pointer)): None for one, its in alike}
    values.pop(shown(value_at(body, fault.pointer)), None)
    more = f" and {len(bodies) - len(tried)} more" if len(bodies) > len(tried) else ""
    likewise = f"; so will {', '.join(values)}{more}" if values else ""
    return found(
        f"impact-request-refused/{broken.rule}",
        fault.severity,
        broken.pointer,
        f"{every}{words} will be refused: {reason(fault)}{likewise}",
        pair.before,
        direction="request",
        expected=fault.expected,
        got=fault.got,
        request=body,
        evidence=fault.evidence,
        covers=fault.covers,
    )


def _examples(pair: Pair, standin: StandIn, broken: Break, body: Any) -> list[tuple[Any, Finding]]:
    """The smallest body that is refused for the same reason, with that fault; sent, so that it is true."""
    small = shrunk(pair, broken.kind, body)
    faults = standin.refuses(pair.after, small)
    return [(small, fault) for fault in faults if kind_of_fault(fault, small) == broken.kind][:1]
