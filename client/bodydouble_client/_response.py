"""Turn status, headers and body into a result or an error; any answer gives one of the two.

Four success bodies are known: the contract's ``data`` with ``credits_used``, the documentation page's ``images``, a
transitional one that has both, and one with ``usd_spent``.
"""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from bodydouble_client._attempt import AttemptResult, Failure, FailureKind
from bodydouble_client._errors import (
    BodydoubleError,
    ConnectFailed,
    ConnectionLost,
    ErrorInAnswer,
    NoImageError,
    OutOfCredits,
    StatusError,
    TimedOut,
    TransportError,
    UnreadableAnswer,
    status_error_class,
)
from bodydouble_client._result import EditResult, Image
from bodydouble_client._retry import retry_after_s
from bodydouble_client._secret import Secret
from bodydouble_client._values import NotJson, as_number, as_text, describe, is_array, is_object, parse_json, shorten

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_PICTURE_LISTS = ("data", "images")
_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_CHARGE_WARNING = "It may have been carried out and charged: ask the provider before you repeat it"
_OUT_OF_CREDITS_KIND = "err_insufficent_credits"  # the spelling of the vendor
_OUT_OF_CREDITS_TEXT = "run out of credits"
_ADVICE = {
    401: "Check the API key",
    404: "Check base_url",
    413: "Send smaller images",
}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The facts about a request that are needed to read its answer."""

    url: str
    key: Secret
    num_images: int | None = None
    client_request_id: str | None = None


def read_answer(attempt: AttemptResult, info: RequestInfo, now: float) -> EditResult | BodydoubleError:
    """Return the result, or the error to raise. ``now`` is in seconds since 1970."""
    if attempt.refused and attempt.status_code is not None:
        return _status_error(attempt, attempt.status_code, info, now)
    if attempt.failure is not None:
        return _transport_error(attempt, attempt.failure, info)
    return _read_success(attempt, info)


def _read_success(attempt: AttemptResult, info: RequestInfo) -> EditResult | BodydoubleError:
    body = parse_json(attempt.body)
    if isinstance(body, NotJson):
        media_type = _header_text(attempt, "content-type", info.key)
        reason = f"is not JSON: {body.reason} (content type {media_type}, {len(attempt.body)} bytes)"
        return _answer_error(UnreadableAnswer, reason, attempt, info)
    if not is_object(body):
        return _answer_error(UnreadableAnswer, f"is not a JSON object but {type(body).__name__}", attempt, info)
    if body.get("error"):
        return _answer_error(ErrorInAnswer, f"reports an error: {_message_of(body)}", attempt, info)
    images = _read_images(body)
    if isinstance(images, str):
        return _answer_error(NoImageError, images, attempt, info)
    return _edit_result(body, images, attempt, info)


def _read_images(body: dict[str, Any]) -> tuple[Image, ...] | str:
    """Return the pictures of an answer, or a sentence about the problem with them."""
    name = next((name for name in _PICTURE_LISTS if body.get(name)), None)
    if name is None:
        return f"has no picture: `data` is {_missing_data(body)}{_message_suffix(body)}"
    items = body[name]
    if not is_array(items):
        return f"has no picture: `{name}` is not a list"
    images = [_read_image(item) for item in items]
    for index, image in enumerate(images):
        if image is None:
            return f"has a picture with neither URL nor Base64: {name}[{index}]"
    return tuple(image for image in images if image is not None)


def _read_image(item: object) -> Image | None:
    if not is_object(item):
        return None
    url, b64 = as_text(item.get("url")), as_text(item.get("b64_json"))
    return Image(url, b64) if url or b64 else None


def _missing_data(body: dict[str, Any]) -> str:
    if "data" not in body:
        return "missing"
    return "null" if body["data"] is None else "empty"


def _message_suffix(body: dict[str, Any]) -> str:
    return f"; it says {_message_of(body)}" if as_text(body.get("message")) else ""


def _message_of(body: dict[str, Any]) -> str:
    error = body.get("error")
    inner = error.get("message") if is_object(error) else error
    return shorten(as_text(inner) or as_text(body.get("message")) or describe(error), 300)


def _answer_error(
    error_class: type[BodydoubleError], reason: str, attempt: AttemptResult, info: RequestInfo
) -> BodydoubleError:
    key = info.key
    text = f"the answer (status {attempt.status_code}) {reason}. It may have been charged"
    return error_class(
        key.redact(text),
        status_code=attempt.status_code,
        request_id=_header_text(attempt, "x-request-id", key),
        body=_read_envelope(_error_text(attempt, key)).body,
        may_be_charged=True,
    )


def _edit_result(
    body: dict[str, Any], images: tuple[Image, ...], attempt: AttemptResult, info: RequestInfo
) -> EditResult:
    meta = body.get("meta")
    usage_value = meta.get("usage") if is_object(meta) else None
    usage: dict[str, Any] = usage_value if is_object(usage_value) else {}
    credit_values = (
        usage.get("credits_used"),
        usage.get("tokens_used"),
        _read_decimal(attempt, "x-aimlapi-credits-used"),
    )
    cost_values = (usage.get("usd_spent"), _read_decimal(attempt, "x-aimlapi-usd-spent"))
    cost_usd = next((value for value in map(as_number, cost_values) if value is not None), None)
    return EditResult(
        images=images,
        credits_used=next((value for value in map(as_number, credit_values) if value is not None), None),
        cost_usd=None if cost_usd is None else float(cost_usd),
        request_id=_header_text(attempt, "x-request-id", info.key) or _read_request_id(body),
        client_request_id=info.client_request_id,
        description=as_text(body.get("description")),
        warnings=_count_warnings(len(images), info.num_images),
        raw=body,
    )


def _read_decimal(attempt: AttemptResult, name: str) -> int | float | None:
    value = attempt.headers.get(name, "").strip()
    if not _DECIMAL.fullmatch(value):
        return None
    return float(value) if "." in value else int(value)


def _count_warnings(received: int, requested: int | None) -> tuple[str, ...]:
    if requested is None or received == requested:
        return ()
    return (f"asked for {requested} images, but the answer holds {received}",)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The contents of an error body.

    ``body`` is the JSON value, the text when it is not JSON, or None when the body is empty.
    """

    message: str | None
    body: Any
    request_id: str | None = None
    issues: tuple[dict[str, Any], ...] = ()
    kind: str | None = None


