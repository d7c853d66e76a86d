"""The report for a terminal, readable without colour."""

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any

from bodydouble_spec.report.layout import (
    ShownFinding,
    Table,
    entries,
    fact_items,
    fact_table,
    fact_text,
    facts_of,
    heading,
    one_line,
    summary,
    text_lines,
    verdict,
)
from bodydouble_spec.report.model import Report

__all__ = ["render_text", "wrapped"]

_LINE_COLUMNS = 80
_SEVERITY_COLUMNS = 7
# A label and the spaces behind it: the value that follows is wrapped below itself.
_LABELLED = re.compile(r" *(?:\S+(?: \S+)* {2,})?")
_COMMAND = re.compile(r" +(?:request +)?(?:curl |PICTURE=|--(?:header|data-raw|request) )")
_MOST_INDENT = 24
_NO_CELL = {"", "-"}


def render_text(report: Report) -> str:
    """Render the verdict, what was examined, the findings, and the numbers of them as the last line.

    The first line of each finding starts with its severity, and all else is indented, so that a caller can colour these
    words.
    """
    result, named, facts = verdict(report), heading(report), facts_of(report)
    about = [] if named == result else [f"  {named}"]
    sections = [[result], [*about, *(_facts(facts) if facts else [])]]
    found = entries(report)
    if found:
        sections += [[line for entry in found for line in _finding(entry)], [summary(report)]]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def wrapped(text: str, columns: int) -> str:
    """Break lines that are longer than a terminal between words; what continues a line stands below its beginning."""
    return "\n".join(part for line in text.split("\n") for part in _wrapped_line(line, columns))


def _wrapped_line(line: str, columns: int) -> list[str]:
    # A command that is broken is none.
    if _width(line) <= columns or _COMMAND.match(line):
        return [line]
    labelled = _LABELLED.match(line)
    start = line[: labelled.end()] if labelled else ""
    # The spaces of a table stay, and a long URL is broken by nobody: it stays beside its label.
    return textwrap.wrap(
        line[len(start) :],
        columns,
        initial_indent=start,
        subsequent_indent=" " * min(len(start), _MOST_INDENT),
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def _finding(entry: ShownFinding) -> list[str]:
    first, *rest = text_lines(entry)
    indent = " " * (_SEVERITY_COLUMNS + 2)
    named = f"{entry.finding.severity:<{_SEVERITY_COLUMNS}}  {first}".rstrip()
    return [named, *((indent + line).rstrip() for line in rest)]


def _facts(facts: Mapping[str, Any]) -> list[str]:
    # A table stands below its label, which may be long.
    labels = [one_line(label) for label, value in facts.items() if fact_table(value) is None]
    label_columns = max(map(_width, labels), default=0)
    return [line for label, value in facts.items() for line in _fact(one_line(label), value, label_columns)]


def _fact(label: str, value: Any, label_columns: int) -> list[str]:
    table = fact_table(value)
    if table is not None:
        return [f"  {label}", *(f"    {line}" for line in _table(table))]
    start = f"  {_padded(label, label_columns)}  "
    items = fact_items(value)
    if items is None:
        return [start + fact_text(value)]
    joined = ", ".join(items) or "none"
    if _width(start + joined) <= _LINE_COLUMNS:
        return [start + joined]
    return [f"  {label}", *(f"    {item}" for item in items)]


def _table(table: Table) -> list[str]:
    """Return the rows in columns. Where they are too wide, the last cell of each row gets a line of its own, or all but the first share one."""
    rows = [table.columns, *table.rows]
    columns = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
    if sum(columns) + 2 * len(columns) + 4 <= _LINE_COLUMNS or len(columns) == 1:
        return ["  ".join(map(_padded, row, columns)).rstrip() for row in rows]
    if sum(columns[:-1]) + 2 * len(columns) + 2 > _LINE_COLUMNS:
        return [line for row in table.rows for line in _record(table.columns, row)]
    lines: list[str] = []
    for row in rows:
        lines.append("  ".join(map(_padded, row[:-1], columns[:-1])).rstrip())
        if row is not table.columns and row[-1] not in _NO_CELL:
            lines.append(f"    {row[-1]}")
    return lines


def _record(columns: list[str], row: list[str]) -> list[str]:
    """Return a row in lines: the first cell, the others with their names, and the last, which may be a sentence."""
    first, *between, last = row
    named = [f"{column} {cell}" for column, cell in zip(columns[1:-1], between, strict=True) if cell not in _NO_CELL]
    return [first, *(f"    {line}" for line in (", ".join(named), last) if line not in _NO_CELL)]


def _width(text: str) -> int:
    """Return the terminal width of a text in columns: two for wide characters, zero for combining ones."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - _width(text))
