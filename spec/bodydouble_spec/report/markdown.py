"""The report as GitHub Flavored Markdown, for pull requests, issues and step summaries."""

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from bodydouble_spec.diff import Change
from bodydouble_spec.finding import Severity
from bodydouble_spec.report.layout import (
    Detail,
    ShownFinding,
    Table,
    also_text,
    counted,
    entries,
    evidence_text,
    fact_items,
    fact_table,
    fact_text,
    facts_of,
    heading,
    one_line,
    plural,
    spans,
    summary,
    text_lines,
    verdict,
)
from bodydouble_spec.report.model import Report, ReportCheck

__all__ = ["github_commands", "render_github", "render_markdown"]

_INLINE_CHARACTERS = 100
# Whatever opens a construct inside a line; our text never stands at the start of a line.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&$~|#]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# Text that a server sent must not mention a user or link an issue.
_REFERENCE = re.compile(r"@|#(?=\d)")
_BACKTICKS = re.compile(r"`+")
_INDENT = re.compile(r"^ +")
_OLD_AND_NEW = ("old", "new")


def render_markdown(report: Report) -> str:
    """Render verdict and facts, then the findings as one list a severity; details, covered findings, checks and coverage are folded.

    Markdown, HTML, mentions and links in the texts of findings and facts are shown as text.
    """
    sections = [f"# {_sentence(verdict(report))}", *_facts({"report": heading(report), **facts_of(report)})]
    for _, group in groupby(entries(report), key=lambda entry: entry.finding.severity):
        found = list(group)
        sections.append(f"## {counted(found)}")
        sections += ["\n".join(_item(entry)) for entry in found]
    if report.details:
        sections += _folded("What was covered", _facts(report.details))
    if report.checks:
        sections += _folded(f"The {plural(len(report.checks), 'check')}", [_table(_checks(report.checks))])
    return "\n\n".join(sections) + "\n"


def _folded(title: str, sections: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", *sections, "</details>"]


def _facts(facts: Mapping[str, Any]) -> list[str]:
    tables = {label: fact_table(value) for label, value in facts.items()}
    scalars = [f"- **{_inline(one_line(label))}**: {_fact(facts[label])}" for label in tables if tables[label] is None]
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


def _item(entry: ShownFinding) -> list[str]:
    """Return a finding as an item of a list: its sentence, place and short values; what is long is folded below them."""
    finding = entry.finding
    where = "" if entry.place == "whole" else f"{_code(entry.place)}, "
    # The severity comes first, since a sentence may begin like a list or like code.
    lines = [
        f"- **{finding.severity}**: {_sentence_lines(entry.sentence)}<br>{where}{_code(one_line(finding.id))}, {_inline(evidence_text(finding))}"
    ]
    shown = [detail for detail in entry.details if not _is_long(detail)]
    if isinstance(finding, Change):
        sides = [detail for detail in entry.details if detail.label in _OLD_AND_NEW]
        lines += _old_new_table(sides, "  ")
        shown = [detail for detail in shown if detail not in sides]
    lines += [line for detail in shown for line in _detail(detail, "  ")]
    folded = [detail for detail in entry.details if _is_long(detail) and detail.label not in _OLD_AND_NEW]
    lines += [f"  - also: {_inline(also_text(entry))}"] if entry.also else []
    if not folded and not entry.covers and not entry.like:
        return lines
    titles = ["details"] if folded or entry.like else []
    titles += [f"what it covers: {counted(entry.covers, entry.hidden)}"] if entry.covers else []
    inside = [line for detail in folded for line in _detail(detail, "  ")]
    inside += [line for other in entry.like for line in _covered_item(other, "  ")]
    inside += [line for covered in entry.covers for line in _covered_item(covered, "  ")]
    inside += [f"  - and {entry.hidden} more, which the json format lists"] if entry.hidden else []
    return [*lines, "", f"  <details><summary>{' and '.join(titles)}</summary>", "", *inside, "", "  </details>"]


def _covered_item(entry: ShownFinding, indent: str) -> list[str]:
    finding = entry.finding
    named = f"{_code(entry.place)}, {_code(one_line(finding.id))}, {_inline(evidence_text(finding))}"
    lines = [f"{indent}- {finding.severity}: {_sentence_lines(entry.sentence)}<br>{named}"]
    inner = indent + "  "
    if isinstance(finding, Change):
        lines += _old_new_table([detail for detail in entry.details if detail.label in _OLD_AND_NEW], inner)
    for detail in entry.details:
        if not (isinstance(finding, Change) and detail.label in _OLD_AND_NEW):
            lines += _detail(detail, inner)
    return [*lines, *(line for one in (*entry.like, *entry.covers) for line in _covered_item(one, inner))]


def _is_long(detail: Detail) -> bool:
    return detail.is_folded or len(detail.lines) > 1 or len(detail.lines[0]) > _INLINE_CHARACTERS


def _sentence_lines(lines: list[str]) -> str:
    return "<br>".join(map(_sentence, lines))


def _sentence(line: str) -> str:
    return "".join(_code(span.text) if span.is_code else _inline(span.text) for span in spans(line))


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
    """Render the verdict, one command for the findings that say the same, and their numbers, each in one line; without the facts.

    Commands and their escapes follow the runner (github.com/actions/toolkit, ``command.ts``).
    """
    return "\n".join((verdict(report), *github_commands(report), summary(report))).rstrip("\n") + "\n"


def github_commands(report: Report) -> list[str]:
    """Return one command for the findings that say the same, each in one line."""
    return [_command(entry) for entry in entries(report)]


def _command(entry: ShownFinding) -> str:
    finding = entry.finding
    title = f"{one_line(finding.id)} ({finding.evidence})"
    return f"::{_COMMANDS[finding.severity]} title={_property(title)}::{_data(chr(10).join(text_lines(entry)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
