"""The alarm: what a service publishes, shows and answers, against the contract that was adopted.

Each witness is heard for itself and gives a `Statement`; `collect` makes one list of them, and `compare` says what of it is news::

    contract = Contract.load()
    page = fetch("https://example.org/models/page.md")
    said = Statement(Witness.PAGE, page.source, tuple(page_findings(page, contract)))
    news, state = compare(read_state(path), [said], datetime.now(UTC), remind_days=30)
"""

from bodydouble_contract_tests._alarm import Statement, Witness, collect
from bodydouble_contract_tests._alarm_recordings import (
    Recording,
    read_recording,
    recording_findings,
    report_findings,
    unread_lines,
)
from bodydouble_contract_tests._alarm_state import AlarmState, KnownDrift, News, compare
from bodydouble_contract_tests._alarm_state_file import BadAlarmState, read_state, write_state
from bodydouble_contract_tests._impact import impact
from bodydouble_contract_tests._page import PageExample, page_findings, response_examples
from bodydouble_contract_tests._upstream import Fetched, FetchLimits, fetch, read_published

__all__ = [
    "AlarmState",
    "BadAlarmState",
    "FetchLimits",
    "Fetched",
    "KnownDrift",
    "News",
    "PageExample",
    "Recording",
    "Statement",
    "Witness",
    "collect",
    "compare",
    "fetch",
    "impact",
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
