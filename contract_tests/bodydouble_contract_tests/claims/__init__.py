"""Claims about the client, the mock server and the two together: plain functions that return findings."""

from bodydouble_contract_tests.claims.calls import ClientCall, boundary_calls
from bodydouble_contract_tests.claims.claims import (
    claim_outcome_is_documented,
    claim_outcome_matches_the_answer,
    claim_valid_call_is_served,
)
from bodydouble_contract_tests.claims.harness import CallRecord, Harness, ReceivedRequest, RecordingServer

__all__ = [
    "CallRecord",
    "ClientCall",
    "Harness",
    "ReceivedRequest",
    "RecordingServer",
    "boundary_calls",
    "claim_outcome_is_documented",
    "claim_outcome_matches_the_answer",
    "claim_valid_call_is_served",
]
