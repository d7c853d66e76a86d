"""A report on a terminal: tables that fit its width, and severities in colour."""

import json
import re
from dataclasses import replace
from typing import Any

from bodydouble_spec import Report, Severity, is_array, is_object, render
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bodydouble._text import printable

__all__ = ["print_for_a_person"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_for_a_person(report: Report, console: Console | None = None) -> None:
    """Print facts as tables, and findings as the text report has them, with the words for the severity coloured."""
    console = console or Console(highlight=False, emoji=False, markup=False)
    console.print(Text(printable(report.title), "bold"))
    scalars = {label: value for label, value in report.facts.items() if not _is_table(value)}
    tables = {label: value for label, value in report.facts.items() if _is_table(value)}
    if scalars:
        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(overflow="fold")
        for label, value in scalars.items():
            grid.add_row(Text(f"  {printable(label)}", "dim"), _cell(value))
        console.print(grid)
    for label, rows in tables.items():
        console.print()
        console.print(Text(f"  {printable(label)}", "bold"))
        console.print(_table(rows))
    without_facts = render(replace(report, facts={})).partition("\n")[2]
    console.print(_coloured(without_facts), soft_wrap=True, end="")


def _is_table(value: Any) -> bool:
    return is_array(value) and bool(value) and all(map(is_object, value))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="dim", show_edge=False)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name, "")) for name in columns))
    return table


def _cell(value: Any) -> Text:
    if value is None:
        return Text("-")
    if is_array(value):
        return Text(", ".join(map(_word, value)))
    return Text(_word(value))


def _word(value: Any) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _coloured(text: str) -> Text:
    """The report's text with the severity at the start of each finding's first line in its colour."""
    result = Text(text)
    for severity, style in _STYLES.items():
        result.highlight_regex(re.compile(rf"^{severity}(?= )", re.MULTILINE), style)
    return result
