"""``bodydouble run``: any program, in any language, against a mock of its own, and what it sent judged at the end."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble._options import FailOn, Format, Output
from bodydouble._output import exit_code_of, print_report, stop, stopping

if TYPE_CHECKING:
    from bodydouble_spec import Report

    from bodydouble._options import FormatName

__all__ = ["run"]


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND…", help="The program to run, with its arguments.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the mock; 0 takes a free one.")] = 0,
    openai: Annotated[bool, typer.Option("--openai", help="Set OPENAI_BASE_URL and OPENAI_API_KEY too.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Script of answers and limits, JSON or YAML.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append every exchange to this file, as JSON lines.")
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
) -> None:
    """Run a command against the mock, and report what it sent that breaks the contract.

    The command finds the mock in AIMLAPI_BASE_URL and the like, with a dummy key. The report goes to standard error. Exit codes: 1 when the command
    failed or a request broke the contract, 2 when the command could not be started.
    """
    from bodydouble_mockserver import BadScenario, Settings, create_app
    from bodydouble_mockserver.server import CannotServe
    from bodydouble_spec import Contract, Report, Severity, read_document

    from bodydouble._fixture_environment import mock_variables
    from bodydouble._fixture_findings import request_findings, unused_findings
    from bodydouble._fixture_server import BackgroundServer
    from bodydouble._run_child import CannotStart, run_child

    # The verdict needs every request, however many; what they hold beyond 16 kB is kept as hashes.
    settings = Settings(journal_file=journal, journal_entries=1_000_000, journal_bytes=256 * 1024 * 1024)
    with stopping():
        contract = Contract.load()
        script = None if scenario is None else read_document(scenario)
    try:
        app = create_app(contract, settings)
        if script is not None:
            app.play(script)
        server = BackgroundServer(app, port)
    except BadScenario as error:
        stop(f"--scenario {scenario}: {error}")
    except (CannotServe, ValueError) as error:
        stop(str(error))
    with server:
        variables = mock_variables(server.url, os.environ, openai=openai)
        try:
            ended = run_child(command, {**os.environ, **variables})
        except CannotStart as error:
            stop(f"{error}; after -- stands the program to run, then its arguments")
        scripted: dict[str, Any] = server.control("GET", "scenarios")[1]
    exchanges = app.journal.exchanges()
    findings = (
        *request_findings(exchanges, contract),
        *unused_findings(scripted["answers"], len(exchanges), Severity.WARNING, {}),
    )
    # The arguments may hold a secret, the program's name does not.
    facts = {"command": f"{command[0]} {_end_of(ended)}", "requests": len(exchanges), "mock": server.url}
    _report(Report("What the command sent", findings, facts), format, output)
    raise typer.Exit(1 if ended else exit_code_of(findings, fail_on))


def _report(report: "Report", format: "FormatName", output: Path | None) -> None:  # noqa: A002 - the option's name
    """Standard output is the command's, so the report goes to standard error, or to the file."""
    if output is not None:
        print_report(report, format, output)
    else:
        from bodydouble_spec import ReportFormat, render

        sys.stderr.write(render(report, ReportFormat(format)))
        sys.stderr.flush()


def _end_of(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    known = {item.value: item.name for item in signal.Signals}
    return f"was ended by {known.get(-code, f'signal {-code}')}"
