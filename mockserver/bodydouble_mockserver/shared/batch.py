"""Items that are sent to Redis together, at the end of a turn of the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bodydouble_mockserver.shared.lua import Script

__all__ = ["Argument", "Batch", "Turns"]

Argument = str | bytes | float


class Batch:
    """Items for one script, which gets ``arguments`` and then all items that were added since the last time.

    ``done`` gets the result of the script and the items that it had; None where Redis may not have them.
    """

    def __init__(
        self, script: Script, arguments: Sequence[Argument], done: Callable[[Any, Sequence[Argument]], None]
    ) -> None:
        self.script = script
        self.arguments = arguments
        self.done = done
        self.items: list[Argument] = []

    def take(self) -> list[Argument]:
        """Return the items, and have none."""
        taken, self.items = self.items, []
        return taken


class Turns:
    """The turns of the event loop in which this process handles what has come meanwhile, many calls at once when there are many.

    ``at_end`` is called after each of the turns in which there was something to send.
    """

    def __init__(self, at_end: Callable[[], None]) -> None:
        self._at_end = at_end
        # Each loop by itself, for those of other threads; and one that was closed in the middle of a turn keeps no other from its turns.
        self._begun: set[asyncio.AbstractEventLoop] = set()
        self._waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    def begins(self) -> bool:
        """Return whether nothing else has asked that in this turn, in which calls are handled that had come before it."""
        loop = _running_loop()
        if loop in self._begun:
            return False
        if loop is not None:
            self._begun.add(loop)
            loop.call_soon(self._begun.discard, loop)
        return True

    def will_end(self) -> bool:
        """Return whether ``at_end`` will be called for what is to be sent now; not outside of a loop."""
        loop = _running_loop()
        if loop is not None and loop not in self._waiting:
            self._waiting[loop] = []
            loop.call_soon(self._end, loop)
        return loop is not None

    async def ended(self) -> None:
        """Wait until ``at_end`` was called for what there was to be sent."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is not None:
            # One for each that waits: a task that is cancelled cancels what it waits for.
            waiting.append(loop.create_future())
            await waiting[-1]

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = self._waiting.pop(loop)
        self._at_end()
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
