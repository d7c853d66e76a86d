"""Requests that the old contract allows, sent to the new one: refused, ignored and newly accepted."""

from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Finding, Severity, is_object, join_pointer
from bodydouble_spec.schema import json_key

from bodydouble_contract_tests.claims import Harness
from bodydouble_contract_tests.impact.breaks import (
    Break,
    FaultKind,
    TriedRequest,
    first_place,
    group_refusals,
    kind_of_fault,
    shrink,
    shrink_accepted,
)
from bodydouble_contract_tests.impact.client import ClientOnBoth, ContractServer
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.wording import (
    as_code,
    call_text,
    counted,
    impact_finding,
    joined,
    reason,
    request_text,
    value_at,
)

__all__ = ["request_findings"]


def ignored_properties(
    pair: OperationPair, tried_requests: list[TriedRequest], client: ClientOnBoth
) -> Iterator[Finding]:
    """Yield a finding for each property that is accepted only because the new contract does not document it."""
    served = [
        tried_request.body
        for tried_request in tried_requests
        if not tried_request.faults and is_object(tried_request.body)
    ]
    for name in dict.fromkeys(name for body in served for name in body):
        pointer = join_pointer("", name)
        if not pair.was_documented(pointer) or pair.is_documented(pointer):
            continue
        body = next(body for body in served if name in body)
        argument_map = client.argument_map
        has_argument = argument_map is not None and argument_map.argument(name) is not None
        words = (
            call_text(argument_map, body, pointer)
            if argument_map is not None and has_argument
            else request_text(body, pointer)
        )
        message = f"{words} is accepted, but the new contract does not document {name}: it will have no effect"
        yield impact_finding(
            "impact-request-ignored",
            Severity.WARNING,
            pointer,
            message,
            pair.before,
            direction="request",
            got=body[name],
            request=body,
        )


def newly_accepted(pair: OperationPair, server: ContractServer) -> Iterator[Finding]:
    """Yield a finding for each kind of fault under the old contract that the new one accepts."""
    candidates = [
        *(pair.renamed(case.body) for case in pair.old_cases if not case.valid),
        *(case.body for case in pair.new_cases if case.valid),
    ]
    kinds: set[FaultKind] = set()
    for candidate in {json_key(body): body for body in candidates}.values():
        faults = pair.before.validate_request(pair.restored(candidate))
        for kind in dict.fromkeys(kind_of_fault(fault, candidate) for fault in faults):
            if kind in kinds or not _is_deliberate(pair, kind):
                continue
            body = shrink_accepted(pair, kind, candidate)
            if body is None or server.faults_of(pair.after, body):
                continue
            kinds.add(kind)
            fault = pair.before.validate_request(pair.restored(body))[0]
            message = f"{request_text(body, fault.pointer)} would now be accepted; the old contract refuses it: {_former_reason(fault)}"
            yield impact_finding(
                f"impact-request-accepted/{kind[0].removeprefix('request-')}",
                Severity.INFO,
                first_place(kind),
                message,
                pair.before,
                direction="request",
                expected=fault.expected,
                got=fault.got,
                request=body,
            )


def _is_deliberate(pair: OperationPair, kind: FaultKind) -> bool:
    """Tell whether the new contract allows it on purpose: the place is documented, or unknown properties are no longer forbidden."""
    return kind[0] == "request-additional-properties" or pair.is_documented(first_place(kind))


def _former_reason(fault: Finding) -> str:
    return reason(fault).replace("allowed are", "allowed were", 1).replace("allowed is", "allowed was", 1)


_EXAMPLES = 4
_SHORT = 60


def request_findings(pair: OperationPair, server: ContractServer, client: ClientOnBoth) -> list[Finding]:
    """Return the findings about requests, from the boundary cases of both contracts and the client's calls."""
    bodies = [*_once(pair.renamed(body) for body in _allowed(pair))]
    harness = client.on_new(pair.renamed)
    tried_requests = [
        *client.tried_requests(harness),
        *(TriedRequest(body, tuple(server.faults_of(pair.after, body))) for body in bodies),
    ]
    refused = [
        _refused(pair, server, client, harness, broken, tried_requests) for broken in group_refusals(tried_requests)
    ]
    return [
        *_replaced(pair, server, client),
        *(finding for finding in refused if finding is not None),
        *ignored_properties(pair, tried_requests, client),
        *newly_accepted(pair, server),
    ]


