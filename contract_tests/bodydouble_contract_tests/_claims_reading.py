"""What an answer says, read as plainly as possible: what the client's own, careful reading is compared with."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

import bodydouble_client as client
from bodydouble_spec import is_array, is_object

from bodydouble_contract_tests._claims_stage import Arrival

__all__ = ["Reading", "read"]

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
class Reading:
    """What must come of an answer: one of these errors, or, when there is none, the pictures (URL, Base64) of ``body``."""

    errors: tuple[type[client.BodydoubleError], ...] = ()
    body: Any = None
    images: tuple[tuple[str | None, str | None], ...] = ()


def read(arrival: Arrival) -> Reading:
    """What must come of this answer."""
    status = arrival.status
    if status is None:
        # A fault below HTTP may have let the status out, which the witness cannot see.
        return Reading((*_BROKEN, client.StatusError))
    if not 200 <= status < 300:
        kind = _ERRORS.get(status, client.ServerError if status >= 500 else client.StatusError)
        # An error answer that breaks off before its headers are out is a lost connection.
        return Reading((kind,) if arrival.is_answered else (kind, *_BROKEN), _parsed(arrival))
    if not arrival.is_answered:
        return Reading(_BROKEN)
    body = _parsed(arrival)
    if not is_object(body):
        return Reading((client.UnreadableAnswer,))
    if body.get("error"):
        return Reading((client.ErrorInAnswer,), body)
    items = body.get("data") or body.get("images")
    images = [_image(item) for item in items] if is_array(items) else []
    found = tuple(image for image in images if image is not None)
    if not images or len(found) < len(images):
        return Reading((client.NoImageError,), body)
    return Reading((), body, found)


def _image(item: Any) -> tuple[str | None, str | None] | None:
    if not is_object(item):
        return None
    url, b64 = (
        value if isinstance(value, str) and value.strip() else None for value in map(item.get, ("url", "b64_json"))
    )
    return (url, b64) if url or b64 else None


def _parsed(arrival: Arrival) -> Any:
    """The JSON value of an answer; None when it is none, or compressed, which nothing here really is."""
    if arrival.answer_headers.get("content-encoding", "identity") not in {"", "identity"}:
        return None
    try:
        return json.loads(arrival.answer.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
