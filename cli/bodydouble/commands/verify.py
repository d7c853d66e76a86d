"""``bodydouble verify``: check that a server keeps the contract, at a price known before the run."""

import os
from pathlib import Path
from typing import Annotated

import typer
from bodydouble_spec import ReportFormat

from bodydouble.console import exit_on_error, exit_with_error, new_app, signals_interrupt
from bodydouble.help_texts import Command
from bodydouble.options import (
    MAX_AGE_DAYS,
    BaselineOption,
    ContractOption,
    FailOn,
    MaxAgeOption,
    ModelOption,
    OperationOption,
    OverlayOption,
    WriteBaselineOption,
    load_contract,
)
from bodydouble.reports import Format, KnownFindings, Reports, ReportTargets

__all__ = ["app"]

app = new_app()


@app.command(cls=Command, epilog="bodydouble verify --base-url http://127.0.0.1:8000")
def verify(
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Server to verify, with or without /v1. Calls to it are assumed to be free.",
            rich_help_panel="Server",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Default: a dummy; with --live the value of AIMLAPI_KEY, AIML_API_KEY or AIMLAPI_API_KEY.",
            rich_help_panel="Server",
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Verify the real API (or the server of --base-url); calls cost money.",
            rich_help_panel="Server",
        ),
    ] = False,
    exchanges: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Check the answers recorded in this file or folder, without a server.",
            rich_help_panel="Recordings",
        ),
    ] = None,
    max_age_days: MaxAgeOption = MAX_AGE_DAYS,
    contract: ContractOption = None,
    overlay: OverlayOption = None,
    operation: OperationOption = None,
    model: ModelOption = None,
    list_checks: Annotated[
        bool, typer.Option("--list", help="Print the checks and their prices, and exit.", rich_help_panel="Checks")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the calls and their cost, and exit.", rich_help_panel="Checks")
    ] = False,
    check: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Run only this check; repeatable.", rich_help_panel="Checks")
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, help="Number of generated calls, when calls are free.", rich_help_panel="Checks")
    ] = 25,
    seed: Annotated[int, typer.Option(help="Seed of the generated calls.", rich_help_panel="Checks")] = 0,
    max_usd: Annotated[
        float | None, typer.Option(min=0, help="Budget of a live run. Default: 0.75.", rich_help_panel="Limits")
    ] = None,
    price_usd: Annotated[
        float | None, typer.Option(help="Price of a picture, when the contract has none.", rich_help_panel="Limits")
    ] = None,
    timeout_s: Annotated[float, typer.Option(help="Timeout of a call, in seconds.", rich_help_panel="Limits")] = 180,
    max_wait_s: Annotated[
        float,
        typer.Option(
            min=0, help="Limit for all waiting that the server asks for with 429, in seconds.", rich_help_panel="Limits"
        ),
    ] = 120,
    max_run_s: Annotated[
        float,
        typer.Option(
            min=0,
            help="Time limit of the whole run, in seconds; a running call ends at --timeout-s.",
            rich_help_panel="Limits",
        ),
    ] = 1800,
    max_received_mb: Annotated[
        float,
        typer.Option(min=0, help="Size limit of all answers and pictures together, in MB.", rich_help_panel="Limits"),
    ] = 4096,
    image_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Picture that the server can fetch, to test input by URL.", rich_help_panel="Server"
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write every exchange to this file, without the key.", rich_help_panel="Recordings"
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Continue a recorded run; no call is paid twice.", rich_help_panel="Recordings"
        ),
    ] = None,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
    report: Reports = None,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="PEM file of the certificate authorities to trust.", rich_help_panel="Server"
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only errors to standard error.", rich_help_panel="Report")
    ] = False,
) -> None:
    """Verify that a server keeps the contract. A local server is free and takes seconds; --live costs money, and --dry-run prints how much.

    Exit codes: 1 when the server breaks the contract, 2 when the run could not be started or finished.
    """
    try:
        # Imported here: the help needs no extra, and the rest names the one that it needs.
        from bodydouble_contract_tests import UnsupportedSchema
        from bodydouble_contract_tests.verification import CannotVerify, OperationProfile, VerifyOptions, resolve_server

        from bodydouble.commands import verify_run
    except ImportError as error:
        exit_with_error(str(error))
    with exit_on_error(CannotVerify, UnsupportedSchema):
        options = VerifyOptions(
            is_live=live,
            max_usd=max_usd,
            price_usd=price_usd,
            examples=examples,
            seed=seed,
            only=tuple(check) if check else None,
            image_url=image_url,
            max_wait_s=max_wait_s,
            max_run_s=max_run_s,
            max_received_mb=max_received_mb,
            recording=record or resume,
            resume=resume,
        )
        profile = OperationProfile.select(load_contract(contract, overlay), operation, model)
        if list_checks:
            verify_run.print_checks(profile, format)
            return
        if dry_run:
            verify_run.print_plan(profile, options, base_url, format)
            return
        targets = ReportTargets.parse(format, report)
        known = KnownFindings.load(baseline, write_baseline)
        if exchanges is not None:
            completed = verify_run.run_on_recording(profile, exchanges, options.only, max_age_days)
        else:
            server = resolve_server(profile, base_url=base_url, api_key=api_key, is_live=live, environ=os.environ)
            with signals_interrupt():
                completed = verify_run.run_on_server(
                    profile, options, server, timeout_s=timeout_s, authorities=ca, quiet=quiet
                )
        code = verify_run.finish(completed, known, targets, fail_on)
    raise typer.Exit(code)
