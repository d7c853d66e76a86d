"""The intake of requests: the body is read within its limit, parsed, and checked against the contract once."""

from bodydouble_mockserver.request.body import Disconnected, UnreadableBody, read_body
from bodydouble_mockserver.request.checks import CheckedRequest, Refusal, check
from bodydouble_mockserver.request.not_stood_in import contract_limits, operation_limits
from bodydouble_mockserver.request.security import bearer_key, refuse_keys, sent_keys

__all__ = [
    "CheckedRequest",
    "Disconnected",
    "Refusal",
    "UnreadableBody",
    "bearer_key",
    "check",
    "contract_limits",
    "operation_limits",
    "read_body",
    "refuse_keys",
    "sent_keys",
]
