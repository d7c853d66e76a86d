"""The report as one self-contained page."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from bodydouble_spec._finding import Finding
from bodydouble_spec._report import Report
from bodydouble_spec._report_parts import (
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

__all__ = ["render_html"]


def render_html(report: Report) -> str:
    """A page without scripts or outside resources, which can be filtered by severity, for light, dark and paper."""
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
        )
        + "\n"
    )


def _fact(label: str, value: Any) -> dict[str, Any]:
    table = fact_table(value)
    if table is not None:
        return {"label": label, "table": table}
    items = fact_items(value)
    return {"label": label, "table": None, "items": [fact_text(value)] if items is None else items or ["none"]}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": str(finding.severity),
        "evidence": str(finding.evidence),
        "id": one_line(finding.id),
        "place": place(finding),
        "message": "\n".join(visible_lines(finding.message)),
        "details": [
            {"label": detail.label, "text": "\n".join(detail.block), "is_code": detail.is_code}
            for detail in details(finding)
        ],
        "covers": [_finding(covered) for covered in finding.covers],
    }
