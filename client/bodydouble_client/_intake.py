"""Reader of response bodies with limits on size and time, safe from compression bombs."""

from collections.abc import Callable

import httpx

from bodydouble_client._outcome import Failure, FailureKind

__all__ = ["ACCEPTED_CODINGS", "BodyReader"]

ACCEPTED_CODINGS = "gzip, deflate"

# brotli, zstd and stacked codings may unpack one small chunk to gigabytes, before any limit applies
_SUPPORTED_CODINGS = {"", "identity", "gzip", "deflate"}


class BodyReader:
    """A buffer for one body of at most ``limit_bytes``, until ``ends_at``, a time of ``clock`` in seconds."""

    def __init__(self, limit_bytes: int, ends_at: float, clock: Callable[[], float]) -> None:
        self._limit_bytes = limit_bytes
        self._ends_at = ends_at
        self._clock = clock
        self._chunks: list[bytes] = []
        self._length = 0

    @property
    def body(self) -> bytes:
        """The bytes that have arrived so far."""
        return b"".join(self._chunks)

    def check_headers(self, headers: httpx.Headers) -> Failure | None:
        """Return the reason not to read a body with these headers, if there is one."""
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in _SUPPORTED_CODINGS:
            return _unreadable(f"it is compressed as {coding[:40]!r}, which was not asked for")
        length = headers.get("content-length", "").strip()
        if length.isdecimal() and (len(length) > 18 or int(length) > self._limit_bytes):
            return self._too_large()
        return None

    def add(self, chunk: bytes) -> Failure | None:
        """Add a chunk and return the reason to stop, if there is one."""
        self._length += len(chunk)
        if self._length > self._limit_bytes:
            return self._too_large()
        self._chunks.append(chunk)
        if self._clock() > self._ends_at:
            return Failure(FailureKind.TIMEOUT, "the body was still arriving when time ran out", sent=True)
        return None

    def _too_large(self) -> Failure:
        return _unreadable(f"it is larger than {self._limit_bytes} bytes")


def _unreadable(detail: str) -> Failure:
    return Failure(FailureKind.UNREADABLE, detail, sent=True)
