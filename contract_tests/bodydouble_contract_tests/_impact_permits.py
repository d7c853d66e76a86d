"""What the new contract lets pass that the old one did not, and what it lets pass without heeding it."""

from collections.abc import Iterator

from bodydouble_spec import Finding, Severity, is_object, join_pointer

from bodydouble_contract_tests._impact_breaks import Attempt, Kind, accepted, first_place, kind_of_fault
from bodydouble_contract_tests._impact_client import OurClient
from bodydouble_contract_tests._impact_pair import Pair
from bodydouble_contract_tests._impact_sentences import as_call, as_request, found, reason
from bodydouble_contract_tests._impact_standin import StandIn
from bodydouble_contract_tests._node import identity

__all__ = ["newly_accepted", "without_effect"]


def without_effect(pair: Pair, attempts: list[Attempt], ours: OurClient) -> Iterator[Finding]:
    """Properties that are still accepted, but only because the new contract does not know them."""
    served = [attempt.body for attempt in attempts if not attempt.faults and is_object(attempt.body)]
    for name in dict.fromkeys(name for body in served for name in body):
        pointer = join_pointer("", name)
        if not pair.was_documented(pointer) or pair.is_documented(pointer):
            continue
        body = next(body for body in served if name in body)
        wording = ours.wording
        is_said = wording is not None and wording.argument(name) is not None
        words = as_call(wording, body, pointer) if wording is not None and is_said else as_request(body, pointer)
        message = f"{words} is accepted, but the new contract does not know {name}: it will have no effect"
        yield found(
            "impact-request-ignored",
            Severity.WARNING,
            pointer,
            message,
            pair.before,
            direction="request",
            got=body[name],
            request=body,
        )


def newly_accepted(pair: Pair, standin: StandIn) -> Iterator[Finding]:
    """Requests with one fault under the old contract and none under the new one, each kind of fault once."""
    candidates = [
        *(pair.renamed(case.body) for case in pair.old_cases if not case.valid),
        *(case.body for case in pair.new_cases if case.valid),
    ]
    kinds: set[Kind] = set()
    for candidate in {identity(body): body for body in candidates}.values():
        faults = pair.before.validate_request(pair.restored(candidate))
        for kind in dict.fromkeys(kind_of_fault(fault, candidate) for fault in faults):
            if kind in kinds:
                continue
            body = accepted(pair, kind, candidate)
            if body is None or not _is_meant(pair, kind) or standin.refuses(pair.after, body):
                continue
            kinds.add(kind)
            fault = pair.before.validate_request(pair.restored(body))[0]
            message = f"{as_request(body, fault.pointer)} would now be accepted; it was refused: {_before(fault)}"
            yield found(
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


def _is_meant(pair: Pair, kind: Kind) -> bool:
    """Whether the new contract allows a thing on purpose: it speaks of the place, or it no longer forbids what it does not speak of."""
    return kind[0] == "request-additional-properties" or pair.is_documented(first_place(kind))


def _before(fault: Finding) -> str:
    return reason(fault).replace("allowed are", "allowed were", 1).replace("allowed is", "allowed was", 1)
