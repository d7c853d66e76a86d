"""Another program in the foreground: its streams are ours, and signals that we get are its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["CannotStart", "run_child"]

# Those by which a process is asked to end, or to do something of its own; Windows has only some.
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
# A terminal sends these to every process in its foreground, so the child has had them.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGBREAK")


class CannotStart(Exception):
    """The command could not be started; the text says why."""


def run_child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with its arguments to its end; its exit code, or the negative number of the signal that ended it.

    Raises CannotStart.
    """
    with _passing_signals() as started:
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603 - running what the user names is the purpose
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise CannotStart(f"{command[0]}: {reason}") from None
        started(child)
        return child.wait()


class _Relay:
    """Passes signals to a child; those that come before it is there wait for it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def __call__(self, child: subprocess.Popen[bytes]) -> None:
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
def _passing_signals() -> Generator[_Relay]:
    relay = _Relay()
    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    # What is ignored (nohup) stays ignored, in the child too.
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, relay.handle)
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Whether a key of a terminal reaches this process, and with it the child."""
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
