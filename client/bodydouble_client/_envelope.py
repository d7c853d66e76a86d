"""Reader of error bodies: the two envelopes of the vendor, other JSON, HTML and text.

The current one is problem+json with ``title``, ``status``, ``message``, ``requestId`` and ``error`` (name, message,
data); the legacy one has ``statusCode`` (a number or a string), ``message`` and ``requestId``. Gateways send HTML.
"""

import re
from dataclasses import dataclass
from typing import Any

from bodydouble_client import _json
from bodydouble_client._text import shorten

__all__ = ["Envelope", "read_envelope", "read_request_id"]

_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The contents of an error body.

    ``body`` is the JSON value, the text when it is not JSON, or None when the body is empty.
    """

    message: str | None
    body: Any
    request_id: str | None = None
    issues: tuple[dict[str, Any], ...] = ()
    kind: str | None = None


def read_envelope(text: str) -> Envelope:
    """Read a decoded and redacted error body; any text gives an envelope."""
    body = _json.parse(text.encode("utf-8", "replace"))
    if _json.is_object(body):
        return _from_object(body)
    if isinstance(body, _json.NotJson):
        return Envelope(_message_from_text(text), text or None)
    return Envelope(_json.text(body), body)


def _from_object(body: dict[str, Any]) -> Envelope:
    error = body.get("error")
    details: dict[str, Any] = error if _json.is_object(error) else {}
    data = details.get("data")
    issues = tuple(item for item in data if _json.is_object(item)) if _json.is_array(data) else ()
    kind = _json.text(data.get("kind")) if _json.is_object(data) else None
    candidates = (body.get("message"), details.get("message"), error, body.get("detail"), body.get("title"))
    message = next((text for text in map(_message_from, candidates) if text), None)
    return Envelope(message, body, read_request_id(body), issues, kind)


def _message_from(value: Any) -> str | None:
    if _json.is_array(value):  # the legacy envelope may have several
        return "; ".join(text for text in map(_json.text, value) if text) or None
    return _json.text(value)


def _message_from_text(text: str) -> str | None:
    if not _MARKUP.match(text):
        return _json.text(shorten(text))
    title = _TITLE.search(text)
    return f"an HTML page{f' titled {shorten(title[1])!r}' if title else ''}, not an answer from the service"


def read_request_id(body: dict[str, Any]) -> str | None:
    """Return the request id that the server gives in a body of either envelope."""
    return shorten(_json.text(body.get("requestId")) or "") or None