def _read_envelope(text: str) -> _Envelope:
    body = parse_json(text.encode("utf-8", "replace"))
    if is_object(body):
        return _from_object(body)
    if isinstance(body, NotJson):
        return _Envelope(_message_from_text(text), text or None)
    return _Envelope(as_text(body), body)


def _from_object(body: dict[str, Any]) -> _Envelope:
    error = body.get("error")
    details: dict[str, Any] = error if is_object(error) else {}
    data = details.get("data")
    issues = tuple(item for item in data if is_object(item)) if is_array(data) else ()
    kind = as_text(data.get("kind")) if is_object(data) else None
    candidates = (body.get("message"), details.get("message"), error, body.get("detail"), body.get("title"))
    message = next((text for text in map(_message_from, candidates) if text), None)
    return _Envelope(message, body, _read_request_id(body), issues, kind)


def _message_from(value: Any) -> str | None:
    if is_array(value):  # the legacy envelope may have several
        return "; ".join(text for text in map(as_text, value) if text) or None
    return as_text(value)


def _message_from_text(text: str) -> str | None:
    if not _MARKUP.match(text):
        return as_text(shorten(text))
    title = _TITLE.search(text)
    return f"an HTML page{f' titled {shorten(title[1])!r}' if title else ''}, not an answer from the service"


def _read_request_id(body: dict[str, Any]) -> str | None:
    return shorten(as_text(body.get("requestId")) or "") or None


def _transport_error(attempt: AttemptResult, failure: Failure, info: RequestInfo) -> BodydoubleError:
    key, url = info.key, httpx.URL(info.url)
    detail, host = key.redact(failure.detail), f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
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
        request_id=_header_text(attempt, "x-request-id", key),
        body=_error_text(attempt, key) or None,
        may_be_charged=attempt.may_be_charged,
    )


def _status_error(attempt: AttemptResult, status_code: int, info: RequestInfo, now: float) -> StatusError:
    """Return the error for a status that is not a success.

    ``now``, in seconds since 1970, is needed for a Retry-After that is a date.
    """
    key = info.key
    envelope = _read_envelope(_error_text(attempt, key))
    wait_s = retry_after_s(attempt, now)
    sentences = [f"{_status_line(status_code)}: {shorten(envelope.message or 'no message', 400)}"]
    sentences += [f"- {_issue_line(issue)}" for issue in envelope.issues[:10]]
    if attempt.failure is not None:
        sentences.append(f"The body is incomplete ({key.redact(attempt.failure.detail)})")
    if wait_s is not None:
        sentences.append(f"The server asks to wait {wait_s:g} s")
    if 300 <= status_code < 400:
        target = _header_text(attempt, "location", key) or "an unknown place"
        sentences.append(
            f"It redirects to {target}, which is not followed: the key is sent to base_url only. Correct base_url"
        )
    elif status_code in _ADVICE:
        sentences.append(_ADVICE[status_code])
    error = _error_class(status_code, envelope)(
        "\n".join(sentences) if envelope.issues else ". ".join(sentences),
        message=envelope.message,
        status_code=status_code,
        request_id=_header_text(attempt, "x-request-id", key) or envelope.request_id,
        body=envelope.body,
    )
    error.issues, error.retry_after_s = envelope.issues, wait_s
    return error


def _error_text(attempt: AttemptResult, key: Secret) -> str:
    """Return the body as text, in any encoding, with the key redacted."""
    try:
        text = attempt.body.decode(json.detect_encoding(attempt.body))
    except UnicodeDecodeError:
        text = attempt.body.decode("utf-8", "replace")
    return key.redact(text)


def _header_text(attempt: AttemptResult, name: str, key: Secret) -> str | None:
    """Return a header as short printable text with the key redacted, None when it is absent or empty."""
    return shorten(key.redact(attempt.headers.get(name, ""))) or None


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return f"status {status_code}"


def _issue_line(issue: dict[str, object]) -> str:
    path = issue.get("path")
    steps = [describe(step).strip("'") for step in path] if is_array(path) else []
    message = as_text(issue.get("message")) or as_text(issue.get("code")) or describe(issue)
    return shorten(f"{'/'.join(steps) or 'the body'}: {message}")


def _error_class(status_code: int, envelope: _Envelope) -> type[StatusError]:
    if status_code == 403:
        out_of_credits = _OUT_OF_CREDITS_TEXT in (envelope.message or "").lower()
        if out_of_credits or envelope.kind == _OUT_OF_CREDITS_KIND:
            return OutOfCredits
    return status_error_class(status_code)