def _allowed(pair: OperationPair) -> Iterator[Any]:
    """Yield bodies that the old contract allows: its valid cases, and the new contract's invalid cases at places that the old one documents."""
    yield from (case.body for case in pair.old_cases if case.valid)
    for case in pair.new_cases:
        body = pair.restored(case.body)
        if not case.valid and pair.was_documented(case.pointer) and pair.was_allowed(body):
            yield body


def _once(bodies: Iterable[Any]) -> Iterable[Any]:
    return {json_key(body): body for body in bodies}.values()


def _replaced(pair: OperationPair, server: ContractServer, client: ClientOnBoth) -> Iterator[Finding]:
    """Yield a finding for each replaced property, with the number of requests that are refused as sent."""
    if not pair.replaced_properties:
        return
    bodies = [case.body for case in pair.old_cases if case.valid]
    refused = sum(bool(server.faults_of(pair.after, body)) for body in bodies)
    called = client.tried_requests(client.on_new(_unchanged))
    calls = sum(bool(tried_request.faults) for tried_request in called)
    tried = [f"{_share(refused, len(bodies), 'request')} that the old contract allowed"]
    tried += [f"{_share(calls, len(called), 'call')} of the bodydouble client"] if called else []
    every = "every request is refused" if refused == len(bodies) else "requests are refused"
    for item in pair.replaced_properties:
        values = joined(map(as_code, item.new_values), _EXAMPLES)
        message = (
            f"as sent, {every}: {item.name} is now {values}, no longer {joined(map(as_code, item.old_values), _EXAMPLES)} "
            f"(tried: {' and '.join(tried)}); everything else was tried with {item.name}={item.new_value!r}"
        )
        yield impact_finding(
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
    return f"all {counted(total, noun)}" if count == total else f"{count} of {counted(total, noun)}"


def _unchanged(body: Any) -> Any:
    return body


def _refused(
    pair: OperationPair,
    server: ContractServer,
    client: ClientOnBoth,
    harness: Harness,
    broken: Break,
    tried_requests: list[TriedRequest],
) -> Finding | None:
    """Return the finding for one break, shown by the smallest request, as a call of the client where possible."""
    bodies: dict[str, Any] = {}
    for tried_request, fault in broken.refused:
        bodies.setdefault(json_key(value_at(tried_request.body, fault.pointer)), tried_request.body)
    # Short values first: the length of a value is rarely the reason of its refusal.
    tried = sorted(bodies, key=lambda text: max(len(text), _SHORT))[: _EXAMPLES + 1]
    examples = [example for text in tried for example in _examples(pair, server, broken, bodies[text])]
    if not examples:
        return None
    sendable = [client.sends_and_is_refused(harness, body) for body, _ in examples]
    chosen = sendable.index(True) if True in sendable else 0
    body, fault = examples[chosen]
    argument_map = client.argument_map if sendable[chosen] else None
    words = request_text(body, fault.pointer) if argument_map is None else call_text(argument_map, body, fault.pointer)
    every = "every " if words == "edit(…)" and len(broken.refused) == len(tried_requests) else ""
    similar = [
        example for example, is_sendable in zip(examples, sendable, strict=True) if is_sendable == sendable[chosen]
    ]
    values = {as_code(value_at(one, its.pointer)): None for one, its in similar}
    values.pop(as_code(value_at(body, fault.pointer)), None)
    more = f" and {len(bodies) - len(tried)} more" if len(bodies) > len(tried) else ""
    others_text = f"; likewise {', '.join(values)}{more}" if values else ""
    return impact_finding(
        f"impact-request-refused/{broken.rule}",
        fault.severity,
        broken.pointer,
        f"{every}{words} will be refused: {reason(fault)}{others_text}",
        pair.before,
        direction="request",
        expected=fault.expected,
        got=fault.got,
        request=body,
        evidence=fault.evidence,
        covers=fault.covers,
    )


def _examples(pair: OperationPair, server: ContractServer, broken: Break, body: Any) -> list[tuple[Any, Finding]]:
    """Return the smallest body that is refused for the same reason, with its fault. It is sent, to be sure."""
    small = shrink(pair, broken.kind, body)
    faults = server.faults_of(pair.after, small)
    return [(small, fault) for fault in faults if kind_of_fault(fault, small) == broken.kind][:1]
