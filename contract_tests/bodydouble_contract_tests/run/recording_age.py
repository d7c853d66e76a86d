"""Findings about a recording as evidence: calls that are old, and calls of another contract."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from bodydouble_spec import Evidence, Exchange, Finding, Severity
from bodydouble_spec.recording import CallFacts

from bodydouble_contract_tests.run.caller import EXPIRES_DAYS
from bodydouble_contract_tests.run.recording import entry_of

__all__ = ["age_findings"]

_MAX_NAMED = 3


def age_findings(
    exchanges: Sequence[Exchange],
    fingerprint: str,
    now: datetime,
    max_age_days: float = EXPIRES_DAYS,
    operation: str | None = None,
) -> Iterator[Finding]:
    """Yield a warning for calls past their expiry date (``max_age_days`` after the call where none is recorded), and a note for calls of another contract.

    ``fingerprint`` is that of the contract as it is now, ``now`` must have a time zone.
    """
    old = [exchange for exchange in exchanges if _expiry(exchange, max_age_days) < now]
    if old:
        oldest = min(exchange.started for exchange in old).date().isoformat()
        message = (
            f"{len(old)} of {len(exchanges)} exchanges have expired, the oldest is from {oldest}: record them again"
        )
        yield Finding(
            "recording-expired",
            Severity.WARNING,
            Evidence.ASSUMED,
            "",
            message,
            f"at most {max_age_days:g} days",
            oldest,
            operation=operation,
            witness=old[0].id,
        )
    recorded = Counter(facts.contract for exchange in exchanges if (facts := CallFacts.of(exchange)) is not None)
    others = {name: count for name, count in recorded.items() if name and name != fingerprint}
    if others:
        named = ", ".join(name[:12] for name in [*others][:_MAX_NAMED])
        message = (
            f"{sum(others.values())} of {len(exchanges)} exchanges were recorded under another contract ({named}); "
            f"they are checked against the present one ({fingerprint[:12]})"
        )
        yield Finding(
            "recording-other-contract",
            Severity.INFO,
            Evidence.OBSERVED,
            "",
            message,
            fingerprint,
            next(iter(others)),
            operation=operation,
        )


def _expiry(exchange: Exchange, max_age_days: float) -> datetime:
    entry = entry_of(exchange)
    try:
        moment = datetime.fromisoformat(entry.expires if entry is not None else "")
    except ValueError:
        return exchange.started + timedelta(days=max_age_days)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
