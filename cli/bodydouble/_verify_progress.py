"""The progress of a verification: a progress bar on a terminal, lines elsewhere."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from bodydouble_contract_tests.verification import Progress

from bodydouble._text import printable

__all__ = ["LogLines", "progress_listener", "progress_text"]

# Often enough to show progress in a log, without a line for each call.
_CALLS_PER_LINE = 50

Listener = Callable[[Progress], None]


def progress_text(progress: Progress) -> str:
    """Return the progress in one line: ``12 of 86 calls, spent 0.126 USD, left 0.624 USD, 2 findings: accepted/3``."""
    parts = [f"{progress.number} of {progress.total} calls"]
    if progress.spent_usd is not None:
        parts.append(f"spent {progress.spent_usd:.3f} USD")
    if progress.left_usd is not None:
        parts.append(f"left {progress.left_usd:.3f} USD")
    if progress.findings:
        parts.append(f"{progress.findings} finding{'' if progress.findings == 1 else 's'}")
    text = ", ".join(parts)
    if progress.waiting_s:
        return f"{text}: the server asked to wait {progress.waiting_s:.0f} s"
    return f"{text}: {printable(progress.case)}"


class LogLines:
    """A listener that writes a line at the first call, every fifty calls, after each payment, and before each wait."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        last = self._last
        is_due = last is None or progress.waiting_s > 0 or progress.spent_usd != last.spent_usd
        if is_due or (last is not None and progress.number >= last.number + _CALLS_PER_LINE):
            self._last = progress
            self._write(progress_text(progress))


@contextmanager
def progress_listener(*, quiet: bool) -> Generator[Listener | None]:
    """Yield a listener that prints each `Progress` to standard error, None when ``quiet``."""
    if quiet:
        yield None
    elif not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield LogLines(lambda text: print(f"bodydouble: {text}", file=sys.stderr, flush=True))  # noqa: T201 - not the report
    else:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=12), TextColumn("{task.description}", markup=False))
        with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
            task = bar.add_task("", total=None)
            yield lambda at: bar.update(task, total=at.total, completed=at.number, description=progress_text(at))
