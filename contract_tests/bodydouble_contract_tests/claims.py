"""What is claimed of the client, of the mock server and of the two together: plain functions that return what speaks against a claim.

An `Encounter` is one call through a client and what came of it; a `Stage` makes it, in process or over a port. The claims only look at it,
so they run in tests, in commands, and over whatever recorded an encounter elsewhere::

    contract = Contract.load()
    with Stage(Witness(contract)) as stage:
        findings = claim_request_arrives_conforming(stage.meet(call), Judge(contract))
"""

from bodydouble_client import (
    ArgumentError,
    BadRequest,
    BodydoubleError,
    DownloadError,
    EditResult,
    StatusError,
)
from bodydouble_spec import Contract, Finding, Operation, is_object
from bodydouble_spec.oracle import Oracle

from bodydouble_contract_tests._claims_answers import answers, boundary_answers
from bodydouble_contract_tests._claims_calls import Call, Picture, boundary_calls, calls
from bodydouble_contract_tests._claims_compare import (
    differences,
    ending,
    finding,
    kind_of,
    of_answer,
    of_refusal,
    of_result,
    shown,
    unequal,
)
from bodydouble_contract_tests._claims_invalid_calls import InvalidCall, invalid_boundary_calls, invalid_calls
from bodydouble_contract_tests._claims_reading import read
from bodydouble_contract_tests._claims_stage import Arrival, Encounter, Reply, Stage, Witness

__all__ = [
    "Arrival",
    "Call",
    "Encounter",
    "InvalidCall",
    "Judge",
    "Picture",
    "Reply",
    "Stage",
    "Witness",
    "answers",
    "boundary_answers",
    "boundary_calls",
    "calls",
    "claim_clients_agree",
    "claim_invalid_body_is_refused",
    "claim_invalid_call_is_refused",
    "claim_only_refused_attempts_are_repeated",
    "claim_outcome_fits_the_answer",
    "claim_outcome_is_documented",
    "claim_request_arrives_conforming",
    "claim_request_says_what_the_call_said",
    "claim_valid_body_is_accepted",
    "claim_valid_call_is_served",
    "invalid_boundary_calls",
    "invalid_calls",
]

# What a busy machine may add to a deadline; without any deadline a dripping answer takes far longer.
_GRACE_S = 5.0
_REPEATABLE = {408, 429, 502, 503, 504}


class Judge:
    """openapi-core's verdict on what is sent in one operation (the only one when none is given)."""

    def __init__(self, contract: Contract, operation: Operation | None = None) -> None:
        self.operation = operation or contract.operation()
        self._oracle = Oracle(contract)

    def request(self, arrival: Arrival) -> list[Finding]:
        """What is wrong with a request as it arrived."""
        said = self._oracle.request_errors(self.operation, arrival.body, arrival.headers.get("content-type", ""))
        return [
            finding("request-does-not-conform", text, got=shown(arrival.body), operation=self.operation)
            for text in said
        ]

    def reply(self, reply: Reply) -> list[Finding]:
        """What is wrong with an answer, in the plain reading."""
        said = self._oracle.response_errors(self.operation, reply.status, reply.content_type, reply.answer)
        return [
            finding("answer-does-not-conform", text, got=shown(reply.answer), operation=self.operation) for text in said
        ]


def claim_valid_call_is_served(encounter: Encounter) -> list[Finding]:
    """Whatever valid call an app makes is sent once, and gives a result."""
    outcome = encounter.outcome
    if len(encounter.arrivals) == 1 and isinstance(outcome, EditResult):
        return []
    message = f"a valid call arrived {len(encounter.arrivals)} times and gave {kind_of(outcome)}"
    return [
        finding("valid-call-not-served", message, "one request, a result", str(outcome), request=repr(encounter.call))
    ]


def claim_request_arrives_conforming(encounter: Encounter, judge: Judge) -> list[Finding]:
    """Whatever call an app makes, each request that arrives conforms to the contract, in openapi-core's judgement."""
    return [found for arrival in encounter.arrivals for found in judge.request(arrival)]


def claim_request_says_what_the_call_said(encounter: Encounter) -> list[Finding]:
    """The request carries the call's arguments and nothing else: every text unchanged, every picture whole."""
    return [found for arrival in encounter.arrivals for found in differences(encounter.call, arrival)]


