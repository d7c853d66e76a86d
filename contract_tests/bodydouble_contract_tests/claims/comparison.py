"""Comparison of calls with requests and of results with answers, member by member. Each difference is a finding."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn

import bodydouble_client as client
from bodydouble_client import MODEL, EditResult
from bodydouble_spec import Evidence, Finding, Operation, Severity, is_array, is_object, is_success
from bodydouble_spec.image_fields import BASE64, CREDITS, CREDITS_HEADER, URL, USD, USD_HEADER
from bodydouble_spec.text import cut

from bodydouble_contract_tests.claims.calls import ClientCall
from bodydouble_contract_tests.claims.harness import CallRecord, ReceivedRequest

__all__ = [
    "answer_members",
    "differing_members",
    "documented_outcome",
    "error_members",
    "finding",
    "header_differences",
    "outcome_members",
    "request_differences",
    "result_members",
    "shortened",
    "type_name",
]

_ERRORS: dict[int, type[client.StatusError]] = {
    400: client.BadRequest,
    401: client.Unauthorized,
    403: client.Forbidden,
    404: client.NotFound,
    408: client.RequestTimedOut,
    413: client.RequestTooLarge,
    429: client.RateLimited,
    502: client.BadGateway,
    503: client.ServiceUnavailable,
    504: client.GenerationTimedOut,
}
_BROKEN = (client.TransportError, client.UnreadableAnswer)
_OUT_OF_CREDITS = ("err_insufficent_credits", "run out of credits")


@dataclass(frozen=True, slots=True)
class DocumentedOutcome:
    """The documented outcome of an answer: one of ``errors``, or, when there are none, the images of ``body`` as (URL, Base64)."""

    errors: tuple[type[client.BodydoubleError], ...] = ()
    body: Any = None
    images: tuple[tuple[str | None, str | None], ...] = ()

    def allows(self, error: object) -> bool:
        """Tell whether an error is one of the documented ones: an error for a status only if it is of exactly that type."""
        is_exact = len(self.errors) == 1
        return type(error) in self.errors or (not is_exact and isinstance(error, self.errors))


def documented_outcome(request: ReceivedRequest) -> DocumentedOutcome:
    """Return the documented outcome for the answer to a request."""
    status = request.status
    if status is None:
        # A fault below HTTP may have sent the status, which the recording server cannot see.
        return DocumentedOutcome((*_BROKEN, client.StatusError))
    if not is_success(status):
        body = _parsed(request)
        # An error answer that ends before its headers are sent is a lost connection.
        kind = _error_of(status, body)
        # Of a cut body, a client may read more or less than JSON.
        others = () if request.is_answered else _BROKEN
        others = others if is_object(body) or status != 403 else (*others, client.OutOfCredits)
        return DocumentedOutcome((kind, *others), body)
    if not request.is_answered:
        return DocumentedOutcome(_BROKEN)
    body = _parsed(request)
    if not is_object(body):
        return DocumentedOutcome((client.UnreadableAnswer,))
    if body.get("error"):
        return DocumentedOutcome((client.ErrorInAnswer,), body)
    items = body.get("data") or body.get("images")
    images = [_image(item) for item in items] if is_array(items) else []
    found = tuple(image for image in images if image is not None)
    if not images or len(found) < len(images):
        return DocumentedOutcome((client.NoImageError,), body)
    return DocumentedOutcome((), body, found)


def _error_of(status: int, body: Any) -> type[client.StatusError]:
    """Return the documented error of a status; a 403 is `OutOfCredits` when its body says so."""
    error = body.get("error") if is_object(body) else None
    data = error.get("data") if is_object(error) else None
    kind = data.get("kind") if is_object(data) else None
    message = _message(body) if is_object(body) else None
    if status == 403 and (kind == _OUT_OF_CREDITS[0] or _OUT_OF_CREDITS[1] in (message or "").lower()):
        return client.OutOfCredits
    return _ERRORS.get(status, client.ServerError if status >= 500 else client.StatusError)


def _message(body: Mapping[str, Any]) -> str | None:
    """Return the message of an error body; the legacy envelope may have a list of them. None when it has none as text."""
    message = body.get("message")
    texts = [text for text in (message if is_array(message) else [message]) if isinstance(text, str) and text.strip()]
    return "; ".join(texts) or None


def _image(item: Any) -> tuple[str | None, str | None] | None:
    if not is_object(item):
        return None
    url, b64 = (value if isinstance(value, str) and value.strip() else None for value in map(item.get, (URL, BASE64)))
    return (url, b64) if url or b64 else None


def _parsed(request: ReceivedRequest) -> Any:
    """Return the JSON value of an answer, or None when it is not JSON or declares a compression (no answer here is compressed)."""
    if request.answer_headers.get("content-encoding", "identity") not in {"", "identity"}:
        return None
    try:
        return json.loads(request.answer.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


# These differ from call to call.
_OF_ONE_ATTEMPT = {"client_request_id"}


def request_differences(call: ClientCall, request: ReceivedRequest) -> list[Finding]:
    """Return a finding for each place where a request differs from the call; ``2.0`` is not ``2``."""
    expected = {"model": MODEL, **call.body()}
    body = json.loads(request.body)
    texts, pictures = body.pop("image_urls", []), call.images
    expected.pop("image_urls")
    findings = differing_members(body, expected, "request-differs-from-call")
    if len(texts) != len(pictures):
        findings.append(
            finding(
                "request-differs-from-call", "the number of pictures differs", len(pictures), len(texts), "/image_urls"
            )
        )
    return findings + [
        finding("request-differs-from-call", "the picture differs", repr(picture), text, f"/image_urls/{number}")
        for number, (picture, text) in enumerate(zip(pictures, texts, strict=False))
        if not picture.matches(text)
    ]


def header_differences(request: ReceivedRequest, operation: Operation, key: str) -> list[Finding]:
    """Return a finding for the path and for each header of a request that is not what the documentation asks for.

    A header that an answer repeats, such as the id of the request, is there with a value that the contract allows.
    """
    headers = request.headers
    got = {
        "path": request.path,
        "authorization": headers.get("authorization"),
        "content-type": headers.get("content-type", "").partition(";")[0].strip(),
        **{echo.source: echo.allows(headers.get(echo.source, "")) for echo in operation.echoes},
    }
    expected = {
        "path": operation.path,
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        **{echo.source: True for echo in operation.echoes},
    }
    return differing_members(got, expected, "request-differs-from-call")


_READ = ("raw", "request_id", "client_request_id", "credits_used", "cost_usd", "description")


def result_members(result: EditResult) -> dict[str, Any]:
    """Return the members of a result that come from the request and its answer."""
    members = {name: getattr(result, name) for name in _READ}
    return {**members, "images": _images(result), "warnings": bool(result.warnings)}


def _images(result: EditResult) -> list[tuple[str | None, str | None]]:
    return [(image.url, image.b64) for image in result.images]


def answer_members(request: ReceivedRequest, documented: DocumentedOutcome) -> dict[str, Any]:
    """Return the values that `result_members` must have for an answer with pictures."""
    body = documented.body
    meta = body.get("meta")
    inner = meta.get("usage") if is_object(meta) else None
    usage: Mapping[str, Any] = inner if is_object(inner) else {}
    credits_used = _first_amount(*map(usage.get, CREDITS), _header_number(request, CREDITS_HEADER))
    cost_usd = _first_amount(usage.get(USD), _header_number(request, USD_HEADER))
    description, asked = body.get("description"), json.loads(request.body).get("num_images")
    return {
        "images": list(documented.images),
        "raw": body,
        "request_id": _request_id(request, body),
        "client_request_id": request.headers.get("x-client-request-id"),
        "credits_used": credits_used,
        "cost_usd": None if cost_usd is None else float(cost_usd),
        "description": description if isinstance(description, str) and description.strip() else None,
        "warnings": asked is not None and asked != len(documented.images),
    }


def error_members(request: ReceivedRequest, error: client.BodydoubleError, body: Any) -> dict[str, Any]:
    """Return the attributes that an error must have for an answer, as far as request and answer state them."""
    members: dict[str, Any] = {"client_request_id": request.headers.get("x-client-request-id")}
    # The recording server does not see the status that a broken connection has sent, and a client may not have read one before it.
    if request.status is not None and not isinstance(error, client.TransportError):
        members["status_code"] = request.status
    # Failed requests are not charged (documented); a success that cannot be used may be.
    members["may_be_charged"] = not isinstance(error, client.StatusError)
    if members["may_be_charged"]:
        return members
    text = request.answer_headers.get("retry-after", "")
    if text.isdecimal() and len(text) < 9:
        members["retry_after_s"] = float(text)
    if not is_object(body):
        return members
    inner = body.get("error")
    data = inner.get("data") if is_object(inner) else None
    members["issues"] = tuple(item for item in data if is_object(item)) if is_array(data) else ()
    members["body"] = body
    message, request_id = _message(body), _request_id(request, body)
    if isinstance(request_id, str) and request_id.isprintable() and len(request_id) <= 200:
        members["request_id"] = request_id or None
    return members if message is None else {**members, "message": message}


def outcome_members(record: CallRecord) -> dict[str, Any]:
    """Return all members of a call's outcome that an app can see."""
    outcome = record.outcome
    if isinstance(outcome, EditResult):
        members = {item.name: getattr(outcome, item.name) for item in fields(EditResult)} | {"images": _images(outcome)}
    else:
        members = vars(outcome)
    downloads = [item if isinstance(item, bytes) else type_name(item) for item in record.downloads]
    kind = "a result" if isinstance(outcome, EditResult) else type_name(outcome)
    compared = {name: value for name, value in members.items() if name not in _OF_ONE_ATTEMPT}
    return {"kind": kind, "downloads": downloads, **compared}


