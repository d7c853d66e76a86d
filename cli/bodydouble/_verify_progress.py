"""How far a verification is: one line that changes where a person watches, plain lines elsewhere."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from bodydouble_contract_tests.verification import Progress

from bodydouble._text import printable

__all__ = ["Lines", "progress_text", "watching"]

# A log wants to see that something happens, not everything that does.
_CALLS_A_LINE = 50

Listener = Callable[[Progress], None]


def progress_text(progress: Progress) -> str:
    """Where a run stands, in one line: ``12 of 86 calls, spent 0.126 USD, left 0.624 USD, 2 findings: accepted/3``."""
    parts = [f"{progress.number} of {progress.total} calls"]
    if progress.spent_usd is not None:
        parts.append(f"spent {progress.spent_usd:.3f} USD")
    if progress.left_usd is not None:
        parts.append(f"left {progress.left_usd:.3f} USD")
    if progress.findings:
        parts.append(f"{progress.findings} finding{'' if progress.findings == 1 else 's'}")
    text = ", ".join(parts)
    if progress.waiting_s:
        return f"{text}: the server asks to wait {progress.waiting_s:.0f} s"
    return f"{text}: {printable(progress.case)}"


class Lines:
    """Says a line at the first call, every fifty calls, whenever money was spent, and before each wait."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        last = self._last
        is_news = last is None or progress.waiting_s > 0 or progress.spent_usd != last.spent_usd
        if is_news or (last is not None and progress.number >= last.number + _CALLS_A_LINE):
            self._last = progress
            self._say(progress_text(progress))


@contextmanager
def watching(*, quiet: bool) -> Generator[Listener | None]:
    """What to call with each `Progress`; None where nobody wants to know. All of it goes to standard error."""
    if quiet:
        yield None
    elif not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Lines(lambda text: print(f"bodydouble: {text}", file=sys.stderr, flush=True))  # noqa: T201 - not the report
    else:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=12), TextColumn("{task.description}", markup=False))
        with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
            task = bar.add_task("", total=None)
            yield lambda at: bar.update(task, total=at.total, completed=at.number, description=progress_text(at))
