"""Claims about the client, the mock server and the two together: plain functions that return findings.

A `Harness` makes one call through a client, in process or over a port, and returns a `CallRecord`. The claims only examine the record,
so they run in tests, in commands, and over records made elsewhere::

    contract = Contract.load()
    with Harness(RecordingServer(contract)) as harness:
        findings = claim_request_arrives_conforming(harness.run(call), CrossValidator(contract))
"""

from bodydouble_client import (
    ArgumentError,
    BadRequest,
    BodydoubleError,
    DownloadError,
    EditResult,
)
from bodydouble_spec import Contract, Evidence, Finding, Operation, is_success, picture_kind
from bodydouble_spec.oracle import Oracle

from bodydouble_contract_tests.checks import picture_damage
from bodydouble_contract_tests.claims.comparison import (
    answer_members,
    differing_members,
    documented_outcome,
    error_members,
    finding,
    header_differences,
    outcome_members,
    request_differences,
    result_members,
    shortened,
    type_name,
)
from bodydouble_contract_tests.claims.harness import CALL_KEY, CallRecord, PostResult, ReceivedRequest

__all__ = [
    "CrossValidator",
    "claim_clients_agree",
    "claim_downloads_are_whole",
    "claim_invalid_body_is_refused",
    "claim_invalid_call_is_refused",
    "claim_only_refused_attempts_are_repeated",
    "claim_outcome_is_documented",
    "claim_outcome_matches_the_answer",
    "claim_request_arrives_conforming",
    "claim_request_is_addressed_and_signed",
    "claim_request_matches_the_call",
    "claim_requests_have_their_own_ids",
    "claim_temporary_refusal_is_repeated",
    "claim_valid_body_is_accepted",
    "claim_valid_call_is_served",
]

# The delay that a busy machine may add to a deadline; without a deadline a dripping answer takes far longer.
_GRACE_S = 5.0
_REPEATABLE = {408, 429, 502, 503, 504}


class CrossValidator:
    """A second validator, openapi-core, for the requests and answers of one operation (the only one by default)."""

    def __init__(self, contract: Contract, operation: Operation | None = None) -> None:
        self.operation = operation or contract.operation()
        self._oracle = Oracle(contract)

    def request_findings(self, request: ReceivedRequest) -> list[Finding]:
        """Return a finding for each error in a request as it was received."""
        messages = self._oracle.request_errors(self.operation, request.body, request.headers.get("content-type", ""))
        return [
            finding("request-does-not-conform", text, got=shortened(request.body), operation=self.operation)
            for text in messages
        ]

    def breaks_assumed_rules_only(self, body: object) -> bool:
        """Return whether a request breaks rules, and each of them is only assumed."""
        findings = self.operation.validate_request(body)
        return bool(findings) and all(found.evidence is Evidence.ASSUMED for found in findings)

    def response_findings(self, posted: PostResult) -> list[Finding]:
        """Return a finding for each error in an answer. Only conformity is checked, not the strict rules."""
        messages = self._oracle.response_errors(self.operation, posted.status, posted.content_type, posted.answer)
        return [
            finding("answer-does-not-conform", text, got=shortened(posted.answer), operation=self.operation)
            for text in messages
        ]


def claim_valid_call_is_served(record: CallRecord) -> list[Finding]:
    """Check that a valid call sends one request and returns a result."""
    outcome = record.outcome
    if len(record.received) == 1 and isinstance(outcome, EditResult):
        return []
    count = len(record.received)
    message = f"a valid call sent {count} request{'' if count == 1 else 's'} and gave {type_name(outcome)}"
    return [finding("valid-call-not-served", message, "one request, a result", str(outcome), request=repr(record.call))]


def claim_request_arrives_conforming(record: CallRecord, validator: CrossValidator) -> list[Finding]:
    """Check that each request that arrives conforms to the contract, according to openapi-core."""
    return [found for request in record.received for found in validator.request_findings(request)]


def claim_request_matches_the_call(record: CallRecord) -> list[Finding]:
    """Check that each request carries the call's arguments and nothing else: all texts unchanged, all pictures complete."""
    return [found for request in record.received for found in request_differences(record.call, request)]


def claim_request_is_addressed_and_signed(
    record: CallRecord, operation: Operation, key: str = CALL_KEY
) -> list[Finding]:
    """Check that each request goes to the operation's path as JSON, with the key as a bearer token and an id that the service can echo."""
    return [found for request in record.received for found in header_differences(request, operation, key)]


def claim_requests_have_their_own_ids(first: CallRecord, second: CallRecord) -> list[Finding]:
    """Check that two calls have different X-Client-Request-Id headers, so that a charge can be traced to one of them."""
    sent, other = (
        {request.headers.get("x-client-request-id") for request in record.received} for record in (first, second)
    )
    if not sent & other:
        return []
    return [
        finding(
            "request-id-repeated", "two calls have the same X-Client-Request-Id", got=sorted(map(str, sent & other))
        )
    ]


def claim_outcome_is_documented(record: CallRecord) -> list[Finding]:
    """Check that the client returns or raises only what is documented, within its deadline.

    A call returns an `EditResult` or raises a `BodydoubleError`; a download returns bytes or raises a `DownloadError`.
    """
    findings: list[Finding] = []
    if not isinstance(record.outcome, EditResult | BodydoubleError):
        findings.append(_undocumented(record.outcome, "edit", "an EditResult or a BodydoubleError"))
    findings += [
        _undocumented(item, f"downloads/{number}", "bytes or a DownloadError")
        for number, item in enumerate(record.downloads)
        if not isinstance(item, bytes | DownloadError)
    ]
    if record.elapsed_s > record.deadline_s + _GRACE_S:
        message = f"the call took {record.elapsed_s:.1f} s, its deadline was {record.deadline_s:g} s"
        findings.append(finding("deadline-missed", message, record.deadline_s, record.elapsed_s))
    return findings


