"""The targets of a report: the console in one format, files in others, and the page of a GitHub run."""

import os
import re
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from bodydouble_spec import Finding, Report, ReportFormat, Severity, render
from bodydouble_spec.report import BadBaseline, Baseline, render_annotations, wrapped

from bodydouble import __version__
from bodydouble.console import COULD_NOT_RUN, exit_code_of, exit_with_error, print_error, print_text
from bodydouble.options import FailOnName

__all__ = [
    "BadReport",
    "Format",
    "KnownFindings",
    "ReportFile",
    "ReportTargets",
    "Reports",
    "check_writable",
    "muted_fact",
    "stamped",
    "write_file",
]

Format = Annotated[ReportFormat, typer.Option("--format", help="Format of what is printed.", rich_help_panel="Report")]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT[:FILE]",
        help="Also write the report to a file, such as html:report.html (default: bodydouble-report.html); github prints annotations. Repeatable.",
        rich_help_panel="Report",
    ),
]

_SUFFIXES = {ReportFormat.TEXT: "txt", ReportFormat.MARKDOWN: "md", ReportFormat.JUNIT: "xml"}
_FOR_PEOPLE = {ReportFormat.TEXT, ReportFormat.MARKDOWN}
# GitHub refuses a summary of more than 1 MiB; the page of a run shows the beginning of a long one.
_SUMMARY_BYTES = 900_000


class BadReport(ValueError):
    """A report cannot be written as it was asked for; the text says how to ask."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file, and the format of the report in it."""

    format: ReportFormat
    path: Path

    @classmethod
    def parse_all(
        cls, texts: Iterable[str], option: str = "--report", folder: Path | None = None
    ) -> "list[ReportFile | None]":
        """Read the values of an option that may be repeated; see `parse`. Raises BadReport, also for two reports that go to one file."""
        files = [cls.parse(text, option, folder) for text in texts]
        taken = set[Path]()
        for item in filter(None, files):
            if item.path.resolve() in taken:
                raise BadReport(f"{option}: two reports go to {item.path}; give each a file of its own")
            taken.add(item.path.resolve())
        return files

    @classmethod
    def parse(cls, text: str, option: str = "--report", folder: Path | None = None) -> "ReportFile | None":
        """Read ``FORMAT[:FILE]``, the value of an option; None stands for ``github`` without a file, which is printed.

        Without a file it is ``bodydouble-report`` with the suffix of its format. A relative path is below ``folder``. Raises BadReport.
        """
        name, colon, file = text.partition(":")
        if name not in {*ReportFormat} or (colon and not file):
            formats = ", ".join(ReportFormat)
            similar = get_close_matches(name, {*map(str, ReportFormat)} - {name}, n=1)
            meant = f"did you mean {similar[0]}? " if similar else ""
            raise BadReport(
                f"{option} {text}: {meant}write it as FORMAT:FILE, like html:report.html, or FORMAT; formats are {formats}"
            )
        if name == ReportFormat.GITHUB and not file:
            return None
        chosen = ReportFormat(name)
        path = Path(folder or "", file or f"bodydouble-report.{_SUFFIXES.get(chosen, name)}")
        if not _has_folder(path):
            raise BadReport(f"{option} {path} cannot be written; name a file in a folder that exists")
        return cls(chosen, path)

    def write(self, report: Report) -> str | None:
        """Write the report, and return why it could not be written."""
        return _written(self.path, render(report, self.format))


def stamped(report: Report) -> Report:
    """Return the report with the time and the version of the program."""
    return replace(report, made_at=datetime.now(UTC), version=__version__)


@dataclass(frozen=True, slots=True)
class ReportTargets:
    """The targets of ``--format`` and ``--report``.

    ``is_on_stderr`` is for a command whose standard output belongs to another program. ``started`` is the moment from which the time of a report is measured.
    """

    format: ReportFormat
    files: tuple[ReportFile, ...] = ()
    has_annotations: bool = False
    is_on_stderr: bool = False
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def parse(
        cls,
        format: ReportFormat,  # noqa: A002 - the option's name
        reports: Iterable[str] | None,
        *,
        is_on_stderr: bool = False,
    ) -> "ReportTargets":
        """Read the options. Exits when one is not valid or a file has no folder, before any work is done.

        In a GitHub run the log has annotations as well, unless the console is for a program.
        """
        try:
            files = [item for item in ReportFile.parse_all(reports or ()) if item is not None]
        except BadReport as error:
            exit_with_error(str(error))
        is_github_run = os.environ.get("GITHUB_ACTIONS") == "true" and format in _FOR_PEOPLE
        wants_annotations = any(text == ReportFormat.GITHUB for text in reports or ())
        return cls(format, tuple(files), is_github_run or wants_annotations, is_on_stderr)

    @property
    def has_html(self) -> bool:
        """True when one of the reports is an HTML page."""
        return ReportFormat.HTML in {self.format, *(item.format for item in self.files)}

    def write(self, report: Report) -> bool:
        """Write the report to its files, then print it; return False when a file could not be written.

        Of a run that examined nothing no text is printed: its caller says why on standard error, and that is all there is to say.
        """
        seconds = time.monotonic() - self.started
        report = replace(stamped(report), seconds=seconds)
        problems = [problem for item in self.files if (problem := item.write(report)) is not None]
        for problem in problems:
            print_error(problem)
        if not (report.is_empty and self.format is ReportFormat.TEXT):
            self._print(render(report, self.format), self.format)
        if self.has_annotations and self.format is not ReportFormat.GITHUB:
            # Verdict and numbers stand in the report above.
            self._print(render_annotations(report), ReportFormat.GITHUB)
        _add_to_summary(report)
        return not problems

    def finish(self, report: Report, fail_on: FailOnName) -> int:
        """Write the report and return the exit code by its findings: 2 when a file could not be written."""
        return exit_code_of(report.findings, fail_on) if self.write(report) else COULD_NOT_RUN

    def _print(self, text: str, printed: ReportFormat) -> None:
        stream = sys.stderr if self.is_on_stderr else sys.stdout
        if printed is ReportFormat.TEXT and stream.isatty():
            text = _for_terminal(text)
        if self.is_on_stderr:
            sys.stderr.write(text)
            sys.stderr.flush()
        else:
            print_text(text)


