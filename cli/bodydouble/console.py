"""The output of the commands: help, reports, error messages and exit codes.

The root command needs this module, so bodydouble_spec is imported inside the functions.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bodydouble_spec import Finding

    from bodydouble.options import FailOnName

__all__ = [
    "COULD_NOT_RUN",
    "exit_code_of",
    "exit_on_error",
    "exit_with_error",
    "for_terminal",
    "new_app",
    "one_line",
    "print_error",
    "print_text",
    "signals_interrupt",
]


def one_line(text: str, limit: int = 600) -> str:
    """Return the text as one line that is safe to print, of at most ``limit`` characters."""
    from bodydouble_spec.text import cut_line

    return cut_line(text, limit)


COULD_NOT_RUN = 2


def new_app(**settings: Any) -> typer.Typer:
    """Return an app without rich markup: help and usage errors are plain lines, easy to search for in a log."""
    plain: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None, "add_completion": False}
    return typer.Typer(**{**plain, **settings})


def print_text(text: str) -> None:
    """Write text to standard output. A closed pipe is no error, and characters that it cannot encode become ``?``."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at the end, and would report the closed pipe then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def for_terminal(text: str) -> str:
    """Return a text with its lines broken between words, where standard output is a terminal."""
    if not sys.stdout.isatty():
        return text
    from bodydouble_spec.report import wrapped

    return wrapped(text, shutil.get_terminal_size().columns)


def exit_code_of(findings: "tuple[Finding, ...]", fail_on: "FailOnName") -> int:
    """Return 1 when a finding is at or above ``fail_on``, else 0."""
    from bodydouble_spec import Severity, exit_code

    return exit_code(findings, None if fail_on == "never" else Severity(fail_on))


def print_error(message: str) -> None:
    """Print a message to standard error, in one line."""
    typer.echo(f"bodydouble: {one_line(message)}", err=True)


def exit_with_error(message: str) -> NoReturn:
    """Print a message to standard error and exit with 2, because the command could not run."""
    print_error(message)
    raise typer.Exit(COULD_NOT_RUN)


@contextmanager
def exit_on_error(*others: type[Exception]) -> Generator[None]:
    """Exit with the message of a SpecError, or of another of these errors, that is raised inside."""
    from bodydouble_spec import SpecError

    expected: tuple[type[Exception], ...] = (SpecError, *others)
    try:
        yield
    except expected as error:
        exit_with_error(str(error))


@contextmanager
def signals_interrupt() -> Generator[None]:
    """Let SIGTERM, and SIGHUP where it is not ignored, interrupt as Ctrl-C does, so that what was paid for or found is told in either case."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
