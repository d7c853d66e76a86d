"""``bodydouble diff``: what became different between two contracts."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble._options import FailOn, Format, Output
from bodydouble._output import exit_code_of, print_report, stop, stopping
from bodydouble._sources import SOURCE, Config, load_published, load_severities, problem_of

if TYPE_CHECKING:
    from bodydouble_spec import Contract
    from bodydouble_spec.changes import Severities

__all__ = ["diff", "not_understood", "severities_fact"]


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"What was promised: {SOURCE}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What is promised now; as OLD.", show_default=False)],
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
    config: Config = None,
) -> None:
    """Compare two contracts: what of their structure changed, and how bad that is for those who rely on it.

    Prose, examples, order and x- keys give nothing. `vendored` is the contract that came with bodydouble, `upstream` what its publisher has today.
    """
    with stopping():
        from bodydouble_spec import Report
        from bodydouble_spec.changes import diff as changes_between

        severities = load_severities(config)
        sides = {"old": load_published(old), "new": load_published(new)}
        problems = {side: problem_of(contract) for side, contract in sides.items()}
        if all(problems.values()):
            stop(
                f"neither side is an OpenAPI document: {sides['old'].source}: {problems['old']}; {sides['new'].source}: {problems['new']}"
            )
        changes = severities.apply(changes_between(sides["old"], sides["new"]))
        facts = {
            "compared": [_side(name, contract, problems[name]) for name, contract in sides.items()],
            **severities_fact(severities),
            **not_understood(sides),
        }
        title = f"diff: {sides['old'].source} -> {sides['new'].source}"
        print_report(Report(title, changes, facts, "changes"), format, output)
        raise typer.Exit(exit_code_of(changes, fail_on))


def severities_fact(severities: "Severities") -> dict[str, Any]:
    """Which file the severities came from, where it has any."""
    return {"severities from": str(severities.source)} if severities.chosen else {}


def not_understood(sides: "dict[str, Contract]") -> dict[str, Any]:
    """What could not be compared, because a readable side makes no sense there: a table, or nothing."""
    from bodydouble_spec import Severity

    rows = [
        {"side": side, "defect": finding.id, "place": finding.pointer, "what": finding.message}
        for side, contract in sides.items()
        for finding in contract.findings
        if finding.severity is Severity.ERROR and problem_of(contract) is None
    ]
    return {"not understood, so not compared": rows} if rows else {}


def _side(name: str, contract: "Contract", problem: str | None) -> dict[str, Any]:
    return {
        "side": name,
        "operations": len(contract.operations),
        "fingerprint": None if problem else contract.fingerprint,
        "document": contract.source,
    }
