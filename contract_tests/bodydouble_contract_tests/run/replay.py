"""Verify recorded exchanges without a server, against the present contract."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bodydouble_spec import (
    Evidence,
    Exchange,
    ExchangeLog,
    Finding,
    RecordedPicture,
    Severity,
    operation_of,
    restore_pictures,
)
from bodydouble_spec.recording import StoredRecording, latest

from bodydouble_contract_tests.checks import check_observation, check_observations
from bodydouble_contract_tests.model import (
    Case,
    ExpectedOutcome,
    Observation,
    OperationProfile,
    Verification,
    catalogue,
)
from bodydouble_contract_tests.run.caller import EXPIRES_DAYS
from bodydouble_contract_tests.run.recorded_pictures import RecordedPictures
from bodydouble_contract_tests.run.recording import Entry, entry_of, observation_of
from bodydouble_contract_tests.run.recording_age import age_findings
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.run.results import Results, curl_of
from bodydouble_contract_tests.schema import picture_bytes

__all__ = ["CheckedExchange", "check_exchanges", "exchanges_of", "pictures_of", "verify_recording"]

# These statuses are about the account or the load, not about the request.
_NO_VERDICT = {401, 402, 403, 429}


def verify_recording(
    profile: OperationProfile,
    recording: StoredRecording | ExchangeLog,
    now: datetime,
    max_age_days: float = EXPIRES_DAYS,
) -> Verification:
    """Check recorded exchanges of an operation, requests and answers (strictly), from any recorder.

    A request that breaks the contract must have been refused, any other carried out. Exchanges that are old or of another contract are checked too, with
    the findings of `age_findings`; lines and files that could not be read keep theirs. Pictures are checked by the files of the recording, or their
    description in it: nothing is downloaded, and no request is made. ``now`` must have a time zone.
    """
    checks = catalogue(profile)
    results = Results(profile, checks)
    notices: list[Finding] = [*recording.findings]
    exchanges = exchanges_of(profile, recording.exchanges)
    checked, between = check_exchanges(profile, exchanges, pictures_of(recording))
    for item in checked:
        results.add(item.findings, item.exchange.id)
        results.note_tested(item.observation)
        results.observations.append(item.observation)
    results.add(between)
    notices += age_findings(exchanges, profile.contract.fingerprint, now, max_age_days, profile.operation.key)
    if not results.observations:
        notices.append(_empty_recording(profile))
    return Verification(
        checks=checks,
        findings=(*results.findings(), *notices),
        outcomes=results.outcomes(),
        observations=tuple(results.observations),
        usd=0.0,
    )


def exchanges_of(profile: OperationProfile, exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Return the exchanges of the profile's operation, each once."""
    owners = ((exchange, operation_of(exchange, profile.contract.operations)) for exchange in latest(exchanges))
    return [exchange for exchange, owner in owners if owner is not None and owner.key == profile.operation.key]


@dataclass(frozen=True, slots=True)
class CheckedExchange:
    """A recorded exchange, what it showed, and its deviations from the contract; without secrets."""

    exchange: Exchange
    observation: Observation
    findings: tuple[Finding, ...]


def pictures_of(recording: StoredRecording | ExchangeLog) -> RecordedPictures | None:
    """Return the pictures of a recording; None for a file of exchanges alone."""
    if isinstance(recording, StoredRecording):
        return RecordedPictures(recording.exchanges, recording.files)
    return None


def check_exchanges(
    profile: OperationProfile, exchanges: Iterable[Exchange], pictures: RecordedPictures | None = None
) -> tuple[list[CheckedExchange], list[Finding]]:
    """Return the exchanges of an operation that can be checked, and the deviations between them (see `check_observations`).

    Their ``pictures`` are checked too; without these, as far as the exchanges describe them.
    """
    redaction = Redaction()
    checked: list[CheckedExchange] = []
    for exchange in exchanges:
        observation = _observation(profile, exchange)
        if observation is None:
            continue
        if pictures is not None and not observation.pictures:
            observation = replace(observation, pictures=pictures.of(exchange))
        request = curl_of(profile, None, observation.case, redaction)
        findings = (
            replace(redaction.finding(finding), request=request, witness=exchange.id)
            for finding in check_observation(profile, observation)
            if not (_is_cut(exchange) and finding.id.endswith("not-json"))
        )
        checked.append(CheckedExchange(exchange, redaction.observation(observation), tuple(findings)))
    between = check_observations(profile, [item.observation for item in checked])
    return checked, [redaction.finding(finding) for finding in between]


