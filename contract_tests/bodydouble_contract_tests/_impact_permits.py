"""Requests that the new contract accepts and the old one refused, and properties that it accepts but ignores."""

from collections.abc import Iterator

from bodydouble_spec import Finding, Severity, is_object, join_pointer

from bodydouble_contract_tests._impact_breaks import (
    FaultKind,
    TriedRequest,
    first_place,
    kind_of_fault,
    shrink_accepted,
)
from bodydouble_contract_tests._impact_client import ClientOnBoth
from bodydouble_contract_tests._impact_pair import OperationPair
from bodydouble_contract_tests._impact_sentences import call_text, impact_finding, reason, request_text
from bodydouble_contract_tests._impact_standin import ContractServer
from bodydouble_contract_tests._node import json_key

__all__ = ["ignored_properties", "newly_accepted"]


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
            if kind in kinds:
                continue
            body = shrink_accepted(pair, kind, candidate)
            if body is None or not _is_deliberate(pair, kind) or server.faults_of(pair.after, body):
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
