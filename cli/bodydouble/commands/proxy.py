"""``bodydouble proxy``: pass calls on to the real API, look at both directions, and record them within a spending cap."""

import math
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from bodydouble_mockserver import Settings
from bodydouble_mockserver.server import CannotServe
from bodydouble_spec import Contract, Report, ReportFormat, SpecError
from bodydouble_spec.recording import EXCHANGES

from bodydouble.console import COULD_NOT_RUN, exit_with_error, new_app, print_error
from bodydouble.help_texts import Command
from bodydouble.options import (
    MAX_AGE_DAYS,
    ContractsOption,
    FailOn,
    FailOnName,
    InterceptOption,
    MaxAgeOption,
    OverlayOption,
    ReplayIgnoreOption,
    load_contracts,
)
from bodydouble.recordings import read_recordings, recording_notices
from bodydouble.reports import Format, Reports, ReportTargets
from bodydouble.serving import Foreground, Proxied, print_banner

if TYPE_CHECKING:
    from bodydouble_contract_tests.proxy import ProxyServer
    from bodydouble_contract_tests.spending import SpendingCap

__all__ = ["app"]

app = new_app()
_MEGABYTE = 1024 * 1024


@app.command(cls=Command, epilog="bodydouble proxy --record recordings/demo --max-usd 0.50")
def proxy(
    record: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for the calls, their pictures and large inputs.",
            rich_help_panel="Recordings",
        ),
    ],
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Upstream server, with or without /v1. Default: that of the contract.",
            rich_help_panel="Server",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel="Server")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 picks a free one and prints it.", rich_help_panel="Server"
        ),
    ] = 8000,
    max_usd: Annotated[
        float, typer.Option(min=0, metavar="USD", help="Spending limit of this run.", rich_help_panel="Money")
    ] = 1.0,
    max_usd_per_key: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Spending limit of each API key in this run.", rich_help_panel="Money"),
    ] = None,
    max_usd_per_day: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="USD",
            help="Spending limit of a day (UTC), over all runs with one ledger.",
            rich_help_panel="Money",
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File for --max-usd-per-day. Default: bodydouble/spending.jsonl in ~/.local/state or $XDG_STATE_HOME.",
            rich_help_panel="Money",
        ),
    ] = None,
    price_usd: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="USD", help="Price of a picture. Default: that of the contract.", rich_help_panel="Money"
        ),
    ] = None,
    pass_unpriced: Annotated[
        bool,
        typer.Option(
            "--pass-unpriced",
            help="Also send calls of unknown price, to which no limit applies.",
            rich_help_panel="Money",
        ),
    ] = False,
    replay_first: Annotated[
        bool,
        typer.Option(
            "--replay-first",
            help="Answer calls that are already in DIR from there, at no cost.",
            rich_help_panel="Recordings",
        ),
    ] = False,
    replay_ignore: ReplayIgnoreOption = None,
    max_age_days: MaxAgeOption = MAX_AGE_DAYS,
    contract: ContractsOption = None,
    overlay: OverlayOption = None,
    intercept: InterceptOption = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            metavar="FILE",
            help="PEM file of authorities to trust in addition to the usual ones.",
            rich_help_panel="Server",
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout",
            min=1,
            metavar="SECONDS",
            help="Time to wait for the upstream server, in seconds without data.",
            rich_help_panel="Server",
        ),
    ] = 600,
    max_body_mb: Annotated[
        float, typer.Option(min=0.001, max=1024, help="Size limit of a request body, in MB.", rich_help_panel="Limits")
    ] = 64,
    max_answer_mb: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=1024,
            help="Size limit of a recorded answer, in MB; the rest is only passed on.",
            rich_help_panel="Limits",
        ),
    ] = 64,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append every exchange to this file, as JSON lines.",
            rich_help_panel="Journal and control",
        ),
    ] = None,
    no_control: Annotated[
        bool,
        typer.Option(
            "--no-control", help="Turn off the routes below /_bodydouble/.", rich_help_panel="Journal and control"
        ),
    ] = False,
    control_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Bearer key for the routes below /_bodydouble/.", rich_help_panel="Journal and control"
        ),
    ] = None,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    report: Reports = None,
    fail_on: FailOn = "error",
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print no banner and no line for each request.", rich_help_panel="Server")
    ] = False,
) -> None:
    """Pass calls on to the real API and record them, within a spending cap; stop it with Ctrl-C.

    Answers go back byte for byte. What breaks the contract, in a request or an answer, is in the journal, the log and the report at the end. Over the cap a call
    is not sent: it gets its recorded answer, or the refusal of an account without credits. Exit codes: 1 with findings, 2 when it could not run or record.
    """
    try:
        # Imported here: the help needs no extra, and the rest names the one that it needs.
        from bodydouble_contract_tests.proxy import ProxyOptions, ProxyServer
        from bodydouble_contract_tests.verification import CannotVerify
    except ImportError as error:
        exit_with_error(str(error))
    targets = ReportTargets.parse(format, report)
    settings = Settings(
        max_body_bytes=int(max_body_mb * _MEGABYTE),
        control=not no_control,
        control_key=control_key,
        control_hosts=(f"[{host}]" if ":" in host else host,),
        journal_file=journal,
        log=not quiet,
    )
    try:
        contracts = load_contracts(contract, overlay)
        known = read_recordings([record]) if (record / EXCHANGES).exists() and _has_lines(record) else []
        options = ProxyOptions(
            upstream=_not_intercepted(upstream or _server_of(contracts)),
            recording=record,
            cap=_cap(max_usd, max_usd_per_key, max_usd_per_day, ledger),
            known=known,
            replay_first=replay_first,
            ignored=tuple(replay_ignore or ()),
            price_usd=price_usd,
            passes_unpriced=pass_unpriced,
            timeout_s=timeout_s,
            authorities=ca,
            max_answer_bytes=int(max_answer_mb * _MEGABYTE),
        )
        server = ProxyServer(contracts, settings, options)
        notices = recording_notices(known, contracts, datetime.now(UTC), max_age_days)
        served = Foreground.bind(server, host, port, intercept=intercept, is_proxy=True)
    except (CannotServe, CannotVerify, SpecError, ValueError) as error:
        exit_with_error(str(error))
    proxied = Proxied(server.upstream, server.folder.path, server.cap.run.max_usd)
    banner = partial(print_banner, contracts, served.address, notices, has_page=not no_control, proxied=proxied)
    served.run(banner, quiet=quiet)
    raise typer.Exit(_report(server, targets, fail_on))


