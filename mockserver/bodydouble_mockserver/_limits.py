"""Limits of an account: calls a minute, and credits. Both are kept for each key, by a short hash of it."""

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
OUT_OF_CREDITS = Refusal(403, data={"kind": "err_insufficent_credits"})  # spelled so by the vendor


@dataclass(frozen=True, slots=True)
class Limits:
    """``requests_per_minute`` (with a Retry-After or without) and ``credits`` that each key starts with; None is no limit."""

    requests_per_minute: int | None = None
    retry_after: bool = False
    credits: int | None = None


@dataclass(frozen=True, slots=True)
class ExceededLimit:
    """A limit that a call ran into: the refusal, and the seconds for Retry-After where it is to be sent."""

    refusal: Refusal
    retry_after_s: int | None = None


class Account:
    """What the keys have used of their limits. ``now`` is seconds since the epoch."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()
        self._spent: OrderedDict[str, float] = OrderedDict()

    def charge(self, key: str, cost: Cost, now: float) -> ExceededLimit | None:
        """Count a call and take its cost; or the limit that refuses it, in which case it costs nothing."""
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
        """Credits that a key has left; None when there is no limit."""
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
    """Eight hexadecimal digits that tell keys apart and do not tell what they are."""
    return hashlib.sha256(salt + key).hexdigest()[:8] if key else ""


def _forget_oldest(items: "OrderedDict[str, Any]") -> None:
    while len(items) > _MAX_KEYS:
        items.popitem(last=False)
