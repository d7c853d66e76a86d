"""The common layout of verdict, findings and facts in the formats for people."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bodydouble_spec.finding import Finding, Severity
from bodydouble_spec.report.likeness import alike, is_said, otherwise_said
from bodydouble_spec.report.model import Report
from bodydouble_spec.report.places import operations_of, place
from bodydouble_spec.text import cut_counted, is_list, is_mapping, json_text, shortened, visible

__all__ = [
    "Detail",
    "ShownFinding",
    "Span",
    "Table",
    "also_text",
    "counted",
    "entries",
    "evidence_text",
    "fact_items",
    "fact_table",
    "fact_text",
    "facts_of",
    "heading",
    "one_line",
    "plain",
    "plural",
    "spans",
    "summary",
    "text_lines",
    "verdict",
    "visible_lines",
]

_LIMIT_CHARACTERS = 200
_ONE_LINE_CHARACTERS = 72
# Hundreds of one cause say nothing new to a person, and the json format has them all. The changes of a document that now describes another model
# are some thirty, each of them news.
_MOST_COVERED = 40
_SHOWN_OF_MANY = 5
_MOST_ALSO, _MOST_ALSO_COVERED = 8, 3
_CODE = re.compile(r"(?<!`)`([^`\s](?:[^`\n]*[^`\s])?)`(?!`)")


class Detail(NamedTuple):
    """One labelled field of a finding: ``lines`` in short form, ``block`` laid out for a box of its own.

    ``is_code`` tells JSON and commands from prose. ``is_folded`` is for what few readers need, or is long.
    """

    label: str
    lines: list[str]
    block: list[str]
    is_code: bool
    is_folded: bool = False


class ShownFinding(NamedTuple):
    """A finding as it is shown: its sentence in lines, its place, what else is known, and the entries that it covers, of which ``hidden`` are left out.

    ``like`` are the entries that say the same of other places or values, and ``also`` what each of them adds.
    """

    finding: Finding
    sentence: list[str]
    place: str
    details: list[Detail]
    covers: list["ShownFinding"]
    hidden: int
    like: list["ShownFinding"]
    also: list[str]


class Table(NamedTuple):
    """A fact that is a list of mappings: the keys in the order first seen, and a row of cells for each mapping."""

    columns: list[str]
    rows: list[list[str]]


class Span(NamedTuple):
    """A part of a sentence; ``is_code`` where backticks marked it as a name or value."""

    text: str
    is_code: bool


def verdict(report: Report) -> str:
    """Return the result in a sentence: ``3 things break your calls``. A report with known findings never says that there are none."""
    if report.verdict is not None:
        return one_line(report.verdict)
    if report.is_empty and report.incomplete is not None:
        return one_line(f"Nothing was examined: {report.incomplete}")
    counts = Counter(group[0].severity for group in alike(report.ordered()))
    errors, places = counts[Severity.ERROR], report.counts()[Severity.ERROR]
    nouns = {Severity.WARNING: "warning", Severity.INFO: "remark"}
    others = " and ".join(plural(counts[severity], noun) for severity, noun in nouns.items() if counts[severity])
    thing, new = "change" if report.key == "changes" else "thing", "new " if report.known else ""
    if errors:
        also = f"; also {others}" if others else ""
        spread = f" in {places} places" if places > errors else ""
        text = f"{plural(errors, f'{new}{thing}')} {'breaks' if errors == 1 else 'break'} {report.breaks}{spread}{also}"
    elif others:
        text = f"Nothing {new}was found that breaks {report.breaks}: {others}"
    else:
        found = "Nothing new was found" if report.known else f"No {report.key}"
        text = f"{found} in {report.examined}" if report.examined else found
    if report.known:
        text += f"; {report.known} known before {'is' if report.known == 1 else 'are'} still there"
    return one_line(text if report.incomplete is None else f"Not everything was examined: {report.incomplete}. {text}")


def summary(report: Report) -> str:
    """Count the findings by severity, as in ``2 errors, 1 warning``, and those known before; empty without any."""
    counts = [plural(count, severity) for severity, count in report.counts().items() if count]
    return ", ".join([*counts, f"{report.known} known before"] if report.known and counts else counts)


def heading(report: Report) -> str:
    """Return what the report is about, when it was made, and by which version."""
    parts = [report.title]
    if report.made_at is not None:
        parts.append(f"{report.made_at:%Y-%m-%d %H:%M} UTC")
    if report.version:
        parts.append(f"bodydouble {report.version}")
    return one_line(", ".join(parts))


def plural(count: int, noun: str) -> str:
    """Format a count with its noun: ``1 error``, ``2 errors``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counted(entries: Iterable[ShownFinding], hidden: int = 0) -> str:
    """Return the number of entries by severity, the worst first: ``8 errors, 13 infos``."""
    counts = Counter(one.finding.severity for entry in entries for one in (entry, *entry.like))
    known = [plural(counts[severity], severity) for severity in Severity if counts[severity]]
    return ", ".join([*known, f"{hidden} more"] if hidden else known)


