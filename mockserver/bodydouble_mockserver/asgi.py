"""An answer as data, the headers that all answers share, and functions that send it over ASGI."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from bodydouble_spec import Finding
from starlette.responses import Response

__all__ = [
    "BODILESS",
    "CORS",
    "TEXT_CORS",
    "Answer",
    "BodyTooLarge",
    "Headers",
    "Receive",
    "Scope",
    "Send",
    "again",
    "header",
    "limited",
    "reason_phrase",
    "response_head",
    "send_answer",
    "send_preflight",
    "to_response",
    "write_json",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODILESS = frozenset({204, 205, 304})
"""Statuses whose answers have no body (RFC 9110)."""

CORS: tuple[tuple[bytes, bytes], ...] = ((b"access-control-allow-origin", b"*"),)
TEXT_CORS = {name.decode(): value.decode() for name, value in CORS}


@dataclass(slots=True)
class Answer:
    """One answer: status, its own headers, body, and the findings about the request; an empty ``content_type`` is not sent."""

    status: int
    content_type: bytes
    body: bytes
    headers: Headers = field(default_factory=list[tuple[bytes, bytes]])
    findings: Sequence[Finding] = ()

    def all_headers(self, length: int | None = None) -> Headers:
        """Return every header to send; ``length`` is the Content-Length to claim, by default the true one."""
        size = len(self.body) if length is None else length
        of_body = [(b"content-type", self.content_type)] if self.content_type else []
        return [*of_body, (b"content-length", b"%d" % size), *CORS, *self.headers]


def response_head(answer: Answer, length: int) -> bytes:
    """Return the status line and headers as bytes, with ``length`` as Content-Length."""
    return b"%b\r\n%b\r\n" % (_status_line(answer.status), _lines(answer.all_headers(length)))


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


@lru_cache(maxsize=1000)
def _status_line(status: int) -> bytes:
    return b"HTTP/1.1 %d %b" % (status, reason_phrase(status).encode())


def reason_phrase(status: int) -> str:
    """Return the reason phrase of a status, also of one that has none."""
    if status == 413:
        return "Payload Too Large"  # Python's own phrase depends on its version
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def header(scope: Mapping[str, Any], name: bytes) -> bytes:
    """Return the value of the first header with that lower-case name, or empty bytes."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def again(body: bytes, receive: Receive) -> Receive:
    """Return a function that gives a body once more which was read already, and then what ``receive`` gives."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> MutableMapping[str, Any]:
        return messages.pop() if messages else await receive()

    return receive_again


class BodyTooLarge(Exception):
    """A body that is larger than what is received of it."""


def limited(receive: Receive, max_bytes: int) -> Receive:
    """Return a function that receives at most so many bytes of a body, and then raises BodyTooLarge."""
    size = 0

    async def receive_limited() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > max_bytes:
            raise BodyTooLarge(f"the body has more than {max_bytes:,} bytes")
        return message

    return receive_limited


def write_json(value: Any) -> bytes:
    """Return a value as JSON; orjson refuses whole numbers beyond 64 bits, which a contract may have."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


async def send_answer(send: Send, answer: Answer, *, with_body: bool = True) -> None:
    """Send an answer; ``with_body=False`` leaves the body out for a HEAD request and keeps its Content-Length."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.all_headers()})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


def to_response(answer: Answer) -> Response:
    """Convert an answer to a Starlette response, for the routes that the router serves."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    of_body = {"content-type": answer.content_type.decode()} if answer.content_type else {}
    return Response(answer.body, answer.status, {**headers, **TEXT_CORS, **of_body})


_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-max-age", b"86400"),
)


async def send_preflight(scope: Scope, send: Send) -> None:
    """Answer the question of a browser whether a page of another origin may send a request."""
    asked = header(scope, b"access-control-request-headers") or b"authorization, content-type"
    headers = [*CORS, *_PREFLIGHT, (b"access-control-allow-headers", asked)]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
