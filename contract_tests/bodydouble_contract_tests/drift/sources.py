"""Results of the drift sources, merged into one list of findings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bodydouble_spec import Finding

__all__ = ["EXECUTED", "DriftSource", "SourceResult", "merge_findings"]


# The source of a finding about a request that was really sent.
EXECUTED = "executed"


class DriftSource(StrEnum):
    """A source of drift findings.

    ``document``: the published document compared with the contract, and tried out. ``page``: the example on the documentation page.
    ``recording``: recorded answers. ``requests``: recorded requests, to try against the published document. ``verify report``: the findings of a verification.
    """

    DOCUMENT = "document"
    PAGE = "page"
    RECORDING = "recording"
    REQUESTS = "requests"
    VERIFY_REPORT = "verify report"


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The findings of one source.

    ``address`` is its URL without secrets, or its path. ``note`` has further information: its date, or the number of answers.
    """

    source: DriftSource
    address: str
    findings: tuple[Finding, ...]
    note: str = ""


def merge_findings(results: Iterable[SourceResult]) -> list[Finding]:
    """Merge the findings of all results into one list, in order, and set the source of each.

    A source that is more specific than its kind ("page, line 12") is kept. A finding that two results of one source share is listed once.
    """
    findings: dict[tuple[Finding, str], Finding] = {}
    for result in results:
        for finding in result.findings:
            named = _named(finding, result.source)
            # A finding is equal to another one by its place only.
            findings.setdefault((named, json.dumps(named.to_dict(), sort_keys=True, default=str)), named)
    return list(findings.values())


def _named(finding: Finding, source: DriftSource) -> Finding:
    if finding.source is None:
        return replace(finding, source=str(source))
    if finding.source.startswith(source):
        return finding
    return replace(finding, source=f"{source}, {finding.source}")