def _has_lines(folder: Path) -> bool:
    return (folder / EXCHANGES).stat().st_size > 0


def _cap(max_usd: float, per_key: float | None, per_day: float | None, ledger: Path | None) -> "SpendingCap":
    """Return the limits of the options. Raises CannotVerify and ValueError."""
    from bodydouble_contract_tests.spending import Budget, DayLedger, SpendingCap, default_ledger

    if not math.isfinite(max_usd):
        raise ValueError(f"--max-usd {max_usd}: it takes US dollars, 0 or more")
    day = None if per_day is None else DayLedger(ledger or default_ledger(os.environ), per_day)
    return SpendingCap(Budget(max_usd), per_key, day)


def _server_of(contracts: list[Contract]) -> str:
    """Return the first server that the contracts name. Raises ValueError."""
    from bodydouble_mockserver.interception import first_server

    server = first_server(contracts)
    if server is None:
        raise ValueError(f"{contracts[0].source} names no server; give --upstream URL")
    return server


def _not_intercepted(upstream: str) -> str:
    """Return the address of the server that answers. Raises ValueError in a shell whose variables lead it to a server of ours, perhaps to this one."""
    led = os.environ.get("BODYDOUBLE_HOSTS", "").split(",")
    host = urlsplit(upstream).hostname or ""
    if host in led:
        raise ValueError(
            f"the variables of this shell lead {host} to a server with --intercept (BODYDOUBLE_HOSTS); start the proxy in another shell"
        )
    return upstream


def _report(server: "ProxyServer", targets: ReportTargets, fail_on: FailOnName) -> int:
    """Print what was found and what it cost, and return the exit code."""
    facts = {
        "upstream": server.upstream,
        "recording": str(server.folder.path),
        "calls sent": server.calls,
        "answered from the recording": server.replayed,
        "not sent": server.capped,
        "cost": f"{server.cap.run.spent_usd:.3f} USD of {server.cap.run.max_usd:.3f}",
    }
    count = server.calls + server.replayed + server.capped
    examined = f"{count} call{'s' * (count != 1)}"
    # Not each error is one of the contract: a limit, a server that is away.
    report = Report("Calls through the proxy", server.findings, facts, examined=examined, breaks="your calls")
    code = targets.finish(report, fail_on)
    for problem in server.problems:
        print_error(problem)
    return COULD_NOT_RUN if server.problems else code
