"""Rendering of a report in any format, JSON included."""

from bodydouble_spec.report.layout import verdict
from bodydouble_spec.report.model import Report, ReportFormat
from bodydouble_spec.report.printable import printable
from bodydouble_spec.text import json_text

__all__ = ["render", "render_annotations", "render_json"]


def render(report: Report, format: ReportFormat = ReportFormat.TEXT) -> str:  # noqa: A002 - the word users know
    """Render the report as text that ends in a newline and can be encoded as UTF-8.

    A data URI becomes its type and size, and every format but json shortens what is long. Control characters, ANSI escapes and bidirectional
    overrides are shown as escapes (``\\x1b``, ``\\u202e``) in every format.
    """
    # Imported on demand: Jinja2 and the XML modules would slow down the start of every command.
    match format:
        case ReportFormat.TEXT:
            from bodydouble_spec.report.text import render_text as renderer
        case ReportFormat.JSON:
            renderer = render_json
        case ReportFormat.MARKDOWN:
            from bodydouble_spec.report.markdown import render_markdown as renderer
        case ReportFormat.JUNIT:
            from bodydouble_spec.report.junit import render_junit as renderer
        case ReportFormat.HTML:
            from bodydouble_spec.report.html import render_html as renderer
        case ReportFormat.GITHUB:
            from bodydouble_spec.report.markdown import render_github as renderer
    return renderer(printable(report, is_cut=format is ReportFormat.JSON))


def render_annotations(report: Report) -> str:
    """Render the commands of the GitHub format, one a line, beside a report that has verdict and numbers."""
    from bodydouble_spec.report.markdown import github_commands

    return "".join(f"{command}\n" for command in github_commands(printable(report, is_cut=False)))


def render_json(report: Report) -> str:
    """Render title, verdict, facts (or members), findings and summary as JSON in a stable order; ``json_safe`` replaces odd values."""
    named = {"title": report.title, "verdict": verdict(report)}
    if report.made_at is not None:
        named |= {"made_at": report.made_at.isoformat(timespec="seconds"), "version": report.version or ""}
    findings = {report.key: [finding.to_dict() for finding in report.ordered()], "summary": report.counts()}
    facts = {"facts": {**report.facts, **report.details}}
    document = {**named, **findings, **report.members} if report.members else {**named, **facts, **findings}
    return json_text(document, indent=2) + "\n"
