"""``bodydouble run``: a program in any language, run against a mock, and its requests checked at the end.

The program is a child process in the foreground, which shares our streams and gets our signals.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from bodydouble_mockserver import BadScenario, Settings, create_app
from bodydouble_mockserver.interception import Authority, CannotIntercept
from bodydouble_mockserver.server import CannotServe
from bodydouble_spec import DUMMY_KEY, Report, ReportFormat, Severity, read_document

from bodydouble.console import exit_on_error, exit_with_error, new_app
from bodydouble.fixture import (
    NO_REQUEST,
    BackgroundServer,
    missing_findings,
    mock_variables,
    read_dotenv,
    request_findings,
    unused_findings,
)
from bodydouble.help_texts import Command
from bodydouble.options import (
    ContractsOption,
    FailOn,
    InterceptOption,
    OverlayOption,
    ScenarioModelOption,
    ScenarioOperationOption,
    for_operation,
    load_contracts,
)
from bodydouble.reports import Format, Reports, ReportTargets

__all__ = ["app"]

# Signals that ask a process to end, or that it may handle itself; Windows has only some.
_RELAYED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
# A terminal sends these to every process in its foreground, so the child has received them.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGBREAK")

app = new_app()


# Options after the name of the program to run are its own, with or without `--`.
@app.command(cls=Command, context_settings={"allow_interspersed_args": False}, epilog="bodydouble run -- python app.py")
def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="Program to run, with its arguments.")],
    contract: ContractsOption = None,
    overlay: OverlayOption = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the mock; 0 picks a free one.", rich_help_panel="Server")
    ] = 0,
    openai: Annotated[
        bool, typer.Option("--openai", help="Set OPENAI_BASE_URL and OPENAI_API_KEY too.", rich_help_panel="Server")
    ] = False,
    intercept: InterceptOption = False,
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File with scripted answers and limits, JSON or YAML.", rich_help_panel="Answers"
        ),
    ] = None,
    operation: ScenarioOperationOption = None,
    model: ScenarioModelOption = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append every exchange to this file, as JSON lines.",
            rich_help_panel="Journal and control",
        ),
    ] = None,
    at_least: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Fail when the command makes fewer requests; 0 allows no request.",
            rich_help_panel="Report",
        ),
    ] = 1,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    report: Reports = None,
) -> None:
    """Run a command against a mock, and report the requests that break the contract.

    AIMLAPI_BASE_URL and its other spellings are set to the mock, and the key to a dummy; --intercept also answers for the real host. The report is written to standard error. Exit codes: that
    of the command when it failed; 1 when a request broke the contract, no request was made or a scripted answer was not used; 2 when the command could
    not be started.
    """
    # The report needs every request; values over 16 kB are kept as hashes.
    settings = Settings(
        expected_key=DUMMY_KEY,
        picture_host="localhost",
        journal_file=journal,
        journal_entries=1_000_000,
        journal_bytes=256 * 1024 * 1024,
    )
    # Standard output is the command's.
    targets = ReportTargets.parse(format, report, is_on_stderr=True)
    with exit_on_error():
        contracts = load_contracts(contract, overlay)
        script = None if scenario is None else for_operation(read_document(scenario), operation, model)
    with ExitStack() as opened:
        try:
            app = create_app(contracts, settings)
            if script is not None:
                app.play(script)
            authority = opened.enter_context(Authority()) if intercept else None
            server = opened.enter_context(BackgroundServer(app, port, authority))
        except CannotIntercept as error:
            exit_with_error(f"--intercept: {error}")
        except BadScenario as error:
            exit_with_error(f"--scenario {scenario}: {error}")
        except (CannotServe, ValueError) as error:
            exit_with_error(str(error))
        variables = mock_variables(server.url, {**read_dotenv([Path.cwd()]), **os.environ}, openai=openai)
        if server.interception is not None:
            variables |= server.interception.variables(server.url, {**os.environ, **variables})
        try:
            ended = _run_child(command, {**os.environ, **variables})
        except _CannotStart as error:
            exit_with_error(f"{error}; write the program to run after --, then its arguments")
        scripted: dict[str, Any] = server.control("GET", "scenarios")[1]
    exchanges, pictures = app.journal.exchanges(), app.journal.pictures()
    findings = (
        *request_findings([*exchanges, *pictures]),
        *unused_findings(scripted["answers"], len(exchanges), Severity.ERROR, {}),
        *missing_findings(
            exchanges, at_least, variables, server.interception.hosts.names if server.interception else ()
        ),
    )
    # Without the arguments, which may hold a secret.
    facts: dict[str, object] = {"command": f"{command[0]} {_describe_exit(ended)}", "requests": len(exchanges)}
    facts |= {"downloads": len(pictures)} if pictures else {}
    facts["mock"] = server.url
    examined = f"{len(exchanges)} request{'s' * (len(exchanges) != 1)}"
    is_nothing = not exchanges and [finding.id for finding in findings] == [NO_REQUEST]
    verdict = "The command made no request to the mock, so nothing was examined" if is_nothing else None
    found = Report("Requests of the command", findings, facts, examined=examined, verdict=verdict)
    code = targets.finish(found, fail_on)
    raise typer.Exit(_exit_code(ended) or code)


def _exit_code(ended: int) -> int:
    """Return the exit code of a child as a shell gives it: 128 and the number of the signal that killed it."""
    return ended if ended >= 0 else 128 - ended


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exited with {code}"
    known = {item.value: item.name for item in signal.Signals}
    return f"was killed by {known.get(-code, f'signal {-code}')}"


class _CannotStart(Exception):
    """The command could not be started; the text says why."""


def _run_child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, or the negative number of the signal that killed it.

    Raises _CannotStart.
    """
    with _relay_signals() as relay:
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603 - running what the user names is the purpose
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise _CannotStart(f"{command[0]}: {reason}") from None
        relay.attach(child)
        return child.wait()


class _SignalRelay:
    """A signal handler that passes signals to a child, and keeps those that arrive before it has started."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def attach(self, child: subprocess.Popen[bytes]) -> None:
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
def _relay_signals() -> Generator[_SignalRelay]:
    relay = _SignalRelay()
    numbers = [getattr(signal, name) for name in _RELAYED if hasattr(signal, name)]
    # Ignored signals (nohup) stay ignored, in the child too.
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, relay.handle)
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Tell whether this process, and so the child, gets the signals of the terminal's keys."""
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