def claim_downloads_are_whole(record: CallRecord) -> list[Finding]:
    """Check that every picture of a result was downloaded, to its last byte."""
    damages = {number: damage for number, item in enumerate(record.downloads) if (damage := _damage(item)) is not None}
    return [
        finding(
            "download-damaged",
            f"a download is not a whole picture: {damage}",
            "a picture",
            damage,
            f"/downloads/{number}",
        )
        for number, damage in damages.items()
    ]


def _damage(download: bytes | BaseException) -> str | None:
    if isinstance(download, BaseException):
        return f"it gave {type_name(download)}"
    kind = picture_kind(download)
    return "it has another form" if kind is None else picture_damage(download, kind.media_type)


def claim_outcome_matches_the_answer(record: CallRecord) -> list[Finding]:
    """Check that the client read the last answer correctly.

    A result must equal the answer that was sent: pictures, costs, ids, description, and a warning when the number of pictures is another one than
    asked for. An error must be the one documented for the answer, repeat its message, issues, ids, wait and body, and tell whether it may be charged.
    """
    if not record.received:
        return []
    request, outcome = record.received[-1], record.outcome
    documented = documented_outcome(request)
    if isinstance(outcome, EditResult):
        if not documented.errors:
            return differing_members(
                result_members(outcome), answer_members(request, documented), "result-differs-from-answer"
            )
    elif isinstance(outcome, BodydoubleError) and documented.allows(outcome):
        members = error_members(request, outcome, documented.body)
        return differing_members(
            {name: getattr(outcome, name) for name in members}, members, "error-differs-from-answer"
        )
    expected = " or ".join(kind.__name__ for kind in documented.errors) or "EditResult"
    message = f"an answer with status {request.status} gave {type_name(outcome)} instead of {expected}"
    return [finding("outcome-does-not-fit", message, expected, f"{outcome!s} after {shortened(request.answer)!r}")]


def claim_only_refused_attempts_are_repeated(record: CallRecord) -> list[Finding]:
    """Check that a request is sent again only after a status that rules out that it was carried out."""
    return [
        finding(
            "attempt-repeated",
            f"attempt {number} got status {request.status} and was repeated",
            got=request.status,
        )
        for number, request in enumerate(record.received[:-1], 1)
        if request.status not in _REPEATABLE
    ]


def claim_temporary_refusal_is_repeated(record: CallRecord, attempts: int) -> list[Finding]:
    """Check that a call which always gets a temporary refusal is made ``attempts`` times."""
    count = len(record.received)
    if count == attempts or not record.received or record.received[-1].status not in _REPEATABLE:
        return []
    return [finding("refusal-not-repeated", f"a temporary refusal led to {count} attempts", attempts, count)]


def claim_invalid_call_is_refused(record: CallRecord, arguments: tuple[str, ...]) -> list[Finding]:
    """Check that an invalid call is refused.

    Either nothing is sent and the error names one of the wrong ``arguments``, or the server answers 400.
    """
    outcome = record.outcome
    if isinstance(outcome, ArgumentError):
        if record.received:
            return [finding("refused-too-late", f"{type_name(outcome)} was raised after a request had been sent")]
        if outcome.argument.partition("[")[0] in arguments:
            return []
        message = f"the error names {outcome.argument!r}, but the wrong argument is {' or '.join(arguments)}"
        return [finding("wrong-argument-named", message, list(arguments), outcome.argument)]
    if isinstance(outcome, BadRequest) and record.received and record.received[-1].status == 400:
        return []
    message = f"a call with a wrong {' and '.join(arguments)} gave {type_name(outcome)}"
    return [
        finding("invalid-call-not-refused", message, "ArgumentError or 400", str(outcome), request=repr(record.call))
    ]


def claim_clients_agree(first: CallRecord, second: CallRecord) -> list[Finding]:
    """Check that the blocking and the asynchronous client send the same request and read the same answer alike."""
    sent, other = ([request.body for request in record.received] for record in (first, second))
    findings = differing_members(outcome_members(second), outcome_members(first), "clients-disagree")
    if sent != other:
        findings.append(finding("clients-disagree", "the clients send different requests", sent, other, "/request"))
    return findings


def claim_invalid_body_is_refused(posted: PostResult, validator: CrossValidator) -> list[Finding]:
    """Check that a body that breaks the contract gets status 400, in an answer that conforms; where all rules are only assumed, a success is right."""
    if posted.status == 400 or (is_success(posted.status) and validator.breaks_assumed_rules_only(posted.body)):
        return validator.response_findings(posted)
    return [
        finding(
            "invalid-body-not-refused",
            f"an invalid body got status {posted.status}",
            400,
            posted.status,
            request=posted.body,
        )
    ]


def claim_valid_body_is_accepted(posted: PostResult, validator: CrossValidator) -> list[Finding]:
    """Check that a body that keeps the contract is served, with an answer that conforms."""
    if is_success(posted.status):
        return validator.response_findings(posted)
    return [
        finding(
            "valid-body-refused", f"a valid body got status {posted.status}", 200, posted.status, request=posted.body
        )
    ]


def _undocumented(got: object, where: str, expected: str) -> Finding:
    return finding("undocumented-exception", f"{type_name(got)}: {got}", expected, type_name(got), f"/{where}")
