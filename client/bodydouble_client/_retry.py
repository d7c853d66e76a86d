"""The retry policy and its state during one call, both without I/O.

Failed requests are not charged (documented), so temporary statuses and failed connections are retried. A request that
was sent but not answered may have been charged: it is retried only if asked for.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from bodydouble_client._attempt import AttemptResult, FailureKind

_TEMPORARY_STATUSES = {408, 429, 502, 503, 504}
_INITIAL_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 8.0
_MAX_RETRY_AFTER_S = 31_536_000.0  # a year, for any longer wait
_SECONDS = re.compile(r"[0-9]{1,300}(\.[0-9]{1,300})?")


@dataclass(frozen=True, slots=True)
class Clock:
    """Times in seconds (``wall_time`` since 1970), sleeping, and a random jitter in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    wall_time: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


class Deadline:
    """The seconds that remain, None for no limit. Only time spent inside the client counts."""

    __slots__ = ("remaining_s",)

    def __init__(self, remaining_s: float | None) -> None:
        self.remaining_s = remaining_s


class HasDeadline:
    """A base class for objects that a deadline can be attached to."""

    __slots__ = ("_deadline",)


def attach_deadline(holder: HasDeadline, deadline: Deadline | None) -> None:
    """Attach a deadline to a frozen object."""
    object.__setattr__(holder, "_deadline", deadline)


def deadline_of(holder: object) -> Deadline | None:
    """Return the attached deadline, None without one."""
    return getattr(holder, "_deadline", None)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The rules for retries.

    ``retries`` is the number of attempts after the first. ``retry_after_send`` also allows a retry when the connection
    was lost or the time ran out after the request was sent. ``max_wait_s`` is the longest Retry-After to wait for; a
    longer one ends the call at once.
    """

    retries: int = 2
    retry_after_send: bool = False
    max_wait_s: float = 60.0

    def allows_retry(self, attempt: AttemptResult) -> bool:
        """Return whether an attempt with this result may be retried."""
        if attempt.status_code in _TEMPORARY_STATUSES:
            return True
        failure = attempt.failure
        if failure is None or failure.kind in {FailureKind.MISUSE, FailureKind.UNREADABLE}:
            return False
        if attempt.refused:
            return False
        return self.retry_after_send or not failure.sent

    def wait_s(self, number: int, attempt: AttemptResult, now: float, jitter: float) -> float | None:
        """Return the seconds to wait after attempt ``number`` (the first is 1), or None to stop.

        ``now`` is in seconds since 1970. ``jitter``, a random number in [0, 1), sets half of each back-off, so that
        clients that failed together do not all retry at the same time.
        """
        if number > self.retries or not self.allows_retry(attempt):
            return None
        backoff_s = min(_MAX_BACKOFF_S, _INITIAL_BACKOFF_S * 2.0 ** min(number - 1, 10)) * (1 + jitter) / 2
        requested_s = retry_after_s(attempt, now)
        if requested_s is None:
            return backoff_s
        return None if requested_s > self.max_wait_s else max(requested_s, backoff_s)


def retry_after_s(attempt: AttemptResult, now: float) -> float | None:
    """Return the wait in the Retry-After header, in seconds: 0 for a date before ``now``, None if unreadable."""
    value = attempt.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _MAX_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    zoned = date.replace(tzinfo=UTC) if date.tzinfo is None else date  # the asctime format has no zone; HTTP uses GMT
    return min(max(zoned.timestamp() - now, 0.0), _MAX_RETRY_AFTER_S)


class Retrying:
    """The retry state of one call: the time for each attempt, and the wait before the next one."""

    def __init__(self, policy: RetryPolicy, clock: Clock, timeout_s: float, deadline: Deadline) -> None:
        self.may_be_charged = False
        self.deadline = deadline
        self._policy = policy
        self.clock = clock
        self._timeout_s = timeout_s
        self._ends_at = None if deadline.remaining_s is None else clock.monotonic() + deadline.remaining_s
        self._attempts = 0

    def attempt_s(self) -> float:
        """Return the seconds for the next attempt; 0 or less when the deadline has passed."""
        return min(self._timeout_s, self._remaining_s())

    def wait_after(self, attempt: AttemptResult) -> float | None:
        """Return the seconds to wait before the next attempt, or None when this one was the last."""
        self._attempts += 1
        self.may_be_charged |= attempt.may_be_charged
        if self._ends_at is not None:
            self.deadline.remaining_s = self._remaining_s()
        wait_s = self._policy.wait_s(self._attempts, attempt, self.clock.wall_time(), self.clock.jitter())
        if wait_s is not None and self._ends_at is not None and wait_s >= self._remaining_s():
            return None
        return wait_s

    def _remaining_s(self) -> float:
        return float("inf") if self._ends_at is None else self._ends_at - self.clock.monotonic()
