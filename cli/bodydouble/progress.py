"""The progress of what takes long, for people: one line on a terminal, on standard error, which is gone when it is done."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from bodydouble_spec.text import cut, visible

__all__ = ["ProgressLine", "is_terminal", "progress"]

# What is done sooner needs no line that comes and goes.
_DELAY_S = 0.5
_EVERY_S = 0.1
_BAR_CHARACTERS = 12
_MEGABYTE = 1_000_000
_CLEARED = "\r\x1b[K"


class ProgressLine:
    """A task under way: what is done at the moment, and how much of it where that is known."""

    def __init__(self, text: str) -> None:
        self._started = time.monotonic()
        self._amount = ""
        self._share: float | None = None
        self.update(text)

    def update(self, text: str, done: float = 0, total: float | None = None) -> None:
        """Show what is done now, with a bar where the total is known."""
        self._text = visible(text)
        self._show("", done, total)

    def counted(self, done: int, total: int) -> None:
        """Show how many of all are done."""
        if total > 1:
            self._show(f", {done:,} of {total:,}", done, total)

    def downloaded(self, received_bytes: int, total_bytes: int | None) -> None:
        """Show how much was received, of a download whose size is known or not."""
        size = f"{received_bytes / _MEGABYTE:.1f}"
        size += f" of {total_bytes / _MEGABYTE:.1f}" if total_bytes else ""
        self._show(f", {size} MB", received_bytes, total_bytes)

    def _show(self, amount: str, done: float, total: float | None) -> None:
        self._amount = amount
        self._share = min(done / total, 1.0) if total else None

    def line(self, columns: int) -> str:
        """Return the progress in one line that fits a terminal."""
        seconds = int(time.monotonic() - self._started)
        ending = f"{self._amount}  {seconds // 60}:{seconds % 60:02}"
        bar = "" if self._share is None else f"[{'#' * round(self._share * _BAR_CHARACTERS):<{_BAR_CHARACTERS}}] "
        return f"{bar}{cut(self._text, max(columns - 1 - len(bar) - len(ending), 1))}{ending}"


def is_terminal() -> bool:
    """Return whether standard error is a terminal that can take a line back."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(text: str) -> Generator[ProgressLine]:
    """Yield the progress of what is done inside; it is shown after half a second, when standard error is a terminal."""
    shown = ProgressLine(text)
    # What a server does beside its calls is told in its log.
    if not is_terminal() or threading.current_thread() is not threading.main_thread():
        yield shown
        return
    is_done = threading.Event()
    drawing = threading.Thread(target=_draw, args=(shown, is_done), name="bodydouble-progress", daemon=True)
    drawing.start()
    try:
        yield shown
    finally:
        is_done.set()
        drawing.join()


def _draw(shown: ProgressLine, is_done: threading.Event) -> None:
    if is_done.wait(_DELAY_S):
        return
    while True:
        _write(f"{_CLEARED}{shown.line(shutil.get_terminal_size().columns)}")
        if is_done.wait(_EVERY_S):
            break
    _write(_CLEARED)


def _write(text: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
    sys.stderr.flush()