def one_line(text: str) -> str:
    """Shorten a text and make it safe to print, in one line."""
    return visible(shortened(text))


def visible_lines(text: str) -> list[str]:
    """Shorten a text and split it into lines, without blank lines around it, each safe to print."""
    return [visible(line) for line in shortened(text).replace("\r\n", "\n").strip("\n").split("\n")]


def spans(line: str) -> list[Span]:
    """Split a line into text and code at the backticks that mark names and values; a backtick by itself stays text."""
    found: list[Span] = []
    for number, part in enumerate(_CODE.split(line)):
        if part:
            found.append(Span(part, number % 2 == 1))
    return found


def plain(line: str) -> str:
    """Return a line without the backticks that mark names and values."""
    # Made visible again, since a command to a CI runner may stand behind a backtick.
    return visible("".join(span.text for span in spans(line)))


def entries(report: Report, *, is_each: bool = False) -> list[ShownFinding]:
    """Return the findings in report order, as they are shown: those that say the same as one, or with ``is_each`` each by itself."""
    found = report.ordered()
    is_named = len(operations_of(found)) > 1
    if is_each:
        return [_entry(finding, with_operation=is_named) for finding in found]
    return [_group(group, with_operation=is_named) for group in alike(found)]


def facts_of(report: Report) -> dict[str, Any]:
    """Return the facts to show first, with the operation that all findings are about."""
    operations = operations_of(report.ordered())
    return {**({"operation": one_line(operations[0])} if len(operations) == 1 else {}), **report.facts}


def _group(group: Sequence[Finding], *, with_operation: bool) -> ShownFinding:
    lead, *others = group
    first = _entry(lead, with_operation=with_operation)
    return first._replace(
        like=[_entry(finding, with_operation=with_operation) for finding in others],
        also=[one_line(otherwise_said(finding, lead, with_operation=with_operation)) for finding in others],
    )


def _entry(finding: Finding, *, with_operation: bool) -> ShownFinding:
    ranked = alike(sorted(finding.covers, key=lambda covered: -covered.severity.rank))
    shown = ranked if len(ranked) <= _MOST_COVERED else ranked[:_SHOWN_OF_MANY]
    covers = [
        _group(covered, with_operation=with_operation and covered[0].operation != finding.operation)
        for covered in shown
    ]
    where = place(finding, with_operation=with_operation)
    hidden = sum(map(len, ranked[len(shown) :]))
    return ShownFinding(
        finding, visible_lines(finding.message), where, _details(finding, where), covers, hidden, [], []
    )


def _details(finding: Finding, place: str) -> list[Detail]:
    """Return the fields of a finding that its sentence does not have, apart from its name: of a change both values.

    The pointer is among them where the place in words is cut.
    """
    values = [("expected", finding.expected), ("got", finding.got)]
    prose = [
        ("repaired", finding.repaired),
        ("request", finding.request),
        ("shown by", None if finding.witness is not None and finding.witness in finding.id else finding.witness),
    ]
    found = [
        *_old_and_new(finding),
        *(_value_detail(finding, label, value) for label, value in values if _is_news(value, finding)),
        *(_detail(label, value) for label, value in prose if value is not None),
    ]
    if not place.endswith("…"):
        return found
    pointer = one_line(finding.pointer)
    return [*found, Detail("pointer", [pointer], [pointer], is_code=True, is_folded=True)]


