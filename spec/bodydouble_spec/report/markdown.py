"""The report as GitHub Flavored Markdown, for pull requests, issues and step summaries."""

import re
from itertools import groupby
from typing import Any

from bodydouble_spec.diff import Change
from bodydouble_spec.finding import Finding, Severity
from bodydouble_spec.report.layout import (
    Detail,
    Table,
    details,
    fact_items,
    fact_table,
    fact_text,
    folded_text,
    one_line,
    place,
    plural,
    shown_covers,
    summary,
    text_lines,
    visible_lines,
)
from bodydouble_spec.report.model import Report, ReportCheck

__all__ = ["render_github", "render_markdown"]

_INLINE_CHARACTERS = 100
# Whatever opens a construct inside a line; our text never stands at the start of a line.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&$~|#]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# Text that a server sent must not mention a user or link an issue.
_REFERENCE = re.compile(r"@|#(?=\d)")
_BACKTICKS = re.compile(r"`+")
_INDENT = re.compile(r"^ +")
_OLD_AND_NEW = ("old", "new")


def render_markdown(report: Report) -> str:
    """Render title, summary and facts, then the findings as one list a severity, with covered findings nested.

    Markdown, HTML, mentions and links in the texts of findings and facts are shown as text.
    """
    sections = [f"# {_inline(one_line(report.title))}", f"**{_inline(summary(report))}**", *_facts(report)]
    for severity, group in groupby(report.ordered(), key=lambda finding: finding.severity):
        findings = list(group)
        sections.append(f"## {plural(len(findings), severity)}")
        sections.append("\n".join(line for finding in findings for line in _item(finding, "")))
    if report.checks:
        sections += ["## checks", _table(_checks(report.checks))]
    return "\n\n".join(sections) + "\n"


def _facts(report: Report) -> list[str]:
    tables = {label: fact_table(value) for label, value in report.facts.items()}
    scalars = [
        f"- **{_inline(one_line(label))}**: {_fact(report.facts[label])}" for label in tables if tables[label] is None
    ]
    sections = ["\n".join(scalars)] if scalars else []
    for label, table in tables.items():
        if table is not None:
            sections += [f"## {_inline(one_line(label))}", _table(table)]
    return sections


def _checks(checks: tuple[ReportCheck, ...]) -> Table:
    rows = [
        [check.outcome, check.id, " ".join(filter(None, (check.claim, check.reason and f"({check.reason})")))]
        for check in checks
    ]
    return Table(["outcome", "check", "claim"], [[one_line(cell) for cell in row] for row in rows])


def _fact(value: Any) -> str:
    items = fact_items(value)
    return _inline(fact_text(value)) if items is None else ", ".join(map(_inline, items)) or "none"


def _table(table: Table) -> str:
    rows = [table.columns, ["---"] * len(table.columns), *([_inline(cell) for cell in row] for row in table.rows)]
    rows[0] = [_inline(column) for column in table.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _item(finding: Finding, indent: str, above: Finding | None = None) -> list[str]:
    message = "<br>".join(map(_inline, visible_lines(finding.message)))
    known = f"({finding.severity}, {finding.evidence})"
    lines = [f"{indent}- **{_code(one_line(finding.id))}** at {_code(place(finding, above))} {known}<br>{message}"]
    inner = indent + "  "
    shown = details(finding)
    if isinstance(finding, Change):
        lines += _old_new_table([detail for detail in shown if detail.label in _OLD_AND_NEW], inner)
        shown = [detail for detail in shown if detail.label not in _OLD_AND_NEW]
    for detail in shown:
        lines += _detail(detail, inner)
    if finding.covers:
        lines.append(f"{inner}- covers:")
        lines += [line for covered in shown_covers(finding) for line in _item(covered, inner + "  ", finding)]
        folded = folded_text(finding)
        lines += [] if folded is None else [f"{inner}  - {folded}"]
    return lines


def _old_new_table(details: list[Detail], indent: str) -> list[str]:
    """Return old and new value of a change as a table of one row."""
    if not details:
        return []
    rows = ([detail.label for detail in details], ["---"] * len(details), [_cell(detail) for detail in details])
    return [f"{indent}| {' | '.join(row)} |" for row in rows]


def _cell(detail: Detail) -> str:
    """Format code for a table cell: one code span a line, indentation kept, and no bar that would end the cell."""
    if not detail.is_code:
        return _inline(detail.lines[0])
    is_short = len(detail.lines[0]) <= _INLINE_CHARACTERS
    lines = detail.lines if is_short else detail.block
    return "<br>".join(_code(_INDENT.sub(lambda match: "\u00a0" * len(match[0]), line)) for line in lines).replace(
        "|", "\\|"
    )


def _detail(detail: Detail, indent: str) -> list[str]:
    text = detail.lines[0]
    if not detail.is_code:
        return [f"{indent}- {detail.label}: {'<br>'.join(map(_inline, detail.lines))}"]
    if len(detail.lines) == 1 and len(text) <= _INLINE_CHARACTERS:
        return [f"{indent}- {detail.label}: {_code(text)}"]
    fence = _fence("\n".join(detail.block), 3)
    inner = indent + "  "
    return [f"{indent}- {detail.label}:", *((inner + line).rstrip() for line in (fence, *detail.block, fence))]


def _inline(text: str) -> str:
    return _REFERENCE.sub(lambda match: f"{match[0]}&#8203;", _SPECIAL.sub(lambda match: f"\\{match[0]}", text))


def _code(text: str) -> str:
    fence = _fence(text, 1)
    # Markdown removes one space on each side, which keeps a backtick in the text apart from the fence.
    return f"{fence} {text} {fence}" if "`" in text or text.strip() != text else f"{fence}{text or ' '}{fence}"


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(longest + 1, shortest)


_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(report: Report) -> str:
    """Render the title, one command a finding, and the summary, each in one line; without the facts.

    Commands and their escapes follow the runner (github.com/actions/toolkit, ``command.ts``).
    """
    return "\n".join((one_line(report.title), *map(_command, report.ordered()), summary(report))) + "\n"


def _command(finding: Finding) -> str:
    title = f"{one_line(finding.id)} ({finding.evidence})"
    message = "\n".join((place(finding), *text_lines(finding)))
    return f"::{_COMMANDS[finding.severity]} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
