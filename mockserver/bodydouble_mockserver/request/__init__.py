"""The intake of requests: the body is read within its limits, parsed once, and checked against the contract."""

from bodydouble_mockserver.request.body import Disconnected, UnreadableBody
from bodydouble_mockserver.request.checks import CheckedRequest, Refusal, RequestChecks
from bodydouble_mockserver.request.intake import Intake, take_in
from bodydouble_mockserver.request.malformed import (
    MAX_URL_BYTES,
    MalformedRequest,
    explain_malformed,
    too_late,
    too_long,
    too_many,
    too_slow,
)
from bodydouble_mockserver.request.not_stood_in import contract_limits, operation_limits
from bodydouble_mockserver.request.reader import RequestReader
from bodydouble_mockserver.request.security import SentKeys, bearer_key, refuse_keys, sent_keys

__all__ = [
    "MAX_URL_BYTES",
    "CheckedRequest",
    "Disconnected",
    "Intake",
    "MalformedRequest",
    "Refusal",
    "RequestChecks",
    "RequestReader",
    "SentKeys",
    "UnreadableBody",
    "bearer_key",
    "contract_limits",
    "explain_malformed",
    "operation_limits",
    "refuse_keys",
    "sent_keys",
    "take_in",
    "too_late",
    "too_long",
    "too_many",
    "too_slow",
]
