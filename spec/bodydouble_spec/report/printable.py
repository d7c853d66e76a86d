"""Findings in a size to print: without pictures and without megabytes, in every format."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from bodydouble_spec.finding import Finding
from bodydouble_spec.report.model import Report
from bodydouble_spec.text import cut_counted, is_list, is_mapping, json_text, without_data_uris

__all__ = ["printable"]

_LIMIT_CHARACTERS = 16_000
_LIMIT_VALUE_CHARACTERS = 64_000
_LIMIT_DEPTH = 64
# They identify a finding, or are words of ours.
_KEPT = {"id", "severity", "evidence", "pointer", "direction", "operation", "covers"}


def printable(report: Report, *, is_cut: bool) -> Report:
    """Return the report with each data URI as its type and size.

    With ``is_cut`` texts in findings are cut to 16,000 characters, and values that are longer than 64,000 as JSON; formats for people cut them shorter.
    """
    shorten = _cut if is_cut else without_data_uris
    pictures = tuple(replace(picture, request=without_data_uris(picture.request)) for picture in report.pictures)
    return replace(report, findings=tuple(_finding(finding, shorten) for finding in report.findings), pictures=pictures)


def _cut(text: str) -> str:
    return cut_counted(without_data_uris(text), _LIMIT_CHARACTERS)


def _finding(finding: Finding, shorten: Callable[[str], str]) -> Finding:
    values = {item.name: getattr(finding, item.name) for item in fields(finding) if item.name not in _KEPT}
    covers = tuple(_finding(covered, shorten) for covered in finding.covers)
    return replace(finding, covers=covers, **{name: _shortened(value, shorten) for name, value in values.items()})


def _shortened(value: Any, shorten: Callable[[str], str]) -> Any:
    short = _value(value, shorten, 0)
    if shorten is not _cut or not (is_mapping(short) or is_list(short)):
        return short
    text = json_text(short)
    return short if len(text) <= _LIMIT_VALUE_CHARACTERS else cut_counted(text, _LIMIT_CHARACTERS)


def _value(value: Any, shorten: Callable[[str], str], depth: int) -> Any:
    if isinstance(value, str):
        return shorten(value)
    if depth < _LIMIT_DEPTH and is_mapping(value):
        return {key: _value(member, shorten, depth + 1) for key, member in value.items()}
    if depth < _LIMIT_DEPTH and is_list(value):
        return [_value(item, shorten, depth + 1) for item in value]
    return value
