"""Delays of answers, which a server that shuts down ends early."""

import asyncio
import contextlib

__all__ = ["Pauses"]


class Pauses:
    """The delays that are running, in one event loop or several."""

    def __init__(self) -> None:
        self._running: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def wait(self, seconds: float) -> None:
        """Wait for that time, or until `end` is called."""
        pause = (asyncio.get_running_loop(), asyncio.Event())
        self._running.add(pause)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await pause[1].wait()
        finally:
            self._running.discard(pause)

    def end(self) -> None:
        """End all delays; thread-safe."""
        for loop, event in tuple(self._running):
            # A closed loop, whose delay was never ended, raises here.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)
