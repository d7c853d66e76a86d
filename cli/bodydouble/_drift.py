"""``bodydouble drift``: what changed upstream, whether it breaks us, and nothing said twice."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bodydouble._options import FailOn, Format, Output
from bodydouble._output import COULD_NOT_RUN, complain, exit_code_of, print_report, stop, stopping
from bodydouble._sources import Config

if TYPE_CHECKING:
    from bodydouble_contract_tests.alarm import Delta
    from bodydouble_spec import Report

    from bodydouble._notify import Service

__all__ = ["drift"]

_ENVIRONMENT = "BODYDOUBLE_NOTIFY"
_REMIND_DAYS = 30
_LONGEST_DAYS = 3650


def drift(
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE",
            help="The published document. Default, when no other witness is named: where the vendored contract came from (upstream).",
        ),
    ] = None,
    page: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The model's documentation page, for its example answer.")
    ] = None,
    exchanges: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What the service really answered: recorded exchanges, or a JSON report of `bodydouble verify`. Repeatable.",
        ),
    ] = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your app's recorded requests, to be tried on the published document."),
    ] = None,
    contract: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="The contract that was adopted. Default: the vendored one.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What was reported before; a drift is then reported once, and once more when it is over.",
        ),
    ] = None,
    remind_days: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=1,
            max=_LONGEST_DAYS,
            help=f"Report a drift again after so many days. Default: {_REMIND_DAYS}.",
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help=f"Send what is new to this Apprise URL. Repeatable; {_ENVIRONMENT} holds more, for secrets belong on no command line.",
        ),
    ] = None,
    report_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the whole report can be read, for the notification.")
    ] = None,
    no_impact: Annotated[
        bool, typer.Option("--no-impact", help="Do not try the published document out, only compare it.")
    ] = False,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
    config: Config = None,
) -> None:
    """Say what drifted from the contract: the published document, the documentation page, the real answers.

    What is documented now is also tried out: the alarm names what would break. Exit code 2 when a witness could not be heard; what the
    others said is reported all the same, and the state stays as it was.
    """
    with stopping():
        try:
            from bodydouble_contract_tests.alarm import (
                Delta,
                DriftState,
                compare,
                merge_findings,
                read_state,
                write_state,
            )
        except ImportError as error:
            stop(str(error))
        from bodydouble._drift_report import drift_report
        from bodydouble._drift_witnesses import Wanted, hear
        from bodydouble._notify import services_of

        if remind_days is not None and state is None:
            stop("--remind-days needs --state FILE: without it every drift is reported each time")
        services = services_of([*(notify or ()), *os.environ.get(_ENVIRONMENT, "").split()])
        before = DriftState() if state is None else read_state(state)
        wanted = Wanted(upstream, page, tuple(exchanges or ()), requests, contract, config, not no_impact)
        hearing = hear(wanted, before.fetched)
        now = datetime.now(UTC)
        if state is None:
            news, after = Delta(tuple(merge_findings(hearing.statements))), before
        else:
            days = remind_days or _REMIND_DAYS
            news, after = compare(before, hearing.statements, now, days, is_complete=hearing.is_complete)
        is_said = True
        if hearing.statements:
            report = drift_report(hearing, news)
            try:
                print_report(report, format, output)
            finally:
                # A report that cannot be written is one more reason to send it.
                is_said = _send(services, news, report, report_url)
        for problem in hearing.problems:
            complain(problem)
        if hearing.unforeseen:
            raise hearing.unforeseen[0]
        if hearing.problems:
            raise typer.Exit(COULD_NOT_RUN)
        if state is not None:
            # What reached nobody is said again next time.
            kept = after if is_said else before
            write_state(state, kept.with_fetched(hearing.fetched))
        raise typer.Exit(exit_code_of(news.findings, fail_on))


def _send(services: "tuple[Service, ...]", news: "Delta", report: "Report", report_url: str | None) -> bool:
    """Notify the services of what is new; whether that reached any of them, where there are any."""
    from bodydouble._notify import message_of, notify

    if not services or not news.findings:
        return True
    failures = notify(services, message_of(report, report_url), report)
    for failure in failures:
        complain(f"{failure} (the finding stands all the same)")
    return len(failures) < len(services)
