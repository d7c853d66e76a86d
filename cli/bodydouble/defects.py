"""Defects of compared documents, in tables with their lines, and the reason of an incomplete comparison."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bodydouble_spec import Contract, Finding, Severity, flattened
from bodydouble_spec.document import DocumentLines
from bodydouble_spec.report import place

from bodydouble.options import unreadable_reason

__all__ = ["defects_facts", "limited_reason", "reading_notes"]

# Read as something else than what is written, and compared so.
_READ_OTHERWISE = {"flag-malformed", "key-twice", "openapi-version", "ref-file"}

Text = Callable[[Contract], bytes | None]
"""The text of a document, or None where it is not at hand."""


def limited_reason(changes: Iterable[Finding]) -> str | None:
    """Return why a comparison is not complete, or None when it is."""
    is_limited = any(change.id == "comparison-limited" for change in flattened(changes))
    return "the documents differ in too many places: not all were compared (comparison-limited)" if is_limited else None


def defects_facts(contracts: Mapping[str, Contract], text: Text) -> dict[str, Any]:
    """Return a table of the defects because of which a part was not compared, and one of those that were read as something else."""
    readable = {name: item for name, item in contracts.items() if unreadable_reason(item) is None}
    chosen: dict[str, Callable[[Finding], bool]] = {
        "not compared because of defects": lambda finding: (
            finding.severity is Severity.ERROR and not _is_read_otherwise(finding)
        ),
        "read differently than written": _is_read_otherwise,
    }
    tables = {
        title: [
            {
                "contract": name,
                "defect": finding.id,
                **_line(lines, finding),
                "place": place(finding, with_operation=True),
                "message": _note(finding) if _is_read_otherwise(finding) else finding.message,
            }
            for name, contract in readable.items()
            for defects in [[*filter(is_chosen, contract.findings)]]
            for lines in [_lines(contract, defects, text)]
            for finding in defects
        ]
        for title, is_chosen in chosen.items()
    }
    return {title: rows for title, rows in tables.items() if rows}


def reading_notes(contract: Contract) -> list[str]:
    """Return a sentence for each part of a document that is read otherwise than it is written, with its line."""
    return [_note(finding) for finding in contract.findings if _is_read_otherwise(finding)]


def _note(finding: Finding) -> str:
    return f"{finding.message}; {finding.repaired}"


def _is_read_otherwise(finding: Finding) -> bool:
    is_respelled = finding.id == "keyword-malformed" and finding.severity is not Severity.ERROR
    return is_respelled or finding.id in _READ_OTHERWISE


def _lines(contract: Contract, defects: Sequence[Finding], text: Text) -> dict[str, int]:
    """Return the lines of defects, where the text of the document is at hand."""
    data = text(contract) if defects else None
    return {} if data is None else DocumentLines(data).of(finding.pointer for finding in defects)


def _line(lines: Mapping[str, int], finding: Finding) -> dict[str, Any]:
    return {"line": lines[finding.pointer]} if finding.pointer in lines else {}
