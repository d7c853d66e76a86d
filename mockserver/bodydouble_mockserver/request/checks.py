"""Checks of every request before it is answered, in the vendor's order: size, key, content type, JSON, contract."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Evidence, Finding, Operation, Severity, is_object

from bodydouble_mockserver.errors import MESSAGES, NO_KEY
from bodydouble_mockserver.request.body import UnreadableBody, duplicate_keys, parse_json
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.zod import zod_issues

__all__ = ["CheckedRequest", "Refusal", "bearer_key", "check", "refuse_key"]


def bearer_key(authorization: bytes) -> bytes:
    """Return the key of an Authorization header, or empty bytes when it has none."""
    if authorization.startswith(b"Bearer "):
        return authorization[7:].strip()
    scheme, _, key = authorization.strip().partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


def refuse_key(settings: Settings, key: bytes) -> str | None:
    """Return the message of the 401 for this key, or None when it is accepted.

    Without configured keys, any key that is not empty is accepted.
    """
    if not settings.require_key:
        return None
    if not key:
        return NO_KEY
    if settings.api_keys and not any(hmac.compare_digest(key, known.encode()) for known in settings.api_keys):
        return MESSAGES[401]
    return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for an error answer: status, message (None: the default of the status) and the value of ``error.data``."""

    status: int
    message: str | None = None
    data: Any = None


@dataclass(slots=True)
class CheckedRequest:
    """A request after its checks: the parsed body, its key, the findings, and the refusal where a check failed."""

    parsed: Any
    key: bytes
    findings: Sequence[Finding] = ()
    refusal: Refusal | None = None


def check(
    operation: Operation, settings: Settings, headers: Mapping[bytes, bytes], body: bytes | UnreadableBody
) -> CheckedRequest:
    """Check a request. The first check that fails decides, but validation against the contract reports all faults."""
    key = bearer_key(headers.get(b"authorization", b""))
    if isinstance(body, UnreadableBody):
        return CheckedRequest(None, key, refusal=Refusal(body.status, body.message))
    if operation.is_authenticated:
        message = refuse_key(settings, key)
        if message is not None:
            return CheckedRequest(None, key, refusal=Refusal(401, message))
    validator = operation.request
    if validator is None or not (body or operation.request_required):
        return CheckedRequest({}, key)
    parsed = parse_json(body, headers.get(b"content-type", b""))
    if isinstance(parsed, UnreadableBody):
        issue: dict[str, Any] = {"code": "custom", "path": [], "message": parsed.message}
        found = _finding(operation, "request-not-json", parsed.message)
        return CheckedRequest(None, key, [found], Refusal(parsed.status, data=[issue]))
    if validator.is_valid(parsed):
        return CheckedRequest(parsed, key, _warnings(operation, body, parsed))
    findings = validator.findings(parsed)
    return CheckedRequest(parsed, key, findings, Refusal(400, data=zod_issues(findings, validator.schema)))


def _warnings(operation: Operation, body: bytes, parsed: Any) -> Sequence[Finding]:
    """Return findings about a request that is accepted nevertheless."""
    if not is_object(parsed):
        return ()
    return [
        _finding(
            operation,
            "request-duplicate-key",
            f"the key {key[:60]!r} appears twice; the last value was used",
            Severity.WARNING,
        )
        for key in duplicate_keys(body, parsed)
    ]


def _finding(operation: Operation, rule: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(rule, severity, Evidence.DOCUMENTED, "", message, direction="request", operation=operation.key)
