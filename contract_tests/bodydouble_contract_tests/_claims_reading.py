"""A second, simple reading of an answer, to compare the client's own reading with."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

import bodydouble_client as client
from bodydouble_spec import is_array, is_object

from bodydouble_contract_tests._claims_stage import ReceivedRequest

__all__ = ["DocumentedOutcome", "documented_outcome"]

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
    if not 200 <= status < 300:
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
    url, b64 = (
        value if isinstance(value, str) and value.strip() else None for value in map(item.get, ("url", "b64_json"))
    )
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
