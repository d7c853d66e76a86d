"""Findings that say the same of several places or values, which people read once."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec.finding import Finding
from bodydouble_spec.report.places import names_in, operations_of, place, subject
from bodydouble_spec.text import is_list, json_text

__all__ = ["alike", "is_said", "otherwise_said"]

_LONGEST_VALUE = 200
_MOST_ITEMS = 40
_GAP = "\0"
_INDEX = re.compile(r"\[\d+\]")
_WORD_AFTER = r"(?!\w|[.\-]\w)"


def alike(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Return the findings in groups of one rule and one sentence, apart from the names and values in it, in the order of their first ones."""
    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_likeness(finding), []).append(finding)
    return [tuple(group) for group in groups.values()]


def otherwise_said(finding: Finding, lead: Finding, *, with_operation: bool) -> str:
    """Return what a finding adds to the first one of its group: its place where only that differs, else its sentence."""
    is_elsewhere = with_operation and operations_of((finding,))[:1] != operations_of((lead,))[:1]
    here, there = (place(one, with_operation=is_elsewhere) for one in (finding, lead))
    if _without(finding.message, _names(finding)) == _without(lead.message, _names(lead)):
        other = here if here != there else _case(finding, lead)
    else:
        is_named = here == there or _finds(subject(finding), finding.message)
        other = finding.message if is_named else f"{finding.message} ({here})"
    source = finding.source if finding.source != lead.source else None
    return f"{other} ({source})" if other and source else other or source or here


def _case(finding: Finding, lead: Finding) -> str:
    """Return the rest of an id that begins with the same rule: the case in which it was broken."""
    rule = f"{lead.id.partition('/')[0]}/"
    return finding.id.removeprefix(rule) if finding.id != lead.id else ""


def is_said(value: Any, sentence: str) -> bool:
    """Return whether a sentence already has a value, or each item of a list."""
    if is_list(value):
        return 0 < len(value) <= _MOST_ITEMS and all(is_said(item, sentence) for item in value)
    return any(_finds(text, sentence) for text in _texts(value))


def _values_of(finding: Finding) -> Iterator[Any]:
    """Yield the values that a finding compares."""
    # Only a change has the last two, and a server that reports none need not import changes.
    yield from (getattr(finding, name, None) for name in ("expected", "got", "old", "new"))


def _likeness(finding: Finding) -> tuple[Any, ...]:
    values = [text for value in _values_of(finding) for text in _texts(value)]
    return (
        finding.severity,
        finding.evidence,
        finding.id.partition("/")[0],
        finding.direction,
        finding.repaired,
        _without(finding.message, [*_names(finding), *values]),
    )


def _names(finding: Finding) -> list[str]:
    """Return the names by which a sentence may call the place of its finding."""
    named = subject(finding)
    # Some sentences are about the items of a list where the place is the first of them.
    return [named, _INDEX.sub("[]", named), *names_in(finding.pointer)[-1:], finding.operation or ""]


def _texts(value: Any) -> list[str]:
    """Return the forms in which a sentence may have a value, the longest first."""
    if isinstance(value, str):
        if len(value) > _LONGEST_VALUE:
            return []
        return [json_text(value), repr(value), *([value] if any(map(str.isalnum, value)) else [])]
    if is_list(value):
        return [text for item in value[:_MOST_ITEMS] for text in _texts(item)]
    return [json_text(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _finds(text: str, sentence: str) -> bool:
    return bool(text) and text in sentence and re.search(_word(text), sentence) is not None


def _without(sentence: str, names: Iterable[str]) -> str:
    for name in sorted({*filter(None, names)}, key=len, reverse=True):
        if name in sentence:  # most are not, and a pattern takes time to compile
            sentence = re.sub(_word(name), _GAP, sentence)
    return sentence


def _word(text: str) -> str:
    # A name may be the last of a path, a number no part of another one.
    before = r"(?<![\w.\-])" if text[0].isdecimal() else r"(?<![\w\-])" if text[0].isalpha() else ""
    after = _WORD_AFTER if text[-1].isalnum() else ""
    return f"{before}{re.escape(text)}{after}"
