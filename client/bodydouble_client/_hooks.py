"""Time, chance and identity: what the decisions need from outside, in one replaceable place."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

__all__ = ["Hooks"]


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Hooks:
    """Clocks in seconds (``clock`` monotonic, ``wall_clock`` since 1970), waiting, chance in [0, 1) and new ids."""

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    new_id: Callable[[], str] = _new_id