_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "34"}
_SEVERITY = re.compile(rf"^({'|'.join(Severity)})(?= )", re.MULTILINE)


def _for_terminal(text: str) -> str:
    """Break the lines of a text report for the terminal, and colour the severities unless NO_COLOR or a dumb terminal forbids it."""
    text = wrapped(text, shutil.get_terminal_size().columns)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return _SEVERITY.sub(lambda word: f"\x1b[{_COLOURS[Severity(word[0])]}m{word[0]}\x1b[0m", text)


def _add_to_summary(report: Report) -> None:
    """Append the report to the page of a GitHub run, whose step names a file for this."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return
    text = render(report, ReportFormat.MARKDOWN)
    if len(text.encode()) > _SUMMARY_BYTES:
        text = (
            text.encode()[:_SUMMARY_BYTES].decode("utf-8", "ignore")
            + "\n\n(shortened here; `--report` writes all of it)\n"
        )
    try:
        with Path(summary).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
    except OSError as error:
        # The report was printed; the page of the run is an extra.
        print_error(f"GITHUB_STEP_SUMMARY={summary}: {error.strerror or error}; the page of the run has no report")


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """The files of ``--baseline`` and ``--write-baseline``: findings that are known, and where those of this run are written."""

    baseline: Baseline | None
    written_to: Path | None

    @classmethod
    def load(cls, baseline: Path | None, written_to: Path | None) -> "KnownFindings":
        """Read the options. Exits when the baseline cannot be read, or the other file has no folder."""
        check_writable("--write-baseline", written_to)
        return cls(None if baseline is None else _load_baseline(baseline), written_to)

    def applied(self, report: Report) -> Report:
        """Return the report without what is known, which becomes a fact."""
        if self.baseline is None:
            return report
        new, muted = self.baseline.split(report.findings)
        # Counted as the report counts: what a finding covers is not another one.
        known = report.known + len(report.findings) - len(new)
        return replace(report, findings=new, known=known, details={**report.details, **muted_fact(muted)})

    def finish(self, findings: Iterable[Finding], code: int) -> int:
        """Write the findings of this run as a baseline where that was asked for, and return the exit code: 0 instead of 1 then."""
        if self.written_to is None:
            return code
        # The findings in it are known from now on, so they do not fail this run.
        is_written = write_file(self.written_to, Baseline.of(findings).to_json())
        return 0 if is_written and code != COULD_NOT_RUN else COULD_NOT_RUN


def muted_fact(muted: Iterable[Finding]) -> dict[str, Any]:
    """Return a fact with the known findings, each as id, place and fingerprint; nothing without any."""
    rows = [{"id": item.id, "pointer": item.pointer, "fingerprint": item.fingerprint} for item in muted]
    return {"muted": rows} if rows else {}


def _load_baseline(file: Path) -> Baseline:
    try:
        return Baseline.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        exit_with_error(f"--baseline {file}: {error.strerror or error}; --write-baseline FILE writes one")
    except (BadBaseline, UnicodeDecodeError) as error:
        exit_with_error(f"--baseline {file}: {error}")


def check_writable(option: str, file: Path | None) -> None:
    """Exit when a file is a folder, or its folder does not exist."""
    if file is not None and not _has_folder(file):
        exit_with_error(f"{option} {file} cannot be written; name a file in a folder that exists")


def write_file(file: Path, text: str) -> bool:
    """Write a file; on failure print the error and return False, because there may be more to save."""
    problem = _written(file, text)
    if problem is not None:
        print_error(problem)
    return problem is None


def _has_folder(file: Path) -> bool:
    return not file.is_dir() and file.absolute().parent.is_dir()


def _written(file: Path, text: str) -> str | None:
    """Write a file, and return why it could not be written."""
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        return f"{file}: {error.strerror or error}; it was not written"
    return None