def claim_outcome_is_documented(encounter: Encounter) -> list[Finding]:
    """The client returns or raises one of its documented errors, within its deadline; a picture comes, or a DownloadError."""
    findings: list[Finding] = []
    if not isinstance(encounter.outcome, EditResult | BodydoubleError):
        findings.append(_undocumented(encounter.outcome, "edit", "an EditResult or a BodydoubleError"))
    findings += [
        _undocumented(item, f"downloads/{number}", "bytes or a DownloadError")
        for number, item in enumerate(encounter.downloads)
        if not isinstance(item, bytes | DownloadError)
    ]
    if encounter.elapsed_s > encounter.deadline_s + _GRACE_S:
        message = f"the call took {encounter.elapsed_s:.1f} s, its deadline was {encounter.deadline_s:g} s"
        findings.append(finding("deadline-missed", message, encounter.deadline_s, encounter.elapsed_s))
    return findings


def claim_outcome_fits_the_answer(encounter: Encounter) -> list[Finding]:
    """A result equals the answer that was sent; an error is the one that is documented for it and says what the answer says."""
    if not encounter.arrivals:
        return []
    arrival, outcome = encounter.arrivals[-1], encounter.outcome
    reading = read(arrival)
    if isinstance(outcome, EditResult):
        if not reading.errors:
            return unequal(of_result(outcome), of_answer(arrival, reading), "result-differs-from-answer")
    elif reading.errors and isinstance(outcome, reading.errors):
        if not isinstance(outcome, StatusError) or not is_object(reading.body):
            return []
        told = of_refusal(arrival, reading.body)
        return unequal({name: getattr(outcome, name) for name in told}, told, "error-differs-from-answer")
    expected = " or ".join(kind.__name__ for kind in reading.errors) or "EditResult"
    message = f"an answer with status {arrival.status} gave {kind_of(outcome)}, expected is {expected}"
    return [finding("outcome-does-not-fit", message, expected, f"{outcome!s} after {shown(arrival.answer)!r}")]


def claim_only_refused_attempts_are_repeated(encounter: Encounter) -> list[Finding]:
    """No request is sent again once it may have been carried out: only after a status that says it was not."""
    return [
        finding(
            "attempt-repeated",
            f"attempt {number} got status {arrival.status}, and another one followed",
            got=arrival.status,
        )
        for number, arrival in enumerate(encounter.arrivals[:-1], 1)
        if arrival.status not in _REPEATABLE
    ]


def claim_invalid_call_is_refused(encounter: Encounter, arguments: tuple[str, ...]) -> list[Finding]:
    """Every invalid call is refused before anything is sent, by an error that names one of the wrong arguments, or by a 400."""
    outcome = encounter.outcome
    if isinstance(outcome, ArgumentError):
        if encounter.arrivals:
            return [finding("refused-too-late", f"{kind_of(outcome)} was raised, but a request had been sent")]
        if outcome.argument.partition("[")[0] in arguments:
            return []
        message = f"the error names {outcome.argument!r}, but what is wrong is {' and '.join(arguments)}"
        return [finding("wrong-argument-named", message, list(arguments), outcome.argument)]
    if isinstance(outcome, BadRequest) and encounter.arrivals and encounter.arrivals[-1].status == 400:
        return []
    message = f"a call with a wrong {' and '.join(arguments)} gave {kind_of(outcome)}"
    return [
        finding("invalid-call-not-refused", message, "ArgumentError or 400", str(outcome), request=repr(encounter.call))
    ]


def claim_clients_agree(first: Encounter, second: Encounter) -> list[Finding]:
    """The blocking and the asynchronous client send the same request and come to the same end of the same answer."""
    sent, other = ([arrival.body for arrival in encounter.arrivals] for encounter in (first, second))
    findings = unequal(ending(second), ending(first), "clients-disagree")
    if sent != other:
        findings.append(finding("clients-disagree", "they send different requests", sent, other, "/request"))
    return findings


def claim_invalid_body_is_refused(reply: Reply, judge: Judge) -> list[Finding]:
    """Every body that breaks the contract is refused with 400, in an answer that itself conforms."""
    if reply.status == 400:
        return judge.reply(reply)
    return [finding("invalid-body-not-refused", f"it got status {reply.status}", 400, reply.status, request=reply.body)]


def claim_valid_body_is_accepted(reply: Reply, judge: Judge) -> list[Finding]:
    """Every body that keeps the contract is served, with an answer that itself conforms."""
    if 200 <= reply.status < 300:
        return judge.reply(reply)
    return [finding("valid-body-refused", f"it got status {reply.status}", 200, reply.status, request=reply.body)]


def _undocumented(got: object, where: str, expected: str) -> Finding:
    return finding("undocumented-exception", f"{kind_of(got)}: {got}", expected, kind_of(got), f"/{where}")
