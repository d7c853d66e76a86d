"""The outputs of a verification's report: standard output, files, and the annotations of a GitHub run."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bodydouble_spec import Report, ReportFormat, render

from bodydouble.console import exit_with_error, print_error, print_report, print_text

if TYPE_CHECKING:
    from bodydouble.options import FormatName

__all__ = ["ReportFile", "ReportTargets", "check_writable", "parse_report_files", "write"]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The value of one ``--report FORMAT:FILE``."""

    format: ReportFormat
    file: Path


@dataclass(frozen=True, slots=True)
class ReportTargets:
    """The targets of a report: the format and file of ``--format`` and ``--output``, and further files."""

    format: "FormatName"
    output: Path | None
    files: tuple[ReportFile, ...]

    @property
    def has_html(self) -> bool:
        """True when one of the reports is an HTML page."""
        return ReportFormat.HTML in {ReportFormat(self.format), *(item.format for item in self.files)}

    def write(self, report: Report) -> bool:
        """Write the report to its files, then print it; return False when a file could not be written.

        In a GitHub run the findings are also printed as annotations, unless the output is for a program.
        """
        written = [write(item.file, render(report, item.format)) for item in self.files]
        print_report(report, self.format, self.output)
        is_for_people = self.format in {"text", "markdown"} or self.output is not None
        if os.environ.get("GITHUB_ACTIONS") == "true" and is_for_people:
            print_text(render(report, ReportFormat.GITHUB))
        return all(written)


def parse_report_files(texts: Iterable[str]) -> tuple[ReportFile, ...]:
    """Parse the values of ``--report``, and exit when one is not valid, before anything is paid for."""
    return tuple(map(_parse_report_file, texts))


def check_writable(option: str, file: Path | None) -> None:
    """Exit when the folder of a file does not exist, before anything is paid for."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        exit_with_error(f"{option} {file} cannot be written; name a file in a folder that exists")


def write(file: Path, text: str) -> bool:
    """Write a file; on failure print the error and return False, because there may be more to save."""
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        print_error(f"{file}: {error.strerror or error}; it was not written")
        return False
    return True


def _parse_report_file(text: str) -> ReportFile:
    name, colon, file = text.partition(":")
    if name not in [*ReportFormat] or not colon or not file:
        formats = ", ".join(ReportFormat)
        exit_with_error(f"--report {text}: write it as FORMAT:FILE, like html:report.html; formats are {formats}")
    path = Path(file)
    check_writable("--report", path)
    return ReportFile(ReportFormat(name), path)
