"""The calls of a proxy that are under way, and their end when it is stopped."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

__all__ = ["LAST_CALLS_S", "CallsUnderWay"]

LOG = logging.getLogger("bodydouble.mockserver")

LAST_CALLS_S = 60.0
"""The seconds that calls have to end when the proxy is stopped: they are paid for."""

# Time for what was cut to be recorded, and for the pictures of recorded calls; the next proxy fetches those that are missing.
_LAST_RECORDING_S = 5.0


class CallsUnderWay:
    """The tasks of calls. Each passes an answer on, which can be cut, and then records it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._recording: set[asyncio.Task[Any]] = set()
        self._timers: list[asyncio.TimerHandle] = []

    def start(self, work: Coroutine[Any, Any, None], *, is_recording: bool = False) -> asyncio.Task[None]:
        """Run a call, or with ``is_recording`` what follows it, in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if is_recording:
            self._note(task)
        return task

    def begin_recording(self) -> None:
        """Note that the answer of the current task has come."""
        task = asyncio.current_task()
        if task is not None:
            self._note(task)

    async def recorded(self) -> None:
        """Wait until all answers that have come are recorded."""
        while self._recording:
            await asyncio.wait(self._recording)

    async def settled(self) -> None:
        """Wait until no call is under way, and all are recorded."""
        # A call that ends begins the recording of its pictures.
        while self._tasks:
            await asyncio.wait(self._tasks)

    def end(self, *, at_once: bool = False) -> None:
        """Cut the calls that are still under way after `LAST_CALLS_S`, or ``at_once``; `settled` then returns some seconds later."""
        loop = asyncio.get_running_loop()
        if at_once:
            self._cut(loop)
        elif not self._timers:
            self._timers.append(loop.call_later(LAST_CALLS_S, self._cut, loop))
            count = len(self._tasks - self._recording)
            if count:
                LOG.warning(
                    "waiting up to %.0f s for the answer%s to %d call%s, which may be paid for; Ctrl-C again cuts %s off",
                    LAST_CALLS_S, *(("", 1, "", "it") if count == 1 else ("s", count, "s", "them")),
                )  # fmt: skip

    def close(self) -> None:
        """Forget the timers."""
        for timer in self._timers:
            timer.cancel()

    def _note(self, task: asyncio.Task[Any]) -> None:
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def _cut(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._tasks - self._recording:
            task.cancel()
        self._timers.append(loop.call_later(_LAST_RECORDING_S, self._abandon))

    def _abandon(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
