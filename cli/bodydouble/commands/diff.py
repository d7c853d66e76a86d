"""``bodydouble diff``: the changes between two contracts."""

from typing import Annotated, Any

import typer
from bodydouble_spec import Contract, Report, ReportFormat, Severity
from bodydouble_spec.diff import diff as changes_between

from bodydouble.console import exit_code_of, exit_on_error, exit_with_error, new_app, print_report
from bodydouble.options import (
    SOURCE_HELP,
    Config,
    FailOn,
    Format,
    Output,
    load_published,
    load_severities,
    severities_fact,
    unreadable_reason,
)

__all__ = ["app"]

app = new_app()


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"The old contract: {SOURCE_HELP}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new contract; as OLD.", show_default=False)],
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
    config: Config = None,
) -> None:
    """Compare the structure of two contracts, and rate each change by what it means for clients.

    Descriptions, examples, order and x- keys are ignored. `vendored` is the contract that comes with bodydouble, `upstream` the document that its publisher has today.
    """
    with exit_on_error():
        severities = load_severities(config)
        contracts = {"old": load_published(old), "new": load_published(new)}
        problems = {name: unreadable_reason(contract) for name, contract in contracts.items()}
        if all(problems.values()):
            exit_with_error(
                f"neither is an OpenAPI document: {contracts['old'].source}: {problems['old']}; {contracts['new'].source}: {problems['new']}"
            )
        changes = severities.apply(changes_between(contracts["old"], contracts["new"]))
        facts = {
            "compared": [_row(name, contract, problems[name]) for name, contract in contracts.items()],
            **severities_fact(severities),
            **_defects_fact(contracts),
        }
        title = f"diff: {contracts['old'].source} -> {contracts['new'].source}"
        print_report(Report(title, changes, facts, "changes"), format, output)
        raise typer.Exit(exit_code_of(changes, fail_on))


def _defects_fact(contracts: dict[str, Contract]) -> dict[str, Any]:
    """Return a table of the defects because of which a part was not compared, or nothing when there are none."""
    rows = [
        {"contract": name, "defect": finding.id, "pointer": finding.pointer, "message": finding.message}
        for name, contract in contracts.items()
        for finding in contract.findings
        if finding.severity is Severity.ERROR and unreadable_reason(contract) is None
    ]
    return {"not compared because of defects": rows} if rows else {}


def _row(name: str, contract: Contract, problem: str | None) -> dict[str, Any]:
    return {
        "contract": name,
        "operations": len(contract.operations),
        "fingerprint": None if problem else contract.fingerprint,
        "source": contract.source,
    }
