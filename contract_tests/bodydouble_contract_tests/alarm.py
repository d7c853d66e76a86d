"""Drift detection: what a service publishes, documents and answers, compared with the adopted contract.

Each source gives a `SourceResult`. `merge_findings` makes one list of them, and `compare` returns what is new since the last run::

    contract = Contract.load()
    page = fetch("https://example.org/models/page.md")
    result = SourceResult(DriftSource.PAGE, page.address, tuple(page_findings(page, contract)))
    delta, state = compare(read_state(path), [result], datetime.now(UTC), remind_days=30)
"""

from bodydouble_contract_tests._alarm import DriftSource, SourceResult, merge_findings
from bodydouble_contract_tests._alarm_recordings import (
    Recording,
    read_recording,
    recording_findings,
    report_findings,
    unread_lines,
)
from bodydouble_contract_tests._alarm_state import Delta, DriftState, KnownDrift, compare
from bodydouble_contract_tests._alarm_state_file import BadDriftState, read_state, write_state
from bodydouble_contract_tests._impact import impact
from bodydouble_contract_tests._page import PageExample, page_findings, response_examples
from bodydouble_contract_tests._upstream import Fetched, FetchLimits, fetch, read_published

__all__ = [
    "BadDriftState",
    "Delta",
    "DriftSource",
    "DriftState",
    "FetchLimits",
    "Fetched",
    "KnownDrift",
    "PageExample",
    "Recording",
    "SourceResult",
    "compare",
    "fetch",
    "impact",
    "merge_findings",
    "page_findings",
    "read_published",
    "read_recording",
    "read_state",
    "recording_findings",
    "report_findings",
    "response_examples",
    "unread_lines",
    "write_state",
]
