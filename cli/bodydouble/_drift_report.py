"""The report of ``bodydouble drift``: the sources, those that could not be read, and the new findings."""

from typing import TYPE_CHECKING, Any

from bodydouble_spec import Report

from bodydouble._sources import VENDORED

if TYPE_CHECKING:
    from bodydouble_contract_tests.drift import Delta, SourceResult

    from bodydouble._drift_witnesses import Collected

__all__ = ["drift_report"]


def drift_report(collected: "Collected", delta: "Delta") -> Report:
    """Build the report: the contract, its sources, and the findings that are new."""
    facts: dict[str, Any] = {
        "contract": f"{collected.contract.source} ({collected.contract.fingerprint[:12]})",
        "sources": [_row(result) for result in collected.results],
    }
    if delta.known:
        facts["reported before"] = delta.known
    if not collected.is_complete:
        facts["not read"] = [*collected.problems, *(type(error).__name__ for error in collected.unforeseen)]
    named = f"the {VENDORED} contract" if collected.is_vendored else collected.contract.source
    return Report(f"drift from {named}", delta.findings, facts)


def _row(result: "SourceResult") -> dict[str, Any]:
    row = {"source": str(result.source), "address": result.address, "findings": len(result.findings)}
    return {**row, "note": result.note} if result.note else row
