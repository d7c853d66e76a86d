"""Comparison of calls with requests and of results with answers, member by member. Each difference is a finding."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn

import bodydouble_client as client
from bodydouble_client import MODEL, EditResult
from bodydouble_spec import Evidence, Finding, Operation, Severity, is_array, is_object, is_success
from bodydouble_spec.image_fields import BASE64, CREDITS, URL
from bodydouble_spec.text import cut

from bodydouble_contract_tests.claims.calls import ClientCall
from bodydouble_contract_tests.claims.harness import CallRecord, ReceivedRequest

__all__ = [
    "answer_members",
    "differing_members",
    "documented_outcome",
    "error_members",
    "finding",
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


@dataclass(frozen=True, slots=True)
class DocumentedOutcome:
    """The documented outcome of an answer: one of ``errors``, or, when there are none, the images of ``body`` as (URL, Base64)."""

    errors: tuple[type[client.BodydoubleError], ...] = ()
    body: Any = None
    images: tuple[tuple[str | None, str | None], ...] = ()


def documented_outcome(request: ReceivedRequest) -> DocumentedOutcome:
    """Return the documented outcome for the answer to a request."""
    status = request.status
    if status is None:
        # A fault below HTTP may have sent the status, which the recording server cannot see.
        return DocumentedOutcome((*_BROKEN, client.StatusError))
    if not is_success(status):
        kind = _ERRORS.get(status, client.ServerError if status >= 500 else client.StatusError)
        # An error answer that ends before its headers are sent is a lost connection.
        return DocumentedOutcome((kind,) if request.is_answered else (kind, *_BROKEN), _parsed(request))
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
    """Return a finding for each place where a request differs from the call."""
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


def result_members(result: EditResult) -> dict[str, Any]:
    """Return the members of a result that come from the answer."""
    members = {name: getattr(result, name) for name in ("raw", "request_id", "credits_used")}
    return {**members, "images": _images(result)}


def _images(result: EditResult) -> list[tuple[str | None, str | None]]:
    return [(image.url, image.b64) for image in result.images]


def answer_members(request: ReceivedRequest, documented: DocumentedOutcome) -> dict[str, Any]:
    """Return the values that `result_members` must have for an answer with pictures."""
    body = documented.body
    meta = body.get("meta")
    usage = meta.get("usage") if is_object(meta) else None
    documented_costs = {name: usage.get(name) if is_object(usage) else None for name in CREDITS}
    amounts = [
        value
        for value in (*documented_costs.values(), _header_number(request, "x-aimlapi-credits-used"))
        if _is_amount(value)
    ]
    return {
        "images": list(documented.images),
        "raw": body,
        "request_id": _request_id(request, body),
        "credits_used": amounts[0] if amounts else None,
    }


def error_members(request: ReceivedRequest, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that the error must have for an answer that is not a success, as far as the body states them."""
    error, message = body.get("error"), body.get("message")
    data = error.get("data") if is_object(error) else None
    return {
        "status_code": request.status,
        "issues": tuple(item for item in data if is_object(item)) if is_array(data) else (),
        **({"message": message} if isinstance(message, str) and message.strip() else {}),
    }


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


def _header_number(request: ReceivedRequest, name: str) -> int | None:
    text = request.answer_headers.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e300


def differing_members(got: Mapping[str, Any], expected: Mapping[str, Any], rule: str) -> list[Finding]:
    """Return a finding for each member that differs or is missing on one side."""
    return [
        finding(rule, f"{name} differs", expected.get(name), got.get(name), f"/{name}")
        for name in {**expected, **got}
        if (name in got) != (name in expected) or got[name] != expected[name]
    ]


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
