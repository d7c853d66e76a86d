"""Findings about the requests of an app, and about scripted answers that were never used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_spec import Contract, Evidence, Exchange, Finding, Severity, is_object

__all__ = ["request_findings", "unused_findings"]

_MOST_NUMBERS = 10
# The mock's pictures are not part of the contract, and a missing one is not the app's fault.
_PICTURES = "/generations/"
# A request that keeps the contract can be refused for these: no credits left, too many requests.
_NOT_THE_APPS_FAULT = (403, 429)


def request_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """Return the violations of the contract in requests, each once, with the numbers of its requests as its witness."""
    needs_key = {operation.key for operation in contract.operations if operation.is_authenticated}
    offered = ", ".join(operation.key for operation in contract.operations)
    seen: dict[Finding, list[int]] = {}
    for number, exchange in enumerate(exchanges, 1):
        for finding in _exchange_findings(exchange, needs_key, offered):
            seen.setdefault(finding, []).append(number)
    return [_with_witness(finding, numbers, len(exchanges)) for finding, numbers in seen.items()]


def unused_findings(
    answers: Iterable[Mapping[str, Any]], sent: int, severity: Severity, described: Mapping[str, str]
) -> list[Finding]:
    """Return a finding for each scripted answer that was never used.

    ``answers`` is the list of ``GET /_bodydouble/scenarios``, ``sent`` the number of requests; ``described`` maps ids to the answer and
    the line that scripted it.
    """
    requests = "one request" if sent == 1 else f"{sent} requests" if sent else "no request"
    return [
        Finding(
            "answer-unused",
            severity,
            Evidence.OBSERVED,
            f"/answers/{number}",
            f"{described.get(answer['id'], answer['id'])} was never used; the app sent {requests}",
            expected={name: answer[name] for name in answer if name not in {"id", "used"}},
        )
        for number, answer in enumerate(answers)
        if not answer["used"]
    ]


def _exchange_findings(exchange: Exchange, needs_key: set[str], offered: str) -> list[Finding]:
    findings = [_load_finding(value) for value in exchange.findings]
    if exchange.operation is None:
        if not exchange.route.startswith(_PICTURES):
            message = f"the contract has no {exchange.method} {exchange.route}; it has {offered}"
            findings.append(_violation("request-route-unknown", f"{exchange.method} {exchange.route}", message))
    elif exchange.operation in needs_key and exchange.key is None:
        message = "the request has no key; send the header Authorization: Bearer KEY"
        findings.append(_violation("request-key-missing", exchange.operation, message))
    elif not findings and _is_refused(exchange):
        message = f"the request was refused with {exchange.status}{_reason(exchange)}"
        findings.append(_violation("request-refused", exchange.operation, message))
    return findings


def _is_refused(exchange: Exchange) -> bool:
    """Tell whether the mock answered 4xx on its own, not because of a script or a Prefer header."""
    is_refusal = exchange.status is not None and 400 <= exchange.status < 500
    is_scripted = any(item.startswith("code=") for item in exchange.applied)
    return is_refusal and not is_scripted and exchange.status not in _NOT_THE_APPS_FAULT


def _reason(exchange: Exchange) -> str:
    body: Any = None if exchange.answer is None else exchange.answer.body
    message = body.get("message") if is_object(body) else None
    return f": {message}" if isinstance(message, str) else ""


def _violation(rule: str, operation: str, message: str) -> Finding:
    return Finding(rule, Severity.ERROR, Evidence.DOCUMENTED, "", message, direction="request", operation=operation)


def _load_finding(value: Mapping[str, Any]) -> Finding:
    """Load a finding from an exchange."""
    return Finding(
        id=value["id"],
        severity=Severity(value["severity"]),
        evidence=Evidence(value["evidence"]),
        pointer=value["pointer"],
        message=value["message"],
        expected=value.get("expected"),
        got=value.get("got"),
        direction=value.get("direction"),
        operation=value.get("operation"),
    )


def _with_witness(finding: Finding, numbers: Sequence[int], sent: int) -> Finding:
    listed = ", ".join(map(str, numbers[:_MOST_NUMBERS]))
    more = f" and {len(numbers) - _MOST_NUMBERS} more" if len(numbers) > _MOST_NUMBERS else ""
    noun = "request" if len(numbers) == 1 else "requests"
    return replace(finding, witness=f"{noun} {listed}{more} of {sent}")
