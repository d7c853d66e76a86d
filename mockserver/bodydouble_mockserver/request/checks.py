"""Checks of every request before it is answered, in the vendor's order: size, key, content type, JSON, contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Evidence, Finding, Operation, Severity, is_object, pointer_parts

from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.faults import ABSOLUTE_FORM
from bodydouble_mockserver.request.body import UnreadableBody, duplicate_keys, parse_json
from bodydouble_mockserver.request.not_stood_in import not_stood_in
from bodydouble_mockserver.request.parameters import check_parameters, parameters_schema
from bodydouble_mockserver.request.security import SentKeys, refuse_keys, sent_keys
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.zod import zod_issues

__all__ = ["CheckedRequest", "Refusal", "check"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for an error answer: status, message (None: the default of the status) and the value of ``error.data``.

    ``detail`` replaces the message in the answer of a service other than the vendor.
    """

    status: int
    message: str | None = None
    data: Any = None
    detail: str | None = None


@dataclass(slots=True)
class CheckedRequest:
    """A request after its checks: the parsed body, its key, the findings, and the refusal where a check failed.

    ``secrets`` are the spellings of the key that must not be kept.
    """

    parsed: Any
    key: bytes
    findings: Sequence[Finding] = ()
    refusal: Refusal | None = None
    secrets: Sequence[bytes] = ()


def check(
    operation: Operation,
    settings: Settings,
    headers: Mapping[bytes, bytes],
    body: bytes | UnreadableBody,
    scope: Scope,
) -> CheckedRequest:
    """Check a request. The first check that fails decides, but validation against the contract reports all faults."""
    keys = sent_keys(operation.security, scope, headers)
    if isinstance(body, UnreadableBody):
        checked = CheckedRequest(None, keys.key, refusal=Refusal(body.status, body.message))
    else:
        refused = _check_keys(operation, settings, headers, keys)
        checked = refused or _check_content(operation, headers, body, keys.key)
    if checked.refusal is None or checked.refusal.data is not None:
        _add_parameters(checked, operation, scope)
    if checked.refusal is None:
        asked = not_stood_in(operation, headers, scope, checked.parsed)
        if asked is not None:
            issue: dict[str, Any] = {"code": "custom", "path": pointer_parts(asked.pointer), "message": asked.message}
            checked.findings = [*checked.findings, asked]
            checked.refusal = Refusal(400, data=[issue], detail=asked.message)
    host = scope.get("extensions", {}).get(ABSOLUTE_FORM)
    if host is not None:
        text = f"the request line has a whole URL (host {host[:80]}), as for a proxy; it was answered as its path. Use this server as base URL, not as HTTP_PROXY"
        checked.findings = [*checked.findings, _finding(operation, "request-absolute-form", text, Severity.INFO)]
    checked.secrets = keys.secrets
    return checked


def _check_keys(
    operation: Operation, settings: Settings, headers: Mapping[bytes, bytes], keys: SentKeys
) -> CheckedRequest | None:
    refused = refuse_keys(settings, operation.security, keys, headers)
    if refused is None:
        return None
    refusal = Refusal(401, refused.message, detail=refused.detail)
    return CheckedRequest(None, keys.key, [refused.finding(operation.key)], refusal)


def _add_parameters(checked: CheckedRequest, operation: Operation, scope: Scope) -> None:
    """Add the findings about parameters to a request whose body was read, and refuse it for their faults."""
    faults, notes = check_parameters(operation, scope)
    if faults or notes:
        checked.findings = [*faults, *checked.findings, *notes]
    if faults:
        known: list[Any] = checked.refusal.data if checked.refusal is not None else []
        checked.refusal = Refusal(400, data=[*zod_issues(faults, parameters_schema(operation)), *known])


def _check_content(operation: Operation, headers: Mapping[bytes, bytes], body: bytes, key: bytes) -> CheckedRequest:
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
