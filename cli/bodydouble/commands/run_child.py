"""A child process in the foreground, which shares our streams and gets our signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["CannotStart", "run_child"]

# Signals that ask a process to end, or that it may handle itself; Windows has only some.
_RELAYED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
# A terminal sends these to every process in its foreground, so the child has received them.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGBREAK")


class CannotStart(Exception):
    """The command could not be started; the text says why."""


def run_child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, or the negative number of the signal that killed it.

    Raises CannotStart.
    """
    with _relay_signals() as relay:
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603 - running what the user names is the purpose
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise CannotStart(f"{command[0]}: {reason}") from None
        relay.attach(child)
        return child.wait()


class _SignalRelay:
    """A signal handler that passes signals to a child, and keeps those that arrive before it has started."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def attach(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        while self._waiting:
            child.send_signal(self._waiting.pop(0))

    def handle(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            self._waiting.append(number)
        elif signal.Signals(number).name not in _FROM_TERMINAL or not _is_in_foreground():
            with suppress(OSError, ValueError):
                self._child.send_signal(number)


@contextmanager
def _relay_signals() -> Generator[_SignalRelay]:
    relay = _SignalRelay()
    numbers = [getattr(signal, name) for name in _RELAYED if hasattr(signal, name)]
    # Ignored signals (nohup) stay ignored, in the child too.
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, relay.handle)
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Tell whether this process, and so the child, gets the signals of the terminal's keys."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
