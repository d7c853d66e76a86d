"""What was wrong with what an app sent, and which scripted answers it never asked for, as findings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_spec import Contract, Evidence, Exchange, Finding, Severity, is_object

__all__ = ["request_findings", "unused_findings"]

_MOST_NUMBERS = 10
# The mock's pictures are no part of the contract, and one that is gone is no fault of the app.
_PICTURES = "/generations/"
# Refusals that a request can meet although it keeps the contract: no credits left, too many requests.
_NOT_THE_APP = (403, 429)


def request_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """What breaks the contract in requests; the same fault in several of them once, with their numbers as its witness."""
    needs_key = {operation.key for operation in contract.operations if operation.is_authenticated}
    offered = ", ".join(operation.key for operation in contract.operations)
    seen: dict[Finding, list[int]] = {}
    for number, exchange in enumerate(exchanges, 1):
        for finding in _of_exchange(exchange, needs_key, offered):
            seen.setdefault(finding, []).append(number)
    return [_witnessed(finding, numbers, len(exchanges)) for finding, numbers in seen.items()]


def unused_findings(
    answers: Iterable[Mapping[str, Any]], sent: int, severity: Severity, described: Mapping[str, str]
) -> list[Finding]:
    """A finding for each scripted answer that was never used.

    ``answers`` is the list of ``GET /_bodydouble/scenarios``, ``sent`` the number of requests; ``described`` says of ids what the
    answer is and where it was scripted.
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


def _of_exchange(exchange: Exchange, needs_key: set[str], offered: str) -> list[Finding]:
    findings = [_finding(value) for value in exchange.findings]
    if exchange.operation is None:
        if not exchange.route.startswith(_PICTURES):
            message = f"there is no {exchange.method} {exchange.route} in the contract; it has {offered}"
            findings.append(_broken("request-route-unknown", f"{exchange.method} {exchange.route}", message))
    elif exchange.operation in needs_key and exchange.key is None:
        message = "the request has no key; send the header Authorization: Bearer with the key after it"
        findings.append(_broken("request-key-missing", exchange.operation, message))
    elif not findings and _was_refused(exchange):
        message = f"the request was refused with {exchange.status}{_reason(exchange)}"
        findings.append(_broken("request-refused", exchange.operation, message))
    return findings


def _was_refused(exchange: Exchange) -> bool:
    """Whether the mock answered 4xx by itself: neither a script nor a Prefer header asked for that."""
    is_refusal = exchange.status is not None and 400 <= exchange.status < 500
    is_asked_for = any(item.startswith("code=") for item in exchange.applied)
    return is_refusal and not is_asked_for and exchange.status not in _NOT_THE_APP


def _reason(exchange: Exchange) -> str:
    body: Any = None if exchange.answer is None else exchange.answer.body
    message = body.get("message") if is_object(body) else None
    return f": {message}" if isinstance(message, str) else ""


def _broken(rule: str, operation: str, message: str) -> Finding:
    return Finding(rule, Severity.ERROR, Evidence.DOCUMENTED, "", message, direction="request", operation=operation)


def _finding(value: Mapping[str, Any]) -> Finding:
    """A finding from what an exchange keeps of it."""
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


def _witnessed(finding: Finding, numbers: Sequence[int], sent: int) -> Finding:
    listed = ", ".join(map(str, numbers[:_MOST_NUMBERS]))
    more = f" and {len(numbers) - _MOST_NUMBERS} more" if len(numbers) > _MOST_NUMBERS else ""
    noun = "request" if len(numbers) == 1 else "requests"
    return replace(finding, witness=f"{noun} {listed}{more} of {sent}")
