"""Where the report of a verification goes: standard output, files, and the annotations of a GitHub run."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bodydouble_spec import Report, ReportFormat, render

from bodydouble._output import complain, print_report, print_text, stop

if TYPE_CHECKING:
    from bodydouble._options import FormatName

__all__ = ["Destination", "destinations", "put_out", "refuse_unwritable", "shows_pictures", "write"]


@dataclass(frozen=True, slots=True)
class Destination:
    """One ``--report FORMAT:FILE``."""

    format: ReportFormat
    file: Path


def destinations(texts: Iterable[str]) -> tuple[Destination, ...]:
    """The values of ``--report``; ends the command when one makes no sense, before anything is paid for."""
    return tuple(map(_destination, texts))


def shows_pictures(destinations: Iterable[Destination], format: "FormatName") -> bool:  # noqa: A002 - the option's name
    """Whether a page is among what is written."""
    return ReportFormat.HTML in {ReportFormat(format), *(item.format for item in destinations)}


def refuse_unwritable(option: str, file: Path | None) -> None:
    """End the command, before anything is paid for, when a file cannot be written as far as its folder tells."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        stop(f"{option} {file} cannot be written; name a file in a folder that exists")


def put_out(report: Report, format: "FormatName", output: Path | None, files: Sequence[Destination]) -> bool:  # noqa: A002 - the option's name
    """Write the report to its files, then print it; whether all of them could be written.

    In a GitHub run the findings are also annotations, unless standard output is for a program.
    """
    written = [write(item.file, render(report, item.format)) for item in files]
    print_report(report, format, output)
    is_for_people = format in {"text", "markdown"} or output is not None
    if os.environ.get("GITHUB_ACTIONS") == "true" and is_for_people:
        print_text(render(report, ReportFormat.GITHUB))
    return all(written)


def write(file: Path, text: str) -> bool:
    """Write a file; where that fails, say so and return False, because there may be more to save."""
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        complain(f"{file}: {error.strerror or error}; it was not written")
        return False
    return True


def _destination(text: str) -> Destination:
    name, colon, file = text.partition(":")
    if name not in [*ReportFormat] or not colon or not file:
        formats = ", ".join(ReportFormat)
        stop(f"--report {text}: write it as FORMAT:FILE, like html:report.html; formats are {formats}")
    path = Path(file)
    refuse_unwritable("--report", path)
    return Destination(ReportFormat(name), path)
