"""Bodies that cannot be used, and the decoding of those that are sent with gzip or deflate."""

import zlib
from dataclasses import dataclass

__all__ = ["CODING_RULE", "Disconnected", "UnreadableBody", "decompress", "too_large"]

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


def too_large(limit: int) -> UnreadableBody:
    """Return the 413 for a body of more bytes than the limit."""
    return UnreadableBody(413, f"The request body is larger than {limit} bytes")


def decompress(body: bytes, coding: str, limit: int) -> bytes | UnreadableBody:
    """Decode a body by its Content-Encoding (lower case): gzip or deflate; never more than ``limit`` bytes are made of it."""
    if coding not in _WINDOWS:
        return UnreadableBody(
            415, f"The Content-Encoding {coding[:80]!r} is not supported; send gzip, deflate or none", CODING_RULE
        )
    reason: Exception | str = "it is cut off, or data follows its end"
    for window in _WINDOWS[coding]:
        try:
            decoded = _inflate(body, window, limit)
        except zlib.error as error:
            reason = error
            continue
        if decoded is not None:
            return too_large(limit) if len(decoded) > limit else decoded
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
