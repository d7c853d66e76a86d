"""What every command does with its report: print it or write it, and turn it into an exit code."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from bodydouble._text import one_line

if TYPE_CHECKING:
    from bodydouble_spec import Finding, Report

    from bodydouble._options import FailOnName, FormatName

__all__ = ["COULD_NOT_RUN", "complain", "exit_code_of", "print_report", "print_text", "stop", "stopping"]

COULD_NOT_RUN = 2


def print_report(report: "Report", format: "FormatName", output: Path | None = None) -> None:  # noqa: A002 - the option's name
    """Print the report, in colour where a person reads it, or write it to a file."""
    from bodydouble_spec import ReportFormat, render

    if output is not None:
        try:
            output.write_text(render(report, ReportFormat(format)), encoding="utf-8", newline="\n")
        except OSError as error:
            stop(f"{output}: {error.strerror or error}; --output needs a file that can be written")
    elif format == "text" and _is_read_by_a_person():
        from bodydouble._terminal import print_for_a_person

        print_for_a_person(report)
    else:
        print_text(render(report, ReportFormat(format)))


def print_text(text: str) -> None:
    """Write text to standard output as it is; a reader that has gone away is no error, and what it cannot encode becomes ``?``."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at the end, and would complain about the closed pipe then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code_of(findings: "tuple[Finding, ...]", fail_on: "FailOnName") -> int:
    """1 when a finding is at or above ``fail_on``, else 0."""
    from bodydouble_spec import Severity, exit_code

    return exit_code(findings, None if fail_on == "never" else Severity(fail_on))


def complain(message: str) -> None:
    """Say on standard error, in one line, what could not be done."""
    typer.echo(f"bodydouble: {one_line(message)}", err=True)


def stop(message: str) -> NoReturn:
    """End the command as one that could not run: one line on standard error, exit code 2."""
    complain(message)
    raise typer.Exit(COULD_NOT_RUN)


@contextmanager
def stopping() -> Generator[None]:
    """Ends the command by `stop` when an error of bodydouble's own is raised inside; its text says what, where and what to do."""
    from bodydouble_spec import SpecError

    try:
        yield
    except SpecError as error:
        stop(str(error))


def _is_read_by_a_person() -> bool:
    # https://no-color.org: any value but an empty one.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
