"""``bodydouble diff``: the changes between two contracts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from bodydouble_spec import Contract, Finding, Report, ReportFormat, Severity
from bodydouble_spec.diff import Change
from bodydouble_spec.diff import diff as changes_between
from bodydouble_spec.document import lines_of

from bodydouble.console import exit_on_error, exit_with_error, new_app
from bodydouble.options import (
    SOURCE_HELP,
    BaselineOption,
    Config,
    FailOn,
    Format,
    Reports,
    WriteBaselineOption,
    load_published,
    load_severities,
    severities_fact,
    unreadable_reason,
)
from bodydouble.reports import KnownFindings, ReportTargets

__all__ = ["app"]

app = new_app()

_READ_OTHERWISE = {"flag-malformed", "key-twice", "openapi-version"}


@app.command()
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

    Documents are compared by what they mean: descriptions, examples, order, x- keys and spelling are ignored. A change is an error where a value shows that it breaks, and harmless where it is proved that none can. `vendored` is the contract that comes with bodydouble, `upstream` the document that its publisher has today.
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
            _refuse_partial(contract)
        changes = severities.apply(changes_between(contracts["old"], contracts["new"]))
        facts = {
            "compared": [_row(name, contract, problems[name]) for name, contract in contracts.items()],
            **severities_fact(severities),
            **_defects_fact(contracts),
            **_unshown_fact(changes),
        }
        title = f"diff: {contracts['old'].source} -> {contracts['new'].source}"
        found = known.applied(Report(title, changes, facts, "changes"))
        raise typer.Exit(known.finish(changes, targets.finish(found, found.findings, fail_on)))


def _refuse_partial(contract: Contract) -> None:
    """Exit with 2 when a document cannot be compared as a whole."""
    if "swagger" in contract.published and "openapi" not in contract.published:
        exit_with_error(f"{contract.source}: {unreadable_reason(contract)}")
    outside = [finding for finding in contract.findings if finding.id == "ref-external"]
    if outside:
        first = outside[0]
        exit_with_error(
            f"{contract.source}: {first.pointer}: {first.message}; only files of its own folder are read, "
            f"so bundle the document first ({len(outside)} such references)"
        )


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


def _defects_fact(contracts: dict[str, Contract]) -> dict[str, Any]:
    """Return a table of the defects because of which a part was not compared, and one of those that were read as something else."""
    readable = {name: item for name, item in contracts.items() if unreadable_reason(item) is None}
    chosen: dict[str, Callable[[Finding], bool]] = {
        "not compared because of defects": lambda finding: (
            finding.severity is Severity.ERROR and finding.id not in _READ_OTHERWISE
        ),
        "read otherwise than written": lambda finding: finding.id in _READ_OTHERWISE,
    }
    tables = {
        title: [
            {
                "contract": name,
                "defect": finding.id,
                **_line(lines, finding),
                "pointer": finding.pointer,
                "message": f"{finding.message}; {finding.repaired}"
                if finding.id in _READ_OTHERWISE
                else finding.message,
            }
            for name, contract in readable.items()
            for defects in [[*filter(is_chosen, contract.findings)]]
            for lines in [_lines(contract, defects)]
            for finding in defects
        ]
        for title, is_chosen in chosen.items()
    }
    return {title: rows for title, rows in tables.items() if rows}


def _lines(contract: Contract, defects: Sequence[Finding]) -> dict[str, int]:
    """Return the lines of defects, where the document is a file."""
    if not defects or not Path(contract.source).is_file():
        return {}
    return lines_of(Path(contract.source).read_bytes(), [finding.pointer for finding in defects])


def _line(lines: Mapping[str, int], finding: Finding) -> dict[str, Any]:
    return {"line": lines[finding.pointer]} if finding.pointer in lines else {}


def _row(name: str, contract: Contract, problem: str | None) -> dict[str, Any]:
    return {
        "contract": name,
        "operations": len(contract.operations),
        "fingerprint": None if problem else contract.fingerprint,
        "source": contract.source,
    }
