"""Notices about recordings before an app relies on them: damage, age, and another contract."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bodydouble_spec import Contract, Exchange, Severity
from bodydouble_spec.recording import CallFacts, StoredRecording, missing_pictures

from bodydouble.options import MAX_AGE_DAYS

__all__ = ["recording_notices"]

_MAX_SHOWN = 3


def recording_notices(
    recordings: Iterable[StoredRecording],
    contracts: Sequence[Contract],
    now: datetime,
    max_age_days: float = MAX_AGE_DAYS,
    skipped: Iterable[str] = (),
) -> list[str]:
    """Return one sentence for each thing that is wrong with recordings: old calls, damage, and a contract that has changed since.

    ``skipped`` are the ids of the calls that cannot be replayed.
    """
    found: list[str] = []
    ids = frozenset(skipped)
    for recording in recordings:
        calls = [exchange for exchange in recording.exchanges if exchange.kind is None]
        found += [f"{recording.path}: {finding.message}" for finding in recording.findings[:_MAX_SHOWN]]
        if len(recording.findings) > _MAX_SHOWN:
            found.append(f"{recording.path}: {len(recording.findings) - _MAX_SHOWN} more places are damaged")
        halves = [exchange.id for exchange in calls if exchange.id in ids]
        if halves:
            rest = "call has" if len(halves) == 1 else "calls have"
            found.append(
                f"{recording.path}: {len(halves)} {rest} no whole answer, and cannot be replayed: {_some(halves)}"
            )
        found += _without_pictures(recording)
        found += _age(recording, calls, now, max_age_days)
        found += _other_contract(recording, calls, contracts)
    return found


def _without_pictures(recording: StoredRecording) -> Iterator[str]:
    count = len(missing_pictures(recording.exchanges, with_failed=True))
    if count:
        calls = "1 call has" if count == 1 else f"{count} calls have"
        yield (
            f"{recording.path}: {calls} pictures that are not in the recording; their URLs lead to the service. "
            f"What was not fetched yet comes with the next `bodydouble proxy --record {recording.path}`"
        )


def _age(recording: StoredRecording, calls: Sequence[Exchange], now: datetime, max_age_days: float) -> Iterator[str]:
    limit = now - timedelta(days=max_age_days)
    old = [exchange for exchange in calls if exchange.started < limit]
    if old:
        oldest = min(exchange.started for exchange in old).date().isoformat()
        yield (
            f"{recording.path}: {len(old)} of {len(calls)} calls are older than {max_age_days:g} days, the oldest is from {oldest}; "
            "record them again, or allow a higher age (--max-age-days)"
        )


def _other_contract(
    recording: StoredRecording, calls: Sequence[Exchange], contracts: Sequence[Contract]
) -> Iterator[str]:
    """Check the calls of another contract against the present ones, and yield the result."""
    facts = [facts for exchange in calls if (facts := CallFacts.of(exchange)) is not None]
    recorded = dict.fromkeys(facts.contract for facts in facts if facts.contract)
    present = {contract.fingerprint for contract in contracts}
    other = [name for name in recorded if name not in present]
    if not other:
        return
    start = f"{recording.path} was recorded under another contract ({', '.join(name[:12] for name in other)})"
    command = f"bodydouble verify --exchanges {recording.path}"
    try:
        from bodydouble_contract_tests.verification import OperationProfile, check_exchanges, exchanges_of
    except ImportError:
        yield f"{start}; check it against this one: pip install 'bodydouble[contract]' && {command}"
        return
    checked, broken, rules = 0, 0, dict[str, None]()
    for contract in contracts:
        for operation in contract.operations:
            profile = OperationProfile(contract, operation)
            for item in check_exchanges(profile, exchanges_of(profile, calls))[0]:
                errors = [finding for finding in item.findings if finding.severity is Severity.ERROR]
                checked, broken = checked + 1, broken + bool(errors)
                rules.update(dict.fromkeys(f"{error.id} {error.pointer or '/'}" for error in errors))
    if not checked:
        yield f"{start}; none of its {len(calls)} calls belongs to the present contract"
    elif broken:
        yield f"{start}: {broken} of {checked} calls break the present one: {_some([*rules])}; {command} shows them all"
    else:
        calls_keep = "1 call that can be checked keeps" if checked == 1 else f"{checked} calls that can be checked keep"
        yield f"{start}; its {calls_keep} the present one as well"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return f"{', '.join(names[:_MAX_SHOWN])}{more}"
