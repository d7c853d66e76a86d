"""The report for programs."""

from bodydouble_spec._report import Report
from bodydouble_spec._report_values import json_text

__all__ = ["render_json"]


def render_json(report: Report) -> str:
    """Title, facts (or members), findings and summary as JSON with a stable order of keys; see ``json_safe`` for what is replaced."""
    findings = {report.key: [finding.to_dict() for finding in report.ordered()], "summary": report.counts()}
    named = {"title": report.title}
    document = (
        {**named, **findings, **report.members} if report.members else {**named, "facts": report.facts, **findings}
    )
    return json_text(document, indent=2) + "\n"
