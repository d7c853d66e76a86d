"""``bodydouble verify``: check that a server keeps the contract, at a price known before the run."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bodydouble.console import COULD_NOT_RUN, exit_code_of, exit_on_error, exit_with_error, print_error, print_text
from bodydouble.options import FailOn, Format, Output

if TYPE_CHECKING:
    from collections.abc import Generator

    from bodydouble_contract_tests.verification import Baseline, OperationProfile

    from bodydouble.commands.verify_output import ReportTargets
    from bodydouble.commands.verify_run import CompletedRun, VerifyCommand
    from bodydouble.options import FailOnName, FormatName

__all__ = ["verify"]


def verify(
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Server to verify, with or without /v1. Its calls are taken to be free."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Default: a dummy; with --live the value of AIMLAPI_KEY, AIML_API_KEY or AIMLAPI_API_KEY.",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Verify the real API (or the server of --base-url); calls cost money.")
    ] = False,
    exchanges: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check the answers recorded in this file, without a server.")
    ] = None,
    contract: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="Contract to verify. Default: the vendored one.")
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="Print the checks and their prices, and exit.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the calls and their cost, and exit.")] = False,
    check: Annotated[list[str] | None, typer.Option(metavar="ID", help="Run only this check; repeatable.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Number of generated calls, when calls are free.")] = 25,
    seed: Annotated[int, typer.Option(help="Seed of the generated calls.")] = 0,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Budget of a live run. Default: 0.75.")] = None,
    price_usd: Annotated[float | None, typer.Option(help="Price of a picture, when the contract has none.")] = None,
    timeout_s: Annotated[float, typer.Option(help="Timeout of a call, in seconds.")] = 180,
    max_wait_s: Annotated[
        float, typer.Option(min=0, help="Longest total wait that the server may ask for with 429, in seconds.")
    ] = 120,
    image_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Picture that the server can fetch, to test input by URL.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every exchange to this file, without the key.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Continue a recorded run; no call is paid twice.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(metavar="FILE", help="Known findings, not reported again.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the findings as a baseline, and exit with 0.")
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT:FILE", help="Also write the report to a file, such as html:report.html; repeatable."
        ),
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="PEM file of the certificate authorities to trust.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only errors to standard error.")] = False,
) -> None:
    """Verify that a server keeps the contract. A local server is free and takes seconds; --live costs money, and --dry-run prints how much.

    Exit codes: 1 when the server breaks the contract, 2 when the run could not be started or finished.
    """
    with _exit_on_error():
        from bodydouble_contract_tests.verification import OperationProfile
        from bodydouble_spec import Contract

        from bodydouble.commands.verify_output import ReportTargets, check_writable, parse_report_files
        from bodydouble.commands.verify_run import VerifyCommand, run

        options = VerifyCommand(
            base_url=base_url,
            api_key=api_key,
            is_live=live,
            exchanges=exchanges,
            only=tuple(check) if check else None,
            examples=examples,
            seed=seed,
            max_usd=max_usd,
            price_usd=price_usd,
            timeout_s=timeout_s,
            max_wait_s=max_wait_s,
            image_url=image_url,
            record=record,
            resume=resume,
            authorities=ca,
            is_quiet=quiet,
        )
        _refuse_contradictions(options)
        profile = OperationProfile(Contract.load(contract))
        if list_checks or dry_run:
            _print_checks_or_plan(profile, options, format, output, is_list=list_checks)
            return
        targets = ReportTargets(format, output, parse_report_files(report or ()))
        check_writable("--output", output)
        check_writable("--write-baseline", write_baseline)
        known = _load_baseline(baseline)
        completed = run(profile, options)
        code = _finish(profile, completed, known, write_baseline, targets, fail_on)
    raise typer.Exit(code)


@contextmanager
def _exit_on_error() -> "Generator[None]":
    """Exit with the message of an error of bodydouble's packages that is raised inside."""
    try:
        # Imported first: the rest needs the extra, and this error names it.
        from bodydouble_contract_tests.verification import CannotVerify
    except ImportError as error:
        exit_with_error(str(error))
    from bodydouble_contract_tests import UnsupportedSchema

    try:
        with exit_on_error():
            yield
    except (CannotVerify, UnsupportedSchema) as error:
        exit_with_error(str(error))


def _refuse_contradictions(options: "VerifyCommand") -> None:
    given = {
        "--base-url": options.base_url,
        "--live": options.is_live or None,
        "--record": options.record,
        "--resume": options.resume,
        "--max-usd": options.max_usd,
    }
    others = [name for name, value in given.items() if value is not None]
    if options.exchanges is not None and others:
        exit_with_error(f"--exchanges checks a file and sends nothing; leave out {', '.join(others)}")


def _print_checks_or_plan(
    profile: "OperationProfile",
    options: "VerifyCommand",
    format: "FormatName",  # noqa: A002 - the option's name
    output: Path | None,
    *,
    is_list: bool,
) -> None:
    """Print the checks (``--list``), or the plan (``--dry-run``)."""
    from bodydouble_contract_tests.verification import catalogue

    from bodydouble.commands.verify_output import write
    from bodydouble.commands.verify_plan import checks_json, checks_text, plan_json, plan_text
    from bodydouble.commands.verify_run import plan_of

    if format not in {"text", "json"}:
        exit_with_error(f"--{'list' if is_list else 'dry-run'} is printed as text or json, not as {format}")
    if is_list:
        checks = catalogue(profile)
        text = checks_json(profile, checks) if format == "json" else checks_text(profile, checks)
    else:
        plan, server = plan_of(profile, options)
        written = plan_json if format == "json" else plan_text
        text = written(plan, profile, server.base_url, is_billed=server.is_live)
    if output is None:
        print_text(text)
    elif not write(output, text):
        raise typer.Exit(COULD_NOT_RUN)


def _load_baseline(file: Path | None) -> "Baseline | None":
    from bodydouble_contract_tests.verification import BadBaseline, Baseline

    if file is None:
        return None
    try:
        return Baseline.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        exit_with_error(f"--baseline {file}: {error.strerror or error}; --write-baseline FILE writes one")
    except (BadBaseline, UnicodeDecodeError) as error:
        exit_with_error(f"--baseline {file}: {error}")


def _finish(
    profile: "OperationProfile",
    completed: "CompletedRun",
    baseline: "Baseline | None",
    new_baseline: Path | None,
    targets: "ReportTargets",
    fail_on: "FailOnName",
) -> int:
    """Report the findings and return the exit code."""
    from bodydouble_contract_tests.verification import Baseline

    from bodydouble.commands.verify_output import write
    from bodydouble.commands.verify_report import build_report, report_pictures

    found = completed.verification
    verification = found if baseline is None else baseline.apply(found)
    pictures = report_pictures(found.observations, completed.format_request) if targets.has_html else ()
    is_written = targets.write(build_report(profile, verification, completed.run_facts, baseline, pictures))
    if verification.incomplete is not None:
        print_error(f"incomplete: {verification.incomplete}")
        return COULD_NOT_RUN
    if new_baseline is not None:
        # The findings in it are known from now on, so they do not fail this run.
        return 0 if write(new_baseline, Baseline.of(found.findings).to_json()) and is_written else COULD_NOT_RUN
    return exit_code_of(verification.findings, fail_on) if is_written else COULD_NOT_RUN
