"""``bodydouble drift``: report what changed upstream and which calls that breaks, once for each change."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from bodydouble_spec import ReportFormat

from bodydouble.console import (
    COULD_NOT_RUN,
    exit_on_error,
    exit_with_error,
    new_app,
    print_error,
    signals_interrupt,
)
from bodydouble.help_texts import Command
from bodydouble.notify import load_services
from bodydouble.options import (
    MAX_AGE_DAYS,
    VENDORED,
    BaselineOption,
    Config,
    ContractOption,
    FailOn,
    MaxAgeOption,
    ModelOption,
    OperationOption,
    OverlayOption,
    WriteBaselineOption,
    load_severities,
)
from bodydouble.progress import progress
from bodydouble.reports import Format, KnownFindings, Reports, ReportTargets

__all__ = ["app"]

app = new_app()

_NOTIFY_VARIABLE = "BODYDOUBLE_NOTIFY"
_REMIND_DAYS = 30
_MAX_REMIND_DAYS = 3650


@app.command(cls=Command, epilog="bodydouble drift --requests calls.jsonl --state drift-state.json")
def drift(
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE|FOLDER",
            help="The published document. Default, with --requests or when no other source is given: the address in the contract's provenance, else that of the vendored contract (upstream).",
            rich_help_panel="Sources",
        ),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE",
            help="The model's documentation page; its example answers are compared.",
            rich_help_panel="Sources",
        ),
    ] = None,
    exchanges: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Answers of the service: recorded exchanges (a file, or the folder of a recording), or a JSON report of `bodydouble verify`. Repeatable.",
            rich_help_panel="Sources",
        ),
    ] = None,
    requests: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Recorded requests of your app (journal, recording or the fixture's file), to try against the published document. They decide the severity.",
            rich_help_panel="Your app",
        ),
    ] = None,
    max_age_days: MaxAgeOption = MAX_AGE_DAYS,
    reads: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Places of an answer that your app reads, one JSON pointer per line. Default: all that its recorded answers have; without answers, those that the bodydouble client reads.",
            rich_help_panel="Your app",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="With --requests: keep the severity of what none of these requests shows.",
            rich_help_panel="Your app",
        ),
    ] = False,
    contract: ContractOption = None,
    overlay: OverlayOption = None,
    operation: OperationOption = None,
    model: ModelOption = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File that remembers what was reported; a drift is then reported once, and once more when it is resolved.",
            rich_help_panel="State and notification",
        ),
    ] = None,
    remind_days: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=1,
            max=_MAX_REMIND_DAYS,
            help=f"Days after which a drift is reported again. Default: {_REMIND_DAYS}.",
            rich_help_panel="State and notification",
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help=f"Notify this Apprise URL of new findings. Repeatable; {_NOTIFY_VARIABLE} takes more, and keeps secrets off the command line.",
            rich_help_panel="State and notification",
        ),
    ] = None,
    report_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Link to the full report, for the notification.",
            rich_help_panel="State and notification",
        ),
    ] = None,
    no_impact: Annotated[
        bool,
        typer.Option(
            "--no-impact",
            help="Only compare the published document; do not run calls against it.",
            rich_help_panel="Your app",
        ),
    ] = False,
    max_run_s: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Time to run calls against the published document; operations beyond it are reported.",
            rich_help_panel="Your app",
        ),
    ] = 30,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    report: Reports = None,
    config: Config = None,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
) -> None:
    """Report drift from the contract in the published document, the documentation page and recorded answers.

    When the document changed, calls of the old contract are run against the new one, and those that break are reported. Exit code 2 when a
    source could not be read, or when it was interrupted; what was found is reported anyway, and the state file is not changed.
    """
    try:
        # Imported here: the help needs no extra, and this error names the one that the rest needs.
        from bodydouble_contract_tests.drift import Delta, DriftState, compare, merge_findings, read_state, write_state

        from bodydouble.commands.drift_report import AdoptedContract, RecordedApp, SourceReader, notify_services
    except ImportError as error:
        exit_with_error(str(error))
    with exit_on_error(), signals_interrupt():
        targets = ReportTargets.parse(format, report)
        known_findings = KnownFindings.load(baseline, write_baseline)
        services = load_services([*(notify or ()), *os.environ.get(_NOTIFY_VARIABLE, "").split()])
        before = DriftState() if state is None else read_state(state)
        severities = load_severities(config)
        adopted = AdoptedContract.load(VENDORED if contract is None else contract, overlay, operation, model)
        reader = SourceReader(adopted, severities, before.fetched, max_age_days)
        app = RecordedApp(requests, reads, is_strict=strict)
        with signals_interrupt(), progress("reading the sources") as shown:
            reader.read(
                upstream, page, exchanges or (), app, max_impact_s=None if no_impact else max_run_s, shown=shown
            )
        now = datetime.now(UTC)
        if state is None:
            delta, after = Delta(tuple(merge_findings(reader.results))), before
        else:
            days = remind_days or _REMIND_DAYS
            delta, after = compare(before, reader.results, now, days, is_complete=reader.is_complete)
        is_delivered, code = True, 0
        if reader.results:
            found = known_findings.applied(reader.report(delta))
            code = known_findings.finish(merge_findings(reader.results), targets.finish(found, fail_on))
            # Sent even when the report could not be written.
            is_delivered = notify_services(services, found, report_url)
        for problem in dict.fromkeys(reader.problems):
            print_error(problem)
        if reader.unforeseen:
            raise reader.unforeseen[0]
        if reader.problems or code == COULD_NOT_RUN:
            raise typer.Exit(COULD_NOT_RUN)
        if state is not None:
            # What was not delivered is reported again next time.
            kept = after if is_delivered else before
            write_state(state, kept.with_fetched(reader.fetched))
        raise typer.Exit(code)