def _is_cut(exchange: Exchange) -> bool:
    """Tell whether the recording has only the beginning of an answer's body, from which nothing follows about the rest."""
    raw = None if exchange.answer is None else exchange.answer.raw
    return raw is not None and raw.get("bytes") != len(str(raw.get("text", "")).encode("utf-8", "replace"))


def _observation(profile: OperationProfile, exchange: Exchange) -> Observation | None:
    """Return the exchange as an observation.

    None where there is nothing to check: no answer, no recorded body, or a limit of the account or of the rate.
    """
    if exchange.raw is not None or exchange.status == 429:
        return None
    entry = entry_of(exchange)
    case = _case(profile, exchange, entry)
    if case is None:
        return None
    answer = exchange.answer
    if answer is not None:
        # A picture that was described instead of kept is a text in the answer.
        exchange = replace(exchange, answer=replace(answer, body=restore_pictures(answer.body, _placeholder)))
    observation = observation_of(exchange, case, 0 if entry is None else entry.number)
    return None if observation.status is None and observation.trouble is None else observation


def _case(profile: OperationProfile, exchange: Exchange, entry: Entry | None) -> Case | None:
    """Return the case of a recorded request, with the outcome that the contract expects; None when the contract does not decide it."""
    if entry is not None and entry.case.startswith(_OF_BYTES):
        return None
    body = restore_pictures(exchange.body, _placeholder)
    faults = profile.operation.validate_request(body)
    evidence = Evidence.DOCUMENTED
    if entry is not None and not entry.credential.is_right:
        expectation = ExpectedOutcome.UNAUTHORIZED
    elif exchange.status in _NO_VERDICT:
        return None
    elif faults:
        expectation = ExpectedOutcome.REFUSED
        # Of several faults, the one with the best evidence counts.
        evidence = min((fault.evidence for fault in faults), key=list(Evidence).index)
    elif profile.is_unspecified(body) or (entry is not None and entry.expectation is ExpectedOutcome.SURVIVED):
        expectation = ExpectedOutcome.SURVIVED
    else:
        expectation = ExpectedOutcome.ACCEPTED
    case = Case(
        f"recorded/{exchange.id}",
        _CHECKS[expectation],
        body,
        expectation,
        evidence,
        pointer=min((fault.pointer for fault in faults), default=""),
    )
    if entry is None:
        return case
    # The check of the recorded case stands, unless the contract now expects another outcome.
    check = entry.check if entry.expectation is expectation else case.check
    return replace(case, id=entry.case, check=check, credential=entry.credential, repeats=entry.repeats)


# Cases that are decided by bytes, headers or the method; of the body, a recording has only the value.
_OF_BYTES = ("malformed/", "method/", "odd-form/")
_CHECKS = {
    ExpectedOutcome.ACCEPTED: "valid-accepted",
    ExpectedOutcome.SURVIVED: "odd-request-survived",
    ExpectedOutcome.REFUSED: "invalid-refused",
    ExpectedOutcome.UNAUTHORIZED: "no-key-refused",
}


def _placeholder(picture: RecordedPicture) -> str:
    """Return a small picture for one that was not kept, in the same spelling."""
    kinds = picture_bytes()
    subtype = (picture.media_type or "").removeprefix("image/")
    kind = subtype if subtype in kinds else "png"
    return picture.encode(kinds[kind][0], f"image/{kind}")


def _empty_recording(profile: OperationProfile) -> Finding:
    message = f"there is no exchange of {profile.operation.key} that can be checked; record some first"
    return Finding("recording-empty", Severity.WARNING, Evidence.ASSUMED, "", message, operation=profile.operation.key)
