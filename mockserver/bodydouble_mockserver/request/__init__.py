"""The intake of requests: the body is read within its limit, parsed, and checked against the contract once."""

from bodydouble_mockserver.request.body import Disconnected, UnreadableBody, read_body
from bodydouble_mockserver.request.checks import CheckedRequest, Refusal, bearer_key, check, refuse_key

__all__ = [
    "CheckedRequest",
    "Disconnected",
    "Refusal",
    "UnreadableBody",
    "bearer_key",
    "check",
    "read_body",
    "refuse_key",
]