def _is_news(value: Any, finding: Finding) -> bool:
    return value is not None and not is_said(value, finding.message)


def text_lines(entry: ShownFinding) -> list[str]:
    """Format sentence, place and details as lines of plain text, with values aligned; what is folded is left out."""
    finding = entry.finding
    where = "" if entry.place == "whole" else f"{entry.place}, "
    lines = [*map(plain, entry.sentence), f"{where}{one_line(finding.id)}, {evidence_text(finding)}"]
    for detail in entry.details:
        for number, value in enumerate([] if detail.is_folded else detail.lines):
            lines.append(f"{detail.label if number == 0 else '':<8}  {value}".rstrip())
    if entry.also:
        lines.append(f"{'also':<8}  {also_text(entry)}")
    shown = entry.covers[:_SHOWN_OF_MANY]
    for number, covered in enumerate(shown):
        name = f"{covered.finding.severity}: {plain(covered.sentence[0])}"
        named = [] if covered.finding.operation in {None, finding.operation} else [covered.place]
        named.append(one_line(covered.finding.id))
        also = f"; also {also_text(covered, is_covered=True)}" if covered.also else ""
        lines.append(f"{'covers' if number == 0 else '':<8}  {name} ({', '.join(named)}){also}")
    left = sum(1 + len(covered.like) for covered in entry.covers[len(shown) :]) + entry.hidden
    return [*lines, f"{'':<8}  and {left} more, which the html and json reports list"] if left else lines


def evidence_text(finding: Finding) -> str:
    """Return the evidence of a finding, with its source where it has one: ``documented (page, line 12)``."""
    return str(finding.evidence) + ("" if finding.source is None else f" ({plain(one_line(finding.source))})")


def also_text(entry: ShownFinding, *, is_covered: bool = False) -> str:
    """Return what the findings like a shown one add, beyond eight (three of a covered one) as their number; empty without any."""
    texts = [plain(text) for text in entry.also]
    most = _MOST_ALSO_COVERED if is_covered else _MOST_ALSO
    joint = "; " if any(" " in text for text in texts) else ", "
    more = len(texts) - most
    return joint.join(texts[:most]) + (f" and {more} more" if more > 0 else "")


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
    return plain(one_line(value)) if isinstance(value, str) and value else one_line(json_text(value))


def _value_detail(finding: Finding, label: str, value: Any) -> Detail:
    """Return a value as JSON; the types of a type rule as words, for ``"null"`` would be a text."""
    if finding.id.endswith(("-type", "/type")):
        return _detail(label, " or ".join(map(str, value)) if is_list(value) else value)
    # A pattern says nothing to most readers.
    is_pattern = label == "expected" and finding.id.endswith(("-pattern", "/pattern"))
    return _json_detail(label, value, is_folded=is_pattern)


def _json_detail(label: str, value: Any, *, is_folded: bool = False) -> Detail:
    text = json_text(value)
    short = visible(cut_counted(text, _LIMIT_CHARACTERS))
    block = [short] if len(text) <= _ONE_LINE_CHARACTERS else visible_lines(json_text(value, indent=2))
    return Detail(label, [short], block, is_code=True, is_folded=is_folded)


def _old_and_new(finding: Finding) -> list[Detail]:
    """Return the values of a change; none when the message says it all."""
    # Imported here: a server has no changes, and starts sooner.
    from bodydouble_spec.diff import Change

    sides = {"old": finding.old, "new": finding.new} if isinstance(finding, Change) else {}
    # That a flag was set, or that there was nothing before, is what the sentence says.
    if all(value is None or isinstance(value, bool) or is_said(value, finding.message) for value in sides.values()):
        return []
    return [_json_detail(label, value) for label, value in sides.items() if value is not None]


def _detail(label: str, value: Any) -> Detail:
    if not isinstance(value, str):
        return _json_detail(label, value)
    lines = visible_lines(value)
    short = [cut_counted(plain(line), _LIMIT_CHARACTERS) for line in lines]
    return Detail(label, short, lines, is_code=label == "request")
