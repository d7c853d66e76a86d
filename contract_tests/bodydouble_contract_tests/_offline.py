"""A verification without a server: recorded exchanges, judged by the contract as it is now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bodydouble_spec import Evidence, Exchange, ExchangeLog, Finding, RecordedPicture, Severity, restore_pictures

from bodydouble_contract_tests._caller import EXPIRES_DAYS
from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._judge import judge, judge_all
from bodydouble_contract_tests._keeping import Keeper
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._pictures import picture_bytes
from bodydouble_contract_tests._record import Entry, entry_of, observation_of
from bodydouble_contract_tests._recording import latest
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._tally import Tally, curl_of
from bodydouble_contract_tests._verification import Verification

__all__ = ["verify_recording"]

# What the service says of an account or of its load is no verdict on a request.
_NO_VERDICT = {401, 402, 403, 429}


def verify_recording(subject: Subject, log: ExchangeLog, now: datetime) -> Verification:
    """Judge recorded exchanges of an operation, requests and answers (strictly), whoever recorded them.

    A request that breaks the contract must have been refused, any other carried out. Exchanges past their expiry date (90 days after they were
    made where none is written down) are judged too, with the warning ``recording-expired``; lines that could not be read keep their findings.
    Pictures are judged by what the recording says of them: nothing is fetched, and no request is made. ``now`` is aware of its zone.
    """
    checks = catalogue(subject)
    tally = Tally(subject, checks)
    keeper = Keeper()
    said: list[Finding] = [*log.findings]
    exchanges = [exchange for exchange in latest(log.exchanges) if _is_of(subject, exchange)]
    for exchange in exchanges:
        observation = _observation(subject, exchange)
        if observation is None:
            continue
        findings = judge(subject, observation)
        request = curl_of(subject, None, observation.case, keeper)
        tally.add((_dressed(finding, request, exchange, keeper) for finding in findings), exchange.id)
        tally.saw(observation)
        tally.observations.append(keeper.observation(observation))
    tally.add(keeper.finding(finding) for finding in judge_all(subject, tally.observations))
    said += _expired(subject, exchanges, now)
    if not tally.observations:
        said.append(_nothing(subject))
    return Verification(
        checks=checks,
        findings=(*tally.findings(), *said),
        outcomes=tally.outcomes(),
        observations=tuple(tally.observations),
        usd=0.0,
    )


def _is_of(subject: Subject, exchange: Exchange) -> bool:
    operation = subject.operation
    if exchange.operation is not None:
        return exchange.operation == operation.key
    return exchange.method.upper() == operation.method.upper() and exchange.route == operation.path


def _observation(subject: Subject, exchange: Exchange) -> Observation | None:
    """The exchange as an observation; None where there is nothing to judge: no answer, a body not kept, an account's or a rate's limit."""
    if exchange.raw is not None or exchange.status == 429:
        return None
    entry = entry_of(exchange)
    case = _case(subject, exchange, entry)
    if case is None:
        return None
    observation = observation_of(exchange, case, 0 if entry is None else entry.number)
    return None if observation.status is None and observation.trouble is None else observation


def _case(subject: Subject, exchange: Exchange, entry: Entry | None) -> Case | None:
    """What must have come of a recorded request, by the contract; None when nobody can say."""
    body = restore_pictures(exchange.body, _stand_in)
    faults = subject.operation.validate_request(body)
    evidence = Evidence.DOCUMENTED
    if entry is not None and entry.credential is not Credential.KEY:
        expectation = Expectation.UNAUTHORIZED
    elif exchange.status in _NO_VERDICT:
        return None
    elif faults:
        expectation = Expectation.REFUSED
        # A body with several faults must be refused for the one that is known best.
        evidence = min((fault.evidence for fault in faults), key=list(Evidence).index)
    elif subject.is_unknown(body) or (entry is not None and entry.expectation is Expectation.SURVIVED):
        expectation = Expectation.SURVIVED
    else:
        expectation = Expectation.ACCEPTED
    case = Case(
        exchange.id,
        _CHECKS[expectation],
        body,
        expectation,
        evidence,
        pointer=min((fault.pointer for fault in faults), default=""),
    )
    if entry is None:
        return case
    # What it was made for stands unless the contract now wants something else of it.
    check = entry.check if entry.expectation is expectation else case.check
    return replace(case, id=entry.case, check=check, credential=entry.credential, repeats=entry.repeats)


_CHECKS = {
    Expectation.ACCEPTED: "valid-accepted",
    Expectation.SURVIVED: "odd-request-survived",
    Expectation.REFUSED: "invalid-refused",
    Expectation.UNAUTHORIZED: "no-key-refused",
}


def _stand_in(picture: RecordedPicture) -> str:
    """A small picture in the place of one that was not kept, in the same spelling."""
    kinds = picture_bytes()
    subtype = (picture.media_type or "").removeprefix("image/")
    kind = subtype if subtype in kinds else "png"
    return picture.encode(kinds[kind][0], f"image/{kind}")


def _dressed(finding: Finding, request: str, exchange: Exchange, keeper: Keeper) -> Finding:
    return replace(keeper.finding(finding), request=request, witness=exchange.id)


def _expired(subject: Subject, exchanges: list[Exchange], now: datetime) -> Iterator[Finding]:
    old = [exchange for exchange in exchanges if _expiry(exchange) < now]
    if old:
        oldest = min(exchange.started for exchange in old).date().isoformat()
        message = (
            f"{len(old)} of {len(exchanges)} exchanges are past their date, the oldest of {oldest}: record them anew"
        )
        yield Finding(
            "recording-expired",
            Severity.WARNING,
            Evidence.ASSUMED,
            "",
            message,
            now.date().isoformat(),
            oldest,
            operation=subject.operation.key,
            witness=old[0].id,
        )


def _expiry(exchange: Exchange) -> datetime:
    entry = entry_of(exchange)
    try:
        moment = datetime.fromisoformat(entry.expires if entry is not None else "")
    except ValueError:
        return exchange.started + timedelta(days=EXPIRES_DAYS)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _nothing(subject: Subject) -> Finding:
    message = f"there is no exchange of {subject.operation.key} that can be judged; record some first"
    return Finding("recording-empty", Severity.WARNING, Evidence.ASSUMED, "", message, operation=subject.operation.key)
