"""Reading of request bodies: completely, within the size limit, and decoded from gzip or deflate."""

import zlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from bodydouble_mockserver.asgi import Receive, Scope, header

__all__ = ["CODING_RULE", "Disconnected", "UnreadableBody", "decompress", "read_body"]

# A client reads the answer only after it has sent its body; beyond this size the connection is cut.
_DRAINED_BYTES = 256 * 1024 * 1024
# zlib's window sizes: gzip, zlib (what "deflate" means by RFC 9110), and a bare stream (what some clients send as "deflate").
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
# A gzip file may have several members. Each costs a copy of the rest, whatever it holds.
_MAX_MEMBERS = 50
CODING_RULE = "request-content-encoding"


@dataclass(frozen=True, slots=True)
class UnreadableBody:
    """The reason why a body cannot be used: the status of the answer, one sentence, and the id of the finding."""

    status: int
    message: str
    rule: str = "request-not-json"


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


async def read_body(
    scope: Scope, receive: Receive, limit: int, message: MutableMapping[str, Any]
) -> bytes | UnreadableBody:
    """Read the whole body, or return a 413 once a client that sends more than ``limit`` bytes has finished.

    ``message`` is the first ASGI message received. Raises Disconnected when the client disconnects.
    """
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    declared = header(scope, b"content-length")
    is_too_large = len(body) > limit or (declared.isdigit() and (len(declared) > 18 or int(declared) > limit))
    chunks, size = [body], len(body)
    while message.get("more_body", False) and (not is_too_large or size <= _DRAINED_BYTES):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        is_too_large = is_too_large or size > limit
        if is_too_large:
            chunks.clear()
        else:
            chunks.append(chunk)
    return _too_large(limit) if is_too_large else b"".join(chunks)


def _too_large(limit: int) -> UnreadableBody:
    return UnreadableBody(413, f"The request body is larger than {limit} bytes")


def decompress(body: bytes, coding: str, limit: int) -> bytes | UnreadableBody:
    """Decode a body by its Content-Encoding (lower case): gzip or deflate; never more than ``limit`` bytes are made of it."""
    if coding not in _WINDOWS:
        return UnreadableBody(
            415, f"The Content-Encoding {coding[:80]!r} is not supported; send gzip, deflate or none", CODING_RULE
        )
    reason: Exception | str = "it ends early, or something follows its end"
    for window in _WINDOWS[coding]:
        try:
            decoded = _inflate(body, window, limit)
        except zlib.error as error:
            reason = error
            continue
        if decoded is not None:
            return _too_large(limit) if len(decoded) > limit else decoded
    return UnreadableBody(
        400, f"The request body is not valid {coding}: {reason}; send it without Content-Encoding", CODING_RULE
    )


def _inflate(body: bytes, window: int, limit: int) -> bytes | None:
    """Decode at most one byte more than the limit; None when the stream has no end."""
    decoded = b""
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(window)
        decoded += stream.decompress(body, limit + 1 - len(decoded))
        if len(decoded) > limit:
            break
        if not stream.eof:
            return None
        body = stream.unused_data
        if not body:
            break
    return decoded if len(decoded) > limit or not body else None
