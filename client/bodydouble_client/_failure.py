"""From the outcome of an attempt that brought no result to the error that is raised."""

import json
from http import HTTPStatus

import httpx

from bodydouble_client import _json
from bodydouble_client._envelope import Envelope, read_envelope
from bodydouble_client._errors import (
    BodydoubleError,
    ConnectFailed,
    ConnectionLost,
    OutOfCredits,
    StatusError,
    TimedOut,
    TransportError,
    UnreadableAnswer,
    status_error_class,
)
from bodydouble_client._outcome import Fault, FaultKind, Outcome
from bodydouble_client._retry import retry_after_s
from bodydouble_client._secret import Secret
from bodydouble_client._text import describe, shorten

__all__ = ["error_text", "fault_error", "header_text", "status_error"]

_CHARGE_WARNING = "It may have been carried out and charged: ask the provider before you repeat it"
_OUT_OF_CREDITS_KIND = "err_insufficent_credits"  # spelled so by the vendor
_OUT_OF_CREDITS_TEXT = "run out of credits"
_ADVICE = {
    401: "Check the API key",
    404: "Check base_url",
    413: "Send smaller images",
}


def fault_error(outcome: Outcome, fault: Fault, url: str, key: Secret) -> BodydoubleError:
    """The error for a fault below the status code."""
    detail = key.redact(fault.detail)
    host = f"{httpx.URL(url).scheme}://{httpx.URL(url).netloc.decode('ascii', 'replace')}"
    texts = {
        FaultKind.CONNECT: (ConnectFailed, f"cannot connect to {host} ({detail}). Check base_url and the network"),
        FaultKind.LOST: (ConnectionLost, f"the connection to {host} was lost ({detail})"),
        FaultKind.TIMEOUT: (TimedOut, f"time ran out with {host} ({detail}). Raise timeout_s or deadline_s"),
        FaultKind.UNREADABLE: (UnreadableAnswer, f"the answer of {host} cannot be read ({detail})"),
        FaultKind.MISUSE: (TransportError, f"the request to {host} failed in the HTTP client ({detail})"),
    }
    kind, text = texts[fault.kind]
    after = _CHARGE_WARNING if outcome.may_be_charged else "Nothing was sent"
    return kind(
        f"{text}. {after}",
        status_code=outcome.status_code,
        request_id=header_text(outcome, "x-request-id", key),
        body=error_text(outcome, key) or None,
        may_be_charged=outcome.may_be_charged,
    )


def status_error(outcome: Outcome, status_code: int, now: float, key: Secret) -> StatusError:
    """The error for a status that is not a success; ``now`` is the wall clock, for a Retry-After that is a date."""
    envelope = read_envelope(error_text(outcome, key))
    wait_s = retry_after_s(outcome, now)
    sentences = [f"{_status_line(status_code)}: {shorten(envelope.message or 'no message', 400)}"]
    sentences += [f"- {_issue_line(issue)}" for issue in envelope.issues[:10]]
    if outcome.fault is not None:
        sentences.append(f"The body is incomplete ({key.redact(outcome.fault.detail)})")
    if wait_s is not None:
        sentences.append(f"The server asks to wait {wait_s:g} s")
    if 300 <= status_code < 400:
        target = header_text(outcome, "location", key) or "nowhere"
        sentences.append(f"It redirects to {target}, which is not followed: the key stays with base_url; correct that")
    elif status_code in _ADVICE:
        sentences.append(_ADVICE[status_code])
    return _class_of(status_code, envelope)(
        "\n".join(sentences) if envelope.issues else ". ".join(sentences),
        message=envelope.message,
        status_code=status_code,
        issues=envelope.issues,
        request_id=header_text(outcome, "x-request-id", key) or envelope.request_id,
        body=envelope.body,
        retry_after_s=wait_s,
    )


def error_text(outcome: Outcome, key: Secret) -> str:
    """A body as text without the key, whatever its encoding."""
    try:
        text = outcome.body.decode(json.detect_encoding(outcome.body))
    except UnicodeDecodeError:
        text = outcome.body.decode("utf-8", "replace")
    return key.redact(text)


def header_text(outcome: Outcome, name: str, key: Secret) -> str | None:
    """A header as a short printable text without the key, or None when it is absent or empty."""
    return shorten(key.redact(outcome.headers.get(name, ""))) or None


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return f"status {status_code}"


def _issue_line(issue: dict[str, object]) -> str:
    path = issue.get("path")
    steps = [describe(step).strip("'") for step in path] if _json.is_array(path) else []
    what = _json.text(issue.get("message")) or _json.text(issue.get("code")) or describe(issue)
    return shorten(f"{'/'.join(steps) or 'the body'}: {what}")


def _class_of(status_code: int, envelope: Envelope) -> type[StatusError]:
    if status_code == 403:
        said = _OUT_OF_CREDITS_TEXT in (envelope.message or "").lower()
        if said or envelope.kind == _OUT_OF_CREDITS_KIND:
            return OutOfCredits
    return status_error_class(status_code)
