"""When to try again, and how long to wait before: pure policy, and the clock arithmetic of one call.

Failed requests are not charged (documented), so statuses that may pass and connections that could not be made are
tried again. Once a request has left without an answer it may have been charged: that is repeated only if asked for.
"""

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from bodydouble_client._allowance import Allowance
from bodydouble_client._hooks import Hooks
from bodydouble_client._outcome import FaultKind, Outcome

__all__ = ["RetryPolicy", "Retrying", "retry_after_s"]

_PASSING_STATUSES = {408, 429, 502, 503, 504}
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 8.0
_LONGEST_RETRY_AFTER_S = 31_536_000.0  # a year stands for anything absurd
_SECONDS = re.compile(r"[0-9]{1,300}(\.[0-9]{1,300})?")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call may be repeated.

    ``retries`` is the number of attempts after the first. ``retry_after_send`` also repeats a request that had left
    when its connection or time was lost. ``max_wait_s`` is the longest wait that a server may ask for with
    Retry-After; a longer one ends the call at once.
    """

    retries: int = 2
    retry_after_send: bool = False
    max_wait_s: float = 60.0

    def repeats(self, outcome: Outcome) -> bool:
        """Whether an attempt that ended so is worth repeating."""
        if outcome.status_code in _PASSING_STATUSES:
            return True
        fault = outcome.fault
        if fault is None or fault.kind in {FaultKind.MISUSE, FaultKind.UNREADABLE}:
            return False
        if outcome.refused:
            return False
        return self.retry_after_send or not fault.sent

    def wait_s(self, attempt: int, outcome: Outcome, now: float, chance: float) -> float | None:
        """Seconds to wait after the attempt of this number (1 is the first), or None to stop.

        ``now`` is the wall clock in seconds since 1970, ``chance`` a random number in [0, 1): half of each back-off
        is jitter, so that clients that failed together do not come back together.
        """
        if attempt > self.retries or not self.repeats(outcome):
            return None
        backoff_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 10)) * (1 + chance) / 2
        asked_s = retry_after_s(outcome, now)
        if asked_s is None:
            return backoff_s
        return None if asked_s > self.max_wait_s else max(asked_s, backoff_s)


def retry_after_s(outcome: Outcome, now: float) -> float | None:
    """What the Retry-After header asks for, in seconds from ``now``: 0 for a date that is past, None if unreadable."""
    value = outcome.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    in_utc = date.replace(tzinfo=UTC) if date.tzinfo is None else date  # asctime names no zone; HTTP means GMT
    return min(max(in_utc.timestamp() - now, 0.0), _LONGEST_RETRY_AFTER_S)


class Retrying:
    """The course of one call: how long each attempt may take, and whether another one follows."""

    def __init__(self, policy: RetryPolicy, hooks: Hooks, timeout_s: float, allowance: Allowance) -> None:
        self.may_be_charged = False
        self.allowance = allowance
        self._policy = policy
        self._hooks = hooks
        self._timeout_s = timeout_s
        self._ends_at = None if allowance.left_s is None else hooks.clock() + allowance.left_s
        self._attempt = 0

    def attempt_s(self) -> float:
        """Seconds that the attempt about to begin may take; 0 or less when the deadline has passed."""
        return min(self._timeout_s, self._left_s())

    def wait_after(self, outcome: Outcome) -> float | None:
        """Seconds to wait before the next attempt, or None when this outcome is the last."""
        self._attempt += 1
        self.may_be_charged |= outcome.may_be_charged
        if self._ends_at is not None:
            self.allowance.left_s = self._left_s()
        wait_s = self._policy.wait_s(self._attempt, outcome, self._hooks.wall_clock(), self._hooks.chance())
        if wait_s is not None and self._ends_at is not None and wait_s >= self._left_s():
            return None
        return wait_s

    def _left_s(self) -> float:
        return float("inf") if self._ends_at is None else self._ends_at - self._hooks.clock()
