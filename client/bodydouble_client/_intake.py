"""Taking in a body piece by piece: no more bytes than allowed, no longer than allowed, no compression bombs."""

from collections.abc import Callable

import httpx

from bodydouble_client._outcome import Fault, FaultKind

__all__ = ["ACCEPTED_CODINGS", "Intake"]

ACCEPTED_CODINGS = "gzip, deflate"

# brotli and zstd, or one coding over another, unpack a small chunk to gigabytes before a limit can see it
_READABLE_CODINGS = {"", "identity", "gzip", "deflate"}


class Intake:
    """Collects one body of at most ``limit_bytes`` until ``ends_at``, a time of ``clock`` in seconds."""

    def __init__(self, limit_bytes: int, ends_at: float, clock: Callable[[], float]) -> None:
        self._limit_bytes = limit_bytes
        self._ends_at = ends_at
        self._clock = clock
        self._pieces: list[bytes] = []
        self._length = 0

    @property
    def body(self) -> bytes:
        """What has arrived so far."""
        return b"".join(self._pieces)

    def refuse(self, headers: httpx.Headers) -> Fault | None:
        """Why a body is not even read, judged by its headers."""
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in _READABLE_CODINGS:
            return _unreadable(f"it is compressed as {coding[:40]!r}, which was not asked for")
        length = headers.get("content-length", "").strip()
        if length.isdecimal() and (len(length) > 18 or int(length) > self._limit_bytes):
            return self._too_large()
        return None

    def add(self, piece: bytes) -> Fault | None:
        """Take one piece in; the reason to stop, if there is one."""
        self._length += len(piece)
        if self._length > self._limit_bytes:
            return self._too_large()
        self._pieces.append(piece)
        if self._clock() > self._ends_at:
            return Fault(FaultKind.TIMEOUT, "the body was still arriving when time ran out", sent=True)
        return None

    def _too_large(self) -> Fault:
        return _unreadable(f"it is larger than {self._limit_bytes} bytes")


def _unreadable(detail: str) -> Fault:
    return Fault(FaultKind.UNREADABLE, detail, sent=True)
