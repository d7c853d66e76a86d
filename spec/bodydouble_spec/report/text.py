"""The report for a terminal, readable without colour."""

from typing import Any

from bodydouble_spec.finding import Finding
from bodydouble_spec.report.layout import (
    Table,
    fact_items,
    fact_table,
    fact_text,
    one_line,
    padded,
    place,
    summary,
    text_lines,
    width,
)
from bodydouble_spec.report.model import Report

__all__ = ["render_text"]

_LINE_COLUMNS = 100
_CELL_COLUMNS = 48
_ID_COLUMNS = 36
_SEVERITY_COLUMNS = 7
_EVIDENCE_COLUMNS = 10


def render_text(report: Report) -> str:
    """Render title, facts, findings, and the summary as the last line.

    The first line of each finding starts with its severity, and all else is indented, so that a caller can colour these
    words. Columns are aligned within the report.
    """
    sections = [[one_line(report.title)]]
    if report.facts:
        sections.append(_facts(report))
    findings = report.ordered()
    if findings:
        id_columns = min(max(width(one_line(finding.id)) for finding in findings), _ID_COLUMNS)
        sections.append([line for finding in findings for line in _finding(finding, id_columns)])
    sections.append([summary(report)])
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _finding(finding: Finding, id_columns: int) -> list[str]:
    named = f"{finding.severity:<{_SEVERITY_COLUMNS}}  {finding.evidence:<{_EVIDENCE_COLUMNS}}"
    first = f"{named}  {padded(one_line(finding.id), id_columns)}  {place(finding)}"
    indent = " " * (_SEVERITY_COLUMNS + 2)
    return [first, *((indent + line).rstrip() for line in text_lines(finding))]


def _facts(report: Report) -> list[str]:
    label_columns = max(width(one_line(label)) for label in report.facts)
    return [line for label, value in report.facts.items() for line in _fact(one_line(label), value, label_columns)]


def _fact(label: str, value: Any, label_columns: int) -> list[str]:
    table = fact_table(value)
    if table is not None:
        return [f"  {label}", *(f"    {line}" for line in _table(table))]
    start = f"  {padded(label, label_columns)}  "
    items = fact_items(value)
    if items is None:
        return [start + fact_text(value)]
    joined = ", ".join(items) or "none"
    if width(start + joined) <= _LINE_COLUMNS:
        return [start + joined]
    return [f"  {label}", *(f"    {item}" for item in items)]


def _table(table: Table) -> list[str]:
    rows = [table.columns, *table.rows]
    columns = [min(max(map(width, cells)), _CELL_COLUMNS) for cells in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, columns)).rstrip() for row in rows]
