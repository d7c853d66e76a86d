"""Several processes that serve one address; one that dies is replaced."""

import asyncio
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NoReturn

import typer

__all__ = ["end_with_parent", "run_workers"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else []))
# A process that ends within this time has not served: its successor would not do better.
_SHORTEST_LIFE_S = 1.0
_LOOKED_EVERY_S = 1.0
_PAUSE_S = 1.0


async def end_with_parent(parent: int) -> None:
    """End this process, as a signal does, when its parent of that id was killed."""
    while os.getppid() == parent:
        await asyncio.sleep(_LOOKED_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def run_workers(count: int, serve: Callable[[], None]) -> None:
    """Run ``serve`` in so many child processes until a signal ends them all, which lets the calls that they answer end.

    Exits with 2 when a process ends as soon as it began, unless others serve already.
    """
    workers = _Workers(serve)
    for _ in range(count):
        workers.start()
    if not workers.watch():
        typer.echo("bodydouble serve: a process ended as soon as it was started", err=True)
        raise typer.Exit(2)


class _Workers:
    """Child processes, by id with the time of their start."""

    def __init__(self, serve: Callable[[], None]) -> None:
        self._serve = serve
        self._started: dict[int, float] = {}
        self._is_stopping = False
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, handler in self._handlers.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def start(self) -> None:
        """Start one more."""
        # A signal that comes in between would reach no child, or the handler of the parent in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            _run_child(self._serve, self._handlers)
        self._started[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def watch(self) -> bool:
        """Replace those that die, until none is left; return whether all of them have served."""
        have_served = True
        while self._started:
            pid, status = os.wait()
            is_short = time.monotonic() - self._started.pop(pid) < _SHORTEST_LIFE_S
            if self._is_stopping:
                continue
            if is_short and os.waitstatus_to_exitcode(status) > 0:
                if not self._are_served:
                    have_served = False
                    self._stop(signal.SIGTERM, None)
                    continue
                # It found no Redis, say; the others go on without.
                time.sleep(_PAUSE_S)
            self.start()
        return have_served

    @property
    def _are_served(self) -> bool:
        now = time.monotonic()
        return any(now - started >= _SHORTEST_LIFE_S for started in self._started.values())

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)


def _run_child(serve: Callable[[], None], handlers: Mapping[signal.Signals, Any]) -> NoReturn:
    """Serve in this process, and end it."""
    code = 2
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        serve()
        code = 0
    except typer.Exit:
        pass  # the reason was printed
    except BaseException:  # noqa: BLE001 - nothing of the parent may run in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
