"""The report as one self-contained page."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined

from bodydouble_spec.report.layout import (
    Detail,
    ShownFinding,
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
    plain,
    plural,
    spans,
    verdict,
    visible_lines,
)
from bodydouble_spec.report.model import Report, ReportCheck, ReportPicture

__all__ = ["render_html"]

_MOST_LINES = 6
_MOST_CHARACTERS = 300
_SHOWN = {"image/png", "image/jpeg", "image/webp", "image/gif"}


def render_html(report: Report) -> str:
    """Render a page without scripts or external resources, with filters by severity, for light, dark and paper."""
    template = files("bodydouble_spec").joinpath("templates/report.html.jinja").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return (
        environment.from_string(template).render(
            title=one_line(report.title),
            verdict=plain(verdict(report)),
            sentence=spans(verdict(report)),
            heading=heading(report),
            key=one_line(report.key),
            filters=[(str(severity), plural(count, severity)) for severity, count in report.counts().items() if count],
            facts=_facts(facts_of(report)),
            details=_facts(report.details),
            findings=[_finding(entry) for entry in entries(report)],
            checks=[_check(check) for check in report.checks],
            outcomes=_outcomes(report.checks),
            calls=[_call(title, request, [*group]) for (title, request), group in groupby(report.pictures, _call_of)],
        )
        + "\n"
    )


def _facts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_fact(one_line(label), value) for label, value in facts.items()]


def _outcomes(checks: Iterable[ReportCheck]) -> str:
    counts = Counter(one_line(check.outcome) for check in checks)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _fact(label: str, value: Any) -> dict[str, Any]:
    table = fact_table(value)
    if table is not None:
        return {"label": label, "table": table}
    items = fact_items(value)
    return {"label": label, "table": None, "items": [fact_text(value)] if items is None else items or ["none"]}


def _check(check: ReportCheck) -> dict[str, str]:
    tones = {"failed": "error", "not run": "warning", "muted": "info", "passed with remarks": "info"}
    reason = f" ({one_line(check.reason)})" if check.reason else ""
    return {
        "id": one_line(check.id),
        "claim": one_line(check.claim) + reason,
        "outcome": one_line(check.outcome),
        "tone": tones.get(check.outcome, ""),
    }


def _call_of(picture: ReportPicture) -> tuple[str, str]:
    return picture.title, picture.request


def _call(title: str, request: str, pictures: list[ReportPicture]) -> dict[str, Any]:
    """Return one call and its pictures; only formats that browsers show become images."""
    return {
        "title": one_line(title),
        "request": "\n".join(visible_lines(request)),
        "pictures": [
            {
                "note": one_line(picture.note),
                "source": f"data:{picture.media_type};base64,{b64encode(picture.content).decode()}"
                if picture.content and picture.media_type in _SHOWN
                else None,
            }
            for picture in pictures
        ],
    }


def _finding(entry: ShownFinding) -> dict[str, Any]:
    finding = entry.finding
    return {
        "severity": str(finding.severity),
        "evidence": evidence_text(finding),
        "id": one_line(finding.id),
        "place": "" if entry.place == "whole" else entry.place,
        "sentence": [spans(line) for line in entry.sentence],
        "details": [_detail(detail) for detail in entry.details if not _is_long(detail)],
        "folded": [_detail(detail) for detail in entry.details if _is_long(detail)],
        "covers": [_finding(covered) for covered in entry.covers],
        "covered": counted(entry.covers, entry.hidden),
        "also": also_text(entry),
        "like": [_finding(other) for other in entry.like],
    }


def _is_long(detail: Detail) -> bool:
    return detail.is_folded or len(detail.block) > _MOST_LINES or sum(map(len, detail.block)) > _MOST_CHARACTERS


def _detail(detail: Detail) -> dict[str, Any]:
    text = "\n".join(detail.block)
    return {"label": detail.label, "text": text if detail.is_code else plain(text), "is_code": detail.is_code}
