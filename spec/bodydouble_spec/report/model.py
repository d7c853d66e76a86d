"""Reports of a command: the examined facts and the findings, in every format for people and CI systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from bodydouble_spec.finding import Finding, Severity
from bodydouble_spec.text import json_text

__all__ = ["Report", "ReportCheck", "ReportFormat", "ReportPicture"]


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
    """One claim that was checked, so that a report can show passed checks too.

    ``outcome`` is ``passed``, ``passed with remarks`` (information only), ``failed``, ``muted`` (only known failures) or ``not run``; ``reason`` says
    why it was not run. The findings of a check have its id, or an id that begins with it and a slash. ``seconds`` is the time of its calls.
    """

    id: str
    claim: str
    outcome: str
    reason: str | None = None
    seconds: float = 0.0

    def has(self, finding: Finding) -> bool:
        """Return whether the finding, or one that it covers, belongs to this check."""
        return f"{finding.id}/".startswith(f"{self.id}/") or any(map(self.has, finding.covers))


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """One received picture, and the request for it.

    ``content`` are the bytes of a picture in a format that browsers show, of the type ``media_type``; empty when there
    is nothing to show, with the reason in ``note``. ``request`` is the call, ready to be sent again.
    """

    title: str
    request: str
    note: str
    media_type: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Report:
    """The examined facts and the findings.

    ``facts`` maps a label to a scalar, a list, or a list of mappings, which is shown as a table; ``details`` are facts that are folded where a format
    can do that, and left out of the text. ``key`` is the name of the findings: the key of their list in the json format, and the word in "No findings".
    ``breaks`` is what an error breaks, for the verdict: ``your calls``; ``examined`` is what has no finding, for "No findings in …"; ``verdict`` is the whole sentence, where the
    counts cannot say it. ``incomplete`` is the reason why not everything was examined; with ``is_empty`` nothing was. ``checks`` are shown by html, junit and markdown, ``pictures`` by html. ``known`` counts findings that are known and left out. ``members``
    are for programs: when given, the json format has them in place of the facts, each as a member of the document. ``made_at`` and ``version`` name the time and the
    program, ``seconds`` is the time that the command took.
    """

    title: str
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    key: str = "findings"
    checks: tuple[ReportCheck, ...] = ()
    pictures: tuple[ReportPicture, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict[str, Any])
    known: int = 0
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    breaks: str = "the contract"
    examined: str | None = None
    verdict: str | None = None
    incomplete: str | None = None
    is_empty: bool = False
    made_at: datetime | None = None
    version: str | None = None
    seconds: float = 0.0

    def ordered(self) -> tuple[Finding, ...]:
        """Return the findings in report order: the worst severity first, then those of one rule together, else as given, exact duplicates once."""
        return self._ordered

    @cached_property
    def _ordered(self) -> tuple[Finding, ...]:
        # Verdict, facts, findings and their numbers all ask for it, and it writes each finding as JSON.
        unique = {json_text(finding.to_dict()): finding for finding in self.findings}
        first = {finding.id: number for number, finding in reversed([*enumerate(unique.values())])}
        return tuple(sorted(unique.values(), key=lambda finding: (-finding.severity.rank, first[finding.id])))

    def counts(self) -> dict[Severity, int]:
        """Count the reported findings by severity, the worst first; covered findings are not counted."""
        severities = [finding.severity for finding in self.ordered()]
        return {severity: severities.count(severity) for severity in Severity}
