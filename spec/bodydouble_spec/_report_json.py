"""The report for programs."""

from bodydouble_spec._report import Report
from bodydouble_spec._report_values import json_text

__all__ = ["render_json"]


def render_json(report: Report) -> str:
    """Render title, facts (or members), findings and summary as JSON in a stable order; ``json_safe`` replaces odd values."""
    findings = {report.key: [finding.to_dict() for finding in report.ordered()], "summary": report.counts()}
    named = {"title": report.title}
    document = (
        {**named, **findings, **report.members} if report.members else {**named, "facts": report.facts, **findings}
    )
    return json_text(document, indent=2) + "\n"
