"""The log of a server for a terminal: status in colour, pictures as links, and lines that break between words."""

import logging
import os
import shutil
from collections.abc import Iterator
from io import StringIO

from bodydouble_mockserver import LoggedCall
from bodydouble_spec.report import wrapped
from bodydouble_spec.text import cut
from rich.console import Console
from rich.style import Style
from rich.text import Text

__all__ = ["TerminalFormatter"]

_INDENT = 10
_SHORTEST_PROMPT = 12
# By the first digit of a status; a fault has none.
_COLOURS = {"2": "green", "3": "cyan", "4": "yellow", "5": "red"}


class TerminalFormatter(logging.Formatter):
    """Formats a call as a line with its time, status, duration and prompt, and below it what was injected, what is wrong, and the pictures.

    Anything else is a line with its time. Colours are left out where NO_COLOR is set.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s  %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record in lines that fit the terminal as it is now."""
        call = record.args[0] if isinstance(record.args, tuple) and len(record.args) == 1 else None
        if not isinstance(call, LoggedCall):
            return super().format(record)
        columns = shutil.get_terminal_size().columns
        written = StringIO()
        console = Console(
            file=written, force_terminal=True, width=columns, highlight=False, no_color="NO_COLOR" in os.environ
        )
        for line in _lines(self.formatTime(record, self.datefmt), call, columns):
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
        return written.getvalue().rstrip("\n")


def _lines(time: str, call: LoggedCall, columns: int) -> Iterator[Text]:
    colour = _COLOURS.get(str(call.status)[:1], "magenta")
    first = Text().append(f"{time}  ", "dim")
    first.append(str(call.status), f"bold {colour}")
    first.append(f"  {call.method} {call.path}")
    first.append(f"  {call.duration}", "dim")
    room = columns - first.cell_len - 4
    if call.prompt is not None and room >= _SHORTEST_PROMPT:
        first.append(f'  "{cut(call.prompt, room)}"')
    yield first
    below: list[tuple[str, str]] = []
    below += [(call.contract, "dim")] if call.contract is not None else []
    below += [(_injected(call.injected), "magenta")] if call.injected is not None else []
    below += [(call.note, "dim")] if call.note is not None else []
    below += [(call.reason, colour if call.status >= 400 else "yellow")] if call.reason is not None else []
    for text, style in below:
        yield from (Text(part, style) for part in wrapped(f"{' ' * _INDENT}{text}", columns).split("\n"))
    for url in call.pictures:
        link = Style(link=url, underline=True) if url.startswith("http") else Style()
        yield Text(" " * _INDENT).append(url, link)


def _injected(named: str) -> str:
    is_replay = named.startswith("replay=")
    return named.replace("replay=", "recorded answer ") if is_replay else f"injected by {named}"