def _request_id(request: ReceivedRequest, body: Mapping[str, Any]) -> str | None:
    return request.answer_headers.get("x-request-id") or body.get("requestId")


_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


def _header_number(request: ReceivedRequest, name: str) -> int | float | None:
    text = request.answer_headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _first_amount(*values: Any) -> int | float | None:
    return next((value for value in values if _is_amount(value)), None)


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e300


def differing_members(got: Mapping[str, Any], expected: Mapping[str, Any], rule: str) -> list[Finding]:
    """Return a finding for each member that differs or is missing on one side."""
    return [
        finding(rule, f"{name} differs", expected.get(name), got.get(name), f"/{name}")
        for name in {**expected, **got}
        if (name in got) != (name in expected) or not _is_same(got[name], expected[name])
    ]


def _is_same(value: Any, other: Any) -> bool:
    """Return whether two JSON values are the same as written: 1 is neither 1.0 nor true. Other values are compared as they are."""
    if is_object(value) and is_object(other):
        return value.keys() == other.keys() and all(_is_same(item, other[name]) for name, item in value.items())
    if is_array(value) and is_array(other):
        return len(value) == len(other) and all(map(_is_same, value, other))
    if isinstance(value, int | float) and isinstance(other, int | float):
        return type(value) is type(other) and value == other
    return bool(value == other)


def type_name(value: object) -> str:
    """Return the name of a value's type."""
    return type(value).__name__


def shortened(data: bytes) -> str:
    """Return a body as a text for a finding, of at most 2,000 characters."""
    return cut(data.decode("utf-8", "replace"), 2_000)


def finding(
    rule: str,
    message: str,
    expected: Any = None,
    got: Any = None,
    pointer: str = "",
    *,
    request: Any = None,
    operation: Operation | None = None,
) -> Finding:
    """Return the finding for a claim that does not hold."""
    key = None if operation is None else operation.key
    return Finding(
        rule, Severity.ERROR, Evidence.DOCUMENTED, pointer, message, expected, got, operation=key, request=request
    )
