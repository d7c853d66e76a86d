"""``bodydouble diff``: the changes between two contracts."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from bodydouble_spec import Contract, Finding, Report, ReportFormat, Severity
from bodydouble_spec.diff import Change
from bodydouble_spec.diff import diff as changes_between

from bodydouble.console import exit_on_error, exit_with_error, new_app
from bodydouble.defects import defects_facts, limited_reason
from bodydouble.help_texts import Command
from bodydouble.options import (
    SOURCE_HELP,
    BaselineOption,
    Config,
    FailOn,
    WriteBaselineOption,
    load_published,
    load_severities,
    severities_fact,
    unreadable_reason,
)
from bodydouble.progress import progress
from bodydouble.reports import Format, KnownFindings, Reports, ReportTargets

__all__ = ["app"]

_FINGERPRINT_DIGITS = 12

app = new_app()


@app.command(cls=Command, epilog="bodydouble diff vendored upstream --report html:changes.html")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"The old contract: {SOURCE_HELP}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new contract; as OLD.", show_default=False)],
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    report: Reports = None,
    config: Config = None,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
) -> None:
    """Compare the structure of two contracts, and rate each change by what it means for clients.

    Documents are compared by what they mean: descriptions, examples, order, keys that begin with x, and spelling are ignored. A change is an error where a value shows that it breaks, and harmless where it is proved that none can. `vendored` is the contract that comes with bodydouble, `upstream` the document that its publisher has today.
    """
    with exit_on_error():
        targets = ReportTargets.parse(format, report)
        known = KnownFindings.load(baseline, write_baseline)
        severities = load_severities(config)
        contracts = {"old": load_published(old), "new": load_published(new)}
        problems = {name: unreadable_reason(contract) for name, contract in contracts.items()}
        if all(problems.values()):
            exit_with_error(
                f"neither is an OpenAPI document: {contracts['old'].source}: {problems['old']}; {contracts['new'].source}: {problems['new']}"
            )
        for contract in contracts.values():
            contract.refuse_partial()
        with progress("comparing the contracts"):
            every = changes_between(contracts["old"], contracts["new"])
        changes = severities.apply(every)
        rows = {name: _row(name, contract, problems[name]) for name, contract in contracts.items()}
        further = {**severities_fact(severities), **defects_facts(contracts, _text)}
        compared = Report(
            "Diff of two contracts",
            changes,
            {**{name: _in_short(row) for name, row in rows.items()}, **further},
            "changes",
            details={"compared": [*rows.values()], **_unshown_fact(changes)},
            breaks="clients",
        )
        found = known.applied(compared)
        code = known.finish(changes, targets.finish(found, fail_on))
        limit = limited_reason(every)
        if limit is not None:
            exit_with_error(limit)
        raise typer.Exit(code)


def _unshown_fact(changes: Iterable[Finding]) -> dict[str, Any]:
    """Return a table of the changes for which no value was found that breaks, with the number of values tried."""
    rows = [
        {"change": change.id, "pointer": change.pointer, "no breaking value found in": change.tried}
        for change in _flat(changes)
        if isinstance(change, Change) and change.tried is not None and change.severity is not Severity.INFO
    ]
    return {"without a value that breaks": rows} if rows else {}


def _flat(changes: Iterable[Finding]) -> Iterator[Finding]:
    for change in changes:
        yield change
        yield from _flat(change.covers)


def _text(contract: Contract) -> bytes | None:
    return Path(contract.source).read_bytes() if Path(contract.source).is_file() else None


def _in_short(row: Mapping[str, Any]) -> str:
    fingerprint = row["fingerprint"]
    return (
        f"{row['source']} ({'not an OpenAPI document' if fingerprint is None else fingerprint[:_FINGERPRINT_DIGITS]})"
    )


def _row(name: str, contract: Contract, problem: str | None) -> dict[str, Any]:
    return {
        "contract": name,
        "operations": len(contract.operations),
        "fingerprint": None if problem else contract.fingerprint,
        "source": contract.source,
    }
