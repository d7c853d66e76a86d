"""The alarm's report: who was heard, who was not, and what is new."""

from typing import TYPE_CHECKING, Any

from bodydouble_spec import Report

from bodydouble._sources import VENDORED

if TYPE_CHECKING:
    from bodydouble_contract_tests.alarm import Delta, SourceResult

    from bodydouble._drift_witnesses import Hearing

__all__ = ["drift_report"]


def drift_report(hearing: "Hearing", news: "Delta") -> Report:
    """What was compared with what, and the findings that are news."""
    facts: dict[str, Any] = {
        "contract": f"{hearing.contract.source} ({hearing.contract.fingerprint[:12]})",
        "witnesses": [_row(statement) for statement in hearing.statements],
    }
    if news.known:
        facts["reported before"] = news.known
    if not hearing.is_complete:
        facts["could not be heard"] = [*hearing.problems, *(type(error).__name__ for error in hearing.unforeseen)]
    named = f"the {VENDORED} contract" if hearing.is_vendored else hearing.contract.source
    return Report(f"drift from {named}", news.findings, facts)


def _row(statement: "SourceResult") -> dict[str, Any]:
    row = {"witness": str(statement.source), "heard at": statement.address, "findings": len(statement.findings)}
    return {**row, "note": statement.note} if statement.note else row
