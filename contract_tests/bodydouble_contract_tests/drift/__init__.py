"""The drift alarm: what a service publishes, shows and answers, against the adopted contract.

Each source gives its own result; `collect` makes one list of them, and `compare` tells which of it is new."""

from bodydouble_contract_tests.drift.page import page_findings
from bodydouble_contract_tests.drift.recordings import (
    exchanges_note,
    read_recording,
    recording_findings,
    report_findings,
    unread_parts,
)
from bodydouble_contract_tests.drift.sources import EXECUTED, DriftSource, SourceResult, merge_findings
from bodydouble_contract_tests.drift.state import BadDriftState, Delta, DriftState, compare, read_state, write_state
from bodydouble_contract_tests.drift.upstream import Fetched, fetch, read_published

__all__ = [
    "EXECUTED",
    "BadDriftState",
    "Delta",
    "DriftSource",
    "DriftState",
    "Fetched",
    "SourceResult",
    "compare",
    "exchanges_note",
    "fetch",
    "merge_findings",
    "page_findings",
    "read_published",
    "read_recording",
    "read_state",
    "recording_findings",
    "report_findings",
    "unread_parts",
    "write_state",
]
