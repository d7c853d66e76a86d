"""``bodydouble run``: a program in any language, run against a mock, and its requests checked at the end."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble.console import exit_code_of, exit_on_error, exit_with_error, print_report
from bodydouble.options import FailOn, Format, Output

if TYPE_CHECKING:
    from bodydouble_spec import Report

    from bodydouble.options import FormatName

__all__ = ["run"]


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND…", help="Program to run, with its arguments.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the mock; 0 picks a free one.")] = 0,
    openai: Annotated[bool, typer.Option("--openai", help="Set OPENAI_BASE_URL and OPENAI_API_KEY too.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File with scripted answers and limits, JSON or YAML.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append every exchange to this file, as JSON lines.")
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
) -> None:
    """Run a command against a mock, and report the requests that break the contract.

    AIMLAPI_BASE_URL and its other spellings are set to the mock, and the key to a dummy. The report is written to standard error. Exit codes: 1 when
    the command failed or a request broke the contract, 2 when the command could not be started.
    """
    from bodydouble_mockserver import BadScenario, Settings, create_app
    from bodydouble_mockserver.server import CannotServe
    from bodydouble_spec import Contract, Report, Severity, read_document

    from bodydouble.commands.run_child import CannotStart, run_child
    from bodydouble.fixture import BackgroundServer, mock_variables, request_findings, unused_findings

    # The report needs every request; values over 16 kB are kept as hashes.
    settings = Settings(journal_file=journal, journal_entries=1_000_000, journal_bytes=256 * 1024 * 1024)
    with exit_on_error():
        contract = Contract.load()
        script = None if scenario is None else read_document(scenario)
    try:
        app = create_app(contract, settings)
        if script is not None:
            app.play(script)
        server = BackgroundServer(app, port)
    except BadScenario as error:
        exit_with_error(f"--scenario {scenario}: {error}")
    except (CannotServe, ValueError) as error:
        exit_with_error(str(error))
    with server:
        variables = mock_variables(server.url, os.environ, openai=openai)
        try:
            ended = run_child(command, {**os.environ, **variables})
        except CannotStart as error:
            exit_with_error(f"{error}; write the program to run after --, then its arguments")
        scripted: dict[str, Any] = server.control("GET", "scenarios")[1]
    exchanges = app.journal.exchanges()
    findings = (
        *request_findings(exchanges, contract),
        *unused_findings(scripted["answers"], len(exchanges), Severity.WARNING, {}),
    )
    # Without the arguments, which may hold a secret.
    facts = {"command": f"{command[0]} {_describe_exit(ended)}", "requests": len(exchanges), "mock": server.url}
    _print_report(Report("Requests of the command", findings, facts), format, output)
    raise typer.Exit(1 if ended else exit_code_of(findings, fail_on))


def _print_report(report: "Report", format: "FormatName", output: Path | None) -> None:  # noqa: A002 - the option's name
    """Write the report to the file or to standard error, because standard output is the command's."""
    if output is not None:
        print_report(report, format, output)
    else:
        from bodydouble_spec import ReportFormat, render

        sys.stderr.write(render(report, ReportFormat(format)))
        sys.stderr.flush()


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exited with {code}"
    known = {item.value: item.name for item in signal.Signals}
    return f"was killed by {known.get(-code, f'signal {-code}')}"
