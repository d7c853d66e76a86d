"""``bodydouble verify``: whether a server keeps the contract, found out call by call, at a price that is known before."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bodydouble._options import FailOn, Format, Output
from bodydouble._output import COULD_NOT_RUN, complain, exit_code_of, print_text, stop, stopping

if TYPE_CHECKING:
    from collections.abc import Generator

    from bodydouble_contract_tests.faces import Baseline
    from bodydouble_contract_tests.verification import OperationProfile

    from bodydouble._options import FailOnName, FormatName
    from bodydouble._verify_output import Destination
    from bodydouble._verify_run import Choices, Outcome

__all__ = ["verify"]


def verify(
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server to verify, with /v1 or without. Nothing is charged there."),
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Default: a dummy; with --live that of AIMLAPI_KEY and the like.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The real API (or the server of --base-url): calls cost money.")
    ] = False,
    exchanges: Annotated[
        Path | None, typer.Option(metavar="FILE", help="No server: judge what was recorded in this file.")
    ] = None,
    contract: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="Another contract than the vendored one.")
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="Print the checks and their prices, and end.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the calls and what they cost, and end.")] = False,
    check: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this check; repeatable.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Generated calls, where nothing is charged.")] = 25,
    seed: Annotated[int, typer.Option(help="Another one generates other calls.")] = 0,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Most that a live run may spend. Default: 0.75.")] = None,
    price_usd: Annotated[float | None, typer.Option(help="Price of a picture, where the contract has none.")] = None,
    timeout_s: Annotated[float, typer.Option(help="How long an answer may take.")] = 180,
    max_wait_s: Annotated[float, typer.Option(min=0, help="How long to wait in all when told to (429).")] = 120,
    image_url: Annotated[
        str | None, typer.Option(metavar="URL", help="A picture that the server can fetch, to try input by URL.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every exchange to this file, without the key.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on with a run that was recorded; nothing is paid twice.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Findings that are known and not reported again.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all that was found as a baseline, and end with 0.")
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT:FILE", help="Also write the report to a file, as html:report.html; repeatable."),
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="PEM file of the authorities to trust.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on standard error but what went wrong.")] = False,
) -> None:
    """Verify that a server keeps the contract. Against a local server it is free and takes seconds; --live costs money, known before by --dry-run.

    Exit codes: 1 when something breaks the contract, 2 when the run could not be made or not be finished.
    """
    with _stopping():
        from bodydouble_contract_tests.verification import OperationProfile
        from bodydouble_spec import Contract

        from bodydouble._verify_output import destinations, refuse_unwritable
        from bodydouble._verify_run import Choices, run

        choices = Choices(
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
        _refuse_contradictions(choices)
        subject = OperationProfile(Contract.load(contract))
        if list_checks or dry_run:
            _print_intent(subject, choices, format, output, is_list=list_checks)
            return
        files = destinations(report or ())
        refuse_unwritable("--output", output)
        refuse_unwritable("--write-baseline", write_baseline)
        known = _known(baseline)
        outcome = run(subject, choices)
        code = _finish(subject, outcome, known, write_baseline, files, format, output, fail_on)
    raise typer.Exit(code)


@contextmanager
def _stopping() -> "Generator[None]":
    """Ends the command when something that bodydouble foresees goes wrong; its text says what, where and what to do."""
    try:
        # First of all, because the rest needs the extra and this says how to get it.
        from bodydouble_contract_tests.verification import CannotVerify
    except ImportError as error:
        stop(str(error))
    from bodydouble_contract_tests import UnsupportedSchema

    try:
        with stopping():
            yield
    except (CannotVerify, UnsupportedSchema) as error:
        stop(str(error))


def _refuse_contradictions(choices: "Choices") -> None:
    given = {
        "--base-url": choices.base_url,
        "--live": choices.is_live or None,
        "--record": choices.record,
        "--resume": choices.resume,
        "--max-usd": choices.max_usd,
    }
    others = [name for name, value in given.items() if value is not None]
    if choices.exchanges is not None and others:
        stop(f"--exchanges judges a file and sends nothing; leave out {', '.join(others)}")


def _print_intent(
    subject: "OperationProfile",
    choices: "Choices",
    format: "FormatName",  # noqa: A002 - the option's name
    output: Path | None,
    *,
    is_list: bool,
) -> None:
    """What could be checked (``--list``), or what is going to be done (``--dry-run``)."""
    from bodydouble_contract_tests.verification import catalogue

    from bodydouble._verify_output import write
    from bodydouble._verify_plan import checks_json, checks_text, plan_json, plan_text
    from bodydouble._verify_run import plan_of

    if format not in {"text", "json"}:
        stop(f"--{'list' if is_list else 'dry-run'} is printed as text or json, not as {format}")
    if is_list:
        checks = catalogue(subject)
        text = checks_json(subject, checks) if format == "json" else checks_text(subject, checks)
    else:
        plan, aim = plan_of(subject, choices)
        written = plan_json if format == "json" else plan_text
        text = written(plan, subject, aim.base_url, is_billed=aim.is_live)
    if output is None:
        print_text(text)
    elif not write(output, text):
        raise typer.Exit(COULD_NOT_RUN)


def _known(file: Path | None) -> "Baseline | None":
    from bodydouble_contract_tests.faces import BadBaseline, Baseline

    if file is None:
        return None
    try:
        return Baseline.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        stop(f"--baseline {file}: {error.strerror or error}; --write-baseline FILE writes one")
    except (BadBaseline, UnicodeDecodeError) as error:
        stop(f"--baseline {file}: {error}")


def _finish(
    subject: "OperationProfile",
    outcome: "Outcome",
    known: "Baseline | None",
    new_baseline: Path | None,
    files: "tuple[Destination, ...]",
    format: "FormatName",  # noqa: A002 - the option's name
    output: Path | None,
    fail_on: "FailOnName",
) -> int:
    """Report what was found; the exit code."""
    from bodydouble_contract_tests.faces import Baseline

    from bodydouble._verify_output import put_out, shows_pictures, write
    from bodydouble._verify_pictures import pictures_of
    from bodydouble._verify_report import report_of

    found = outcome.verification
    verification = found if known is None else known.apply(found)
    pictures = pictures_of(found.observations, outcome.request_of) if shows_pictures(files, format) else ()
    is_written = put_out(report_of(subject, verification, outcome.where, known, pictures), format, output, files)
    if verification.incomplete is not None:
        complain(f"incomplete: {verification.incomplete}")
        return COULD_NOT_RUN
    if new_baseline is not None:
        # What is in it is known from now on, so that it is no reason to fail.
        return 0 if write(new_baseline, Baseline.of(found.findings).to_json()) and is_written else COULD_NOT_RUN
    return exit_code_of(verification.findings, fail_on) if is_written else COULD_NOT_RUN
