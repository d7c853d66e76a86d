"""Error answers in two envelopes, both ``application/problem+json``: the vendor's, and that of RFC 9457.

The overlay's error responses hold the sources of the vendor's texts and shapes.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from bodydouble_mockserver.asgi import Answer, reason_phrase

__all__ = [
    "JSON",
    "MESSAGES",
    "NO_KEY",
    "PROBLEM_JSON",
    "StateUnavailable",
    "plain_problem",
    "problem",
    "timestamp",
]


class StateUnavailable(Exception):
    """The state that a server shares with others cannot be reached now; ``reason`` says why."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(f"the shared state at {place} is unreachable: {reason}")
        self.reason = reason


JSON = b"application/json; charset=utf-8"
PROBLEM_JSON = b"application/problem+json; charset=utf-8"
_KEYS = "You can create a new API key on the Billing page: https://aimlapi.com/app/keys"

# Messages by status, as documented by the vendor.
MESSAGES = {
    400: "Invalid payload provided",
    401: f"This request requires a valid API key. {_KEYS}",
    403: "You've run out of credits. Please top up your balance or update your payment method to continue: "
    "https://aimlapi.com/app/billing/",
    429: "Too Many Requests",
    500: "Internal server error",
    502: "Bad Gateway",
    503: "Service unavailable",
    504: "Generation timeout",
}
# The length of a path is unlimited, but an error answer has to stay small.
_MAX_INSTANCE_CHARACTERS = 4096
NO_KEY = f"You provided an empty string instead of valid API key. {_KEYS}"


def problem(
    status: int,
    instance: str,
    request_id: str,
    now: float,
    *,
    message: str | None = None,
    data: Any = None,
    legacy: bool = False,
) -> Answer:
    """Build an error answer: ``instance`` is the path, ``now`` seconds since the epoch, ``data`` the value of ``error.data`` (None: left out).

    ``legacy`` selects the envelope of 2024 and 2025, as seen in logs, with ``statusCode`` as a number.
    """
    title = reason_phrase(status)
    text = message or MESSAGES.get(status, title)
    own = [(b"x-request-id", request_id.encode())]
    instance = instance[:_MAX_INSTANCE_CHARACTERS]
    if legacy:
        old = {
            "requestId": request_id,
            "statusCode": status,
            "timestamp": timestamp(now),
            "path": instance,
            "message": text,
        }
        return Answer(status, JSON, orjson.dumps(old), own)
    error: dict[str, Any] = {"name": f"{''.join(filter(str.isalnum, title))}Exception", "message": text}
    if data is not None:
        error["data"] = data
    body = {
        "title": title,
        "status": status,
        "message": text,
        "instance": instance,
        "requestId": request_id,
        "timestamp": timestamp(now),
        "error": error,
    }
    return Answer(status, PROBLEM_JSON, orjson.dumps(body), own)


# The vendor's texts that mean nothing at another service.
_NEUTRAL = {
    NO_KEY: "The request has no API key",
    MESSAGES[401]: "The request has no valid API key",
    MESSAGES[403]: "No credits are left",
}


def plain_problem(
    status: int, instance: str, request_id: str, *, message: str | None = None, data: Any = None
) -> Answer:
    """Build an error answer as problem details (RFC 9457); ``data`` is the extension ``errors``, left out where None."""
    text = message or MESSAGES.get(status, reason_phrase(status))
    body = {
        "type": "about:blank",
        "title": reason_phrase(status),
        "status": status,
        "detail": _NEUTRAL.get(text, text),
        "instance": quote(instance[:_MAX_INSTANCE_CHARACTERS], errors="replace"),
    }
    if data is not None:
        body["errors"] = data
    return Answer(status, b"application/problem+json", orjson.dumps(body), [(b"x-request-id", request_id.encode())])


def timestamp(now: float) -> str:
    """Format a time as ISO 8601 in UTC with milliseconds and Z, like the vendor's envelope."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
