"""The report as one self-contained page."""

from base64 import b64encode
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined

from bodydouble_spec.finding import Finding
from bodydouble_spec.report.layout import (
    details,
    fact_items,
    fact_table,
    fact_text,
    one_line,
    place,
    plural,
    summary,
    visible_lines,
)
from bodydouble_spec.report.model import Report, ReportCheck, ReportPicture

__all__ = ["render_html"]

_SHOWN = {"image/png", "image/jpeg", "image/webp", "image/gif"}


def render_html(report: Report) -> str:
    """Render a page without scripts or external resources, with filters by severity, for light, dark and paper."""
    template = files("bodydouble_spec").joinpath("templates/report.html.jinja").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return (
        environment.from_string(template).render(
            title=one_line(report.title),
            summary=summary(report),
            key=one_line(report.key),
            filters=[(str(severity), plural(count, severity)) for severity, count in report.counts().items() if count],
            facts=[_fact(one_line(label), value) for label, value in report.facts.items()],
            findings=[_finding(finding) for finding in report.ordered()],
            checks=[_check(check) for check in report.checks],
            calls=[_call(title, request, [*group]) for (title, request), group in groupby(report.pictures, _call_of)],
        )
        + "\n"
    )


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


def _finding(finding: Finding, above: Finding | None = None) -> dict[str, Any]:
    return {
        "severity": str(finding.severity),
        "evidence": str(finding.evidence),
        "id": one_line(finding.id),
        "place": place(finding, above),
        "message": "\n".join(visible_lines(finding.message)),
        "details": [
            {"label": detail.label, "text": "\n".join(detail.block), "is_code": detail.is_code}
            for detail in details(finding)
        ],
        "covers": [_finding(covered, finding) for covered in finding.covers],
    }
