"""The errors for attempts that failed below HTTP or with an error status."""

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
from bodydouble_client._outcome import AttemptResult, Failure, FailureKind
from bodydouble_client._retry import retry_after_s
from bodydouble_client._secret import Secret
from bodydouble_client._text import describe, shorten

__all__ = ["error_text", "header_text", "status_error", "transport_error"]

_CHARGE_WARNING = "It may have been carried out and charged: ask the provider before you repeat it"
_OUT_OF_CREDITS_KIND = "err_insufficent_credits"  # the spelling of the vendor
_OUT_OF_CREDITS_TEXT = "run out of credits"
_ADVICE = {
    401: "Check the API key",
    404: "Check base_url",
    413: "Send smaller images",
}


def transport_error(attempt: AttemptResult, failure: Failure, url: str, key: Secret) -> BodydoubleError:
    """Return the error for a failure below HTTP."""
    detail = key.redact(failure.detail)
    host = f"{httpx.URL(url).scheme}://{httpx.URL(url).netloc.decode('ascii', 'replace')}"
    texts = {
        FailureKind.CONNECT: (ConnectFailed, f"cannot connect to {host} ({detail}). Check base_url and the network"),
        FailureKind.LOST: (ConnectionLost, f"the connection to {host} was lost ({detail})"),
        FailureKind.TIMEOUT: (TimedOut, f"time ran out waiting for {host} ({detail}). Raise timeout_s or deadline_s"),
        FailureKind.UNREADABLE: (UnreadableAnswer, f"the answer of {host} cannot be read ({detail})"),
        FailureKind.MISUSE: (TransportError, f"the request to {host} failed in the HTTP client ({detail})"),
    }
    error_class, text = texts[failure.kind]
    advice = _CHARGE_WARNING if attempt.may_be_charged else "Nothing was sent"
    return error_class(
        f"{text}. {advice}",
        status_code=attempt.status_code,
        request_id=header_text(attempt, "x-request-id", key),
        body=error_text(attempt, key) or None,
        may_be_charged=attempt.may_be_charged,
    )


def status_error(attempt: AttemptResult, status_code: int, now: float, key: Secret) -> StatusError:
    """Return the error for a status that is not a success.

    ``now``, in seconds since 1970, is needed for a Retry-After that is a date.
    """
    envelope = read_envelope(error_text(attempt, key))
    wait_s = retry_after_s(attempt, now)
    sentences = [f"{_status_line(status_code)}: {shorten(envelope.message or 'no message', 400)}"]
    sentences += [f"- {_issue_line(issue)}" for issue in envelope.issues[:10]]
    if attempt.failure is not None:
        sentences.append(f"The body is incomplete ({key.redact(attempt.failure.detail)})")
    if wait_s is not None:
        sentences.append(f"The server asks to wait {wait_s:g} s")
    if 300 <= status_code < 400:
        target = header_text(attempt, "location", key) or "an unknown place"
        sentences.append(
            f"It redirects to {target}, which is not followed: the key is sent to base_url only. Correct base_url"
        )
    elif status_code in _ADVICE:
        sentences.append(_ADVICE[status_code])
    error = _error_class(status_code, envelope)(
        "\n".join(sentences) if envelope.issues else ". ".join(sentences),
        message=envelope.message,
        status_code=status_code,
        request_id=header_text(attempt, "x-request-id", key) or envelope.request_id,
        body=envelope.body,
    )
    error.issues, error.retry_after_s = envelope.issues, wait_s
    return error


def error_text(attempt: AttemptResult, key: Secret) -> str:
    """Return the body as text, in any encoding, with the key redacted."""
    try:
        text = attempt.body.decode(json.detect_encoding(attempt.body))
    except UnicodeDecodeError:
        text = attempt.body.decode("utf-8", "replace")
    return key.redact(text)


def header_text(attempt: AttemptResult, name: str, key: Secret) -> str | None:
    """Return a header as short printable text with the key redacted, None when it is absent or empty."""
    return shorten(key.redact(attempt.headers.get(name, ""))) or None


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return f"status {status_code}"


def _issue_line(issue: dict[str, object]) -> str:
    path = issue.get("path")
    steps = [describe(step).strip("'") for step in path] if _json.is_array(path) else []
    message = _json.text(issue.get("message")) or _json.text(issue.get("code")) or describe(issue)
    return shorten(f"{'/'.join(steps) or 'the body'}: {message}")


def _error_class(status_code: int, envelope: Envelope) -> type[StatusError]:
    if status_code == 403:
        out_of_credits = _OUT_OF_CREDITS_TEXT in (envelope.message or "").lower()
        if out_of_credits or envelope.kind == _OUT_OF_CREDITS_KIND:
            return OutOfCredits
    return status_error_class(status_code)
