"""The common layout of findings and facts in the formats for people."""

import unicodedata
from typing import Any, NamedTuple

from bodydouble_spec.diff import Change
from bodydouble_spec.finding import Finding
from bodydouble_spec.report.model import Report
from bodydouble_spec.text import is_list, is_mapping, json_text, shortened, visible

__all__ = [
    "Detail",
    "Table",
    "details",
    "fact_items",
    "fact_table",
    "fact_text",
    "folded_text",
    "one_line",
    "padded",
    "place",
    "plural",
    "shown_covers",
    "summary",
    "text_lines",
    "visible_lines",
    "width",
]


_NOTHING = "nothing"
_SEVERITY_COLUMNS = 7


class Detail(NamedTuple):
    """One labelled field of a finding: ``lines`` in short form, ``block`` laid out for a box of its own.

    ``is_code`` tells JSON and commands from prose.
    """

    label: str
    lines: list[str]
    block: list[str]
    is_code: bool


class Table(NamedTuple):
    """A fact that is a list of mappings: the keys in the order first seen, and a row of cells for each mapping."""

    columns: list[str]
    rows: list[list[str]]


def summary(report: Report) -> str:
    """Count the findings by severity, as in ``2 errors, 1 warning, 0 infos``, and those known before.

    Without any it begins with "No findings", or with "Nothing new" where some are known: these are still there.
    """
    counts = report.counts()
    text = ", ".join(plural(count, severity) for severity, count in counts.items())
    if report.known:
        text += f"; {report.known} known before"
    nothing = f"No {visible(report.key)}" if not report.known else "Nothing new"
    return text if any(counts.values()) else f"{nothing}: {text}"


def plural(count: int, noun: str) -> str:
    """Format a count with its noun: ``1 error``, ``2 errors``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def place(finding: Finding, above: Finding | None = None) -> str:
    """Format the place of a finding: operation, direction and pointer, or ``(whole)`` without any of them.

    The operation is left out when it is that of the finding ``above``, which covers it.
    """
    is_repeated = above is not None and finding.operation == above.operation
    parts = (None if is_repeated else finding.operation, finding.direction, finding.pointer)
    return " ".join(one_line(part) for part in parts if part) or "(whole)"


def one_line(text: str) -> str:
    """Shorten a text and make it safe to print, in one line."""
    return visible(shortened(text))


def visible_lines(text: str) -> list[str]:
    """Shorten a text and split it into lines, without blank lines around it, each safe to print."""
    return [visible(line) for line in shortened(text).replace("\r\n", "\n").strip("\n").split("\n")]


def details(finding: Finding) -> list[Detail]:
    """Return the fields of a finding that are set, apart from name and message; of a change both values."""
    # A pattern says nothing to most readers; the json report has it.
    expected = None if finding.id.endswith("-pattern") else finding.expected
    values = [("expected", expected), ("got", finding.got)]
    prose = [
        ("repaired", finding.repaired),
        ("request", finding.request),
        ("source", finding.source),
        ("witness", finding.witness),
    ]
    return [
        *_old_and_new(finding),
        *(_value_detail(finding, label, value) for label, value in values if value is not None),
        *(_detail(label, value) for label, value in prose if value is not None),
    ]


def text_lines(finding: Finding) -> list[str]:
    """Format message, details and covered findings as lines of text, with values aligned."""
    rows = [(detail.label, detail.lines) for detail in details(finding)]
    rows += [("covers", [line]) for line in _covered_lines(finding, "")]
    lines = visible_lines(finding.message)
    for label, values in rows:
        for number, value in enumerate(values):
            lines.append(f"{label if number == 0 else '':<8}  {value}".rstrip())
    return lines


def fact_table(value: Any) -> Table | None:
    """Return the fact as a table, or None when it is not a list of mappings."""
    if not is_list(value):
        return None
    mappings = [item for item in value if is_mapping(item)]
    if len(mappings) < len(value):
        return None
    columns = list(dict.fromkeys(key for item in mappings for key in item))
    if not columns:
        return None
    rows = [[fact_text(item[key]) if key in item else "" for key in columns] for item in mappings]
    return Table([one_line(str(column)) for column in columns], rows)


def fact_items(value: Any) -> list[str] | None:
    """Return the fact as a list of texts, or None when it is a scalar."""
    return [fact_text(item) for item in value] if is_list(value) else None


def fact_text(value: Any) -> str:
    """Format a scalar in one line: text as it is, ``-`` for None, anything else as JSON."""
    if value is None:
        return "-"
    return one_line(value) if isinstance(value, str) and value else one_line(json_text(value))


def width(text: str) -> int:
    """Return the terminal width of a text in columns: two for wide characters, zero for combining ones."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def padded(text: str, columns: int) -> str:
    """Pad the text with spaces to that many columns."""
    return text + " " * (columns - width(text))


def _value_detail(finding: Finding, label: str, value: Any) -> Detail:
    """Return a value as JSON; the types of a type rule as words, for ``"null"`` would be a text."""
    if not finding.id.endswith("-type"):
        return _json_detail(label, value)
    return _detail(label, " or ".join(map(str, value)) if is_list(value) else value)


def _json_detail(label: str, value: Any) -> Detail:
    return Detail(label, [one_line(json_text(value))], visible_lines(json_text(value, indent=2)), is_code=True)


def _old_and_new(finding: Finding) -> list[Detail]:
    """Return both values of a change, even when one is missing; neither when the message says it all."""
    if not isinstance(finding, Change) or (finding.old is None and finding.new is None):
        return []
    return [
        Detail(label, [_NOTHING], [_NOTHING], is_code=False) if value is None else _json_detail(label, value)
        for label, value in (("old", finding.old), ("new", finding.new))
    ]


def _detail(label: str, value: Any) -> Detail:
    if not isinstance(value, str):
        return _json_detail(label, value)
    lines = visible_lines(value)
    return Detail(label, lines, lines, is_code=label == "request")


def _covered_lines(finding: Finding, indent: str) -> list[str]:
    lines: list[str] = []
    for covered in shown_covers(finding):
        # The message comes first: pointers are long, and people read the beginning of a line.
        where = f"{one_line(covered.id)} at {place(covered, finding)}"
        named = f"{covered.severity:<{_SEVERITY_COLUMNS}}  {one_line(covered.message)} ({where})"
        lines += [indent + named, *_covered_lines(covered, indent + "  ")]
    folded = folded_text(finding)
    return lines if folded is None else [*lines, indent + folded]


# Hundreds of one cause say nothing new to a person, and the json format has them all. The changes of a document that now describes another model
# are some thirty, each of them news.
_MOST_COVERED = 40
_SHOWN_COVERED = 5


def shown_covers(finding: Finding) -> tuple[Finding, ...]:
    """Return the covered findings to show: all of a few, the first five of many."""
    return finding.covers if len(finding.covers) <= _MOST_COVERED else finding.covers[:_SHOWN_COVERED]


def folded_text(finding: Finding) -> str | None:
    """Return a line about the covered findings that are not shown; None when all are."""
    count = len(finding.covers) - len(shown_covers(finding))
    return f"and {count} more, which the json format lists" if count else None
