"""Limits of an account: calls per minute, and credits. Both are tracked per key, by a short hash of it."""

import hashlib
import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

from bodydouble_mockserver._checks import Refusal
from bodydouble_mockserver._imaging import Cost

__all__ = ["OUT_OF_CREDITS", "Account", "ExceededLimit", "Limits", "key_hash"]

_MINUTE_S = 60.0
_MAX_KEYS = 10_000
OUT_OF_CREDITS = Refusal(403, data={"kind": "err_insufficent_credits"})  # the vendor's spelling


@dataclass(frozen=True, slots=True)
class Limits:
    """``requests_per_minute``, the initial ``credits`` of each key (None: unlimited), and whether a 429 carries a Retry-After header."""

    requests_per_minute: int | None = None
    retry_after: bool = False
    credits: int | None = None


@dataclass(frozen=True, slots=True)
class ExceededLimit:
    """A limit that a call exceeded: the refusal, and the seconds for the Retry-After header (None: no header)."""

    refusal: Refusal
    retry_after_s: int | None = None


class Account:
    """The calls and credits that each key has used. ``now`` is seconds since the epoch."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()
        self._spent: OrderedDict[str, float] = OrderedDict()

    def charge(self, key: str, cost: Cost, now: float) -> ExceededLimit | None:
        """Count a call and take its cost, or return the limit that it exceeds, in which case it costs nothing."""
        exceeded = self._count_call(key, now)
        if exceeded is not None:
            return exceeded
        credits_left = self.credits_left(key)
        needed = cost.credits or 0
        if credits_left is not None:
            if needed > credits_left:
                return ExceededLimit(OUT_OF_CREDITS)
            self._spent[key] = self._spent.pop(key, 0) + needed
            _forget_oldest(self._spent)
        return None

    def credits_left(self, key: str) -> float | None:
        """Return the credits that a key has left; None when they are unlimited."""
        return None if self.limits.credits is None else self.limits.credits - self._spent.get(key, 0)

    def _count_call(self, key: str, now: float) -> ExceededLimit | None:
        most = self.limits.requests_per_minute
        if most is None:
            return None
        calls = self._calls.setdefault(key, deque())
        self._calls.move_to_end(key)
        _forget_oldest(self._calls)
        while calls and calls[0] <= now - _MINUTE_S:
            calls.popleft()
        if len(calls) >= most:
            wait_s = math.ceil(calls[0] + _MINUTE_S - now) if calls else math.ceil(_MINUTE_S)
            return ExceededLimit(Refusal(429), wait_s if self.limits.retry_after else None)
        calls.append(now)
        return None


def key_hash(key: bytes, salt: bytes) -> str:
    """Return eight hexadecimal digits that identify a key without revealing it."""
    return hashlib.sha256(salt + key).hexdigest()[:8] if key else ""


def _forget_oldest(items: "OrderedDict[str, Any]") -> None:
    while len(items) > _MAX_KEYS:
        items.popitem(last=False)
