"""What a command examined and what it found, in every format that people and CI systems read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bodydouble_spec._finding import Finding, Severity
from bodydouble_spec._report_values import json_text

__all__ = ["Report", "ReportCheck", "ReportFormat", "ReportPicture", "render"]


class ReportFormat(StrEnum):
    """The formats of a report; ``junit`` is XML, ``github`` are workflow commands (annotations)."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    HTML = "html"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """One claim that was put to the test, so that a report can show what passed.

    ``outcome`` is ``passed``, ``failed``, ``muted`` (it fails only as is known) or ``not run``; ``reason`` says why it was not run. The findings of
    a check have its id, or an id that begins with it and a slash.
    """

    id: str
    claim: str
    outcome: str
    reason: str | None = None

    def has(self, finding: Finding) -> bool:
        """Whether the finding is one of this check."""
        return f"{finding.id}/".startswith(f"{self.id}/")


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """One picture that was received, and the request that brought it.

    ``content`` are the bytes of a picture that browsers show, of the type ``media_type``; empty where there is nothing to look at, and ``note``
    says why. ``request`` is the call, as one sends it again.
    """

    title: str
    request: str
    note: str
    media_type: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What was examined (``facts``) and what was found (``findings``).

    ``facts`` maps a label to a scalar, a list, or a list of mappings, which is shown as a table. ``key`` is what the
    findings are called: the key of their list in the json format, and the word in "No findings". ``checks`` are shown by html, junit
    and markdown, ``pictures`` by html. ``members`` are for programs: where they are given, the json format has them in place of ``facts``,
    each as a member of the document.
    """

    title: str
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    key: str = "findings"
    checks: tuple[ReportCheck, ...] = ()
    pictures: tuple[ReportPicture, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def ordered(self) -> tuple[Finding, ...]:
        """The findings as reported: the worst severity first, else as given, those alike in every field once."""
        unique = {json_text(finding.to_dict()): finding for finding in self.findings}
        return tuple(sorted(unique.values(), key=lambda finding: -finding.severity.rank))

    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity are reported, the worst first; covered findings are not counted."""
        severities = [finding.severity for finding in self.ordered()]
        return {severity: severities.count(severity) for severity in Severity}


def render(report: Report, format: ReportFormat = ReportFormat.TEXT) -> str:  # noqa: A002 - the word users know
    """The report as text that ends in a newline and can be encoded as UTF-8.

    Every format but json shortens fields beyond 4,000 characters. No format lets a control character, an ANSI escape
    or a bidirectional override through: they are shown as escapes (``\\x1b``, ``\\u202e``).
    """
    # Each format is imported when it is asked for: Jinja2 and the XML modules would cost every command start-up time.
    match format:
        case ReportFormat.TEXT:
            from bodydouble_spec._report_text import render_text as renderer
        case ReportFormat.JSON:
            from bodydouble_spec._report_json import render_json as renderer
        case ReportFormat.MARKDOWN:
            from bodydouble_spec._report_markdown import render_markdown as renderer
        case ReportFormat.JUNIT:
            from bodydouble_spec._report_junit import render_junit as renderer
        case ReportFormat.HTML:
            from bodydouble_spec._report_html import render_html as renderer
        case ReportFormat.GITHUB:
            from bodydouble_spec._report_github import render_github as renderer
    return renderer(report)
