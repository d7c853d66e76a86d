"""Items that are sent to Redis together, at the end of a turn of the event loop."""

import asyncio
from collections.abc import Callable, Sequence

__all__ = ["Argument", "Batch", "Turns"]

Argument = str | bytes | float

# In as many passes a loop reads what has come, starts a task for each call, and runs it up to its question.
_PASSES = 3


class Batch:
    """Items that are written together: as ``arguments`` and then all items that were added since the last time.

    ``done`` gets the number of the last journal entry and the items; None where Redis may not have them.
    """

    def __init__(self) -> None:
        self.arguments: Sequence[Argument] = ()
        self.items: list[Argument] = []
        self.done: Callable[[int | None, Sequence[Argument]], None] = lambda _last, _items: None

    def take(self) -> tuple[list[Argument], list[Argument]]:
        """Return the items, and have none; before them, all that the script reads of this batch."""
        taken, self.items = self.items, []
        return [len(self.arguments) + len(taken), *self.arguments, *taken], taken


class Turns:
    """The turns of the event loop in which this process handles what has come meanwhile, many calls at once when there are many.

    ``at_end`` sends what there is to be sent, unless that went with the first question of the next turn.
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
            self._waiting[loop] = waiting = list[asyncio.Future[None]]()
            self._wait(loop, waiting, _PASSES)
        return loop is not None

    async def ended(self) -> None:
        """Wait until all was sent that there was to be sent."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is not None:
            # One for each that waits: a task that is cancelled cancels what it waits for.
            waiting.append(loop.create_future())
            await waiting[-1]

    def release(self) -> None:
        """Let those of the running loop go on that wait: all that they had to send was sent."""
        loop = _running_loop()
        if loop is not None:
            for future in self._waiting.pop(loop, ()):
                if not future.done():
                    future.set_result(None)

    def _wait(self, loop: asyncio.AbstractEventLoop, waiting: list[asyncio.Future[None]], passes: int) -> None:
        if self._waiting.get(loop) is not waiting:
            return  # they were released
        if passes:
            loop.call_soon(self._wait, loop, waiting, passes - 1)
        else:
            try:
                self._at_end()
            finally:
                self.release()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
