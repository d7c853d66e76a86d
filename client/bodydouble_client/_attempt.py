"""One attempt to send a request: the request, the limits, the trace of its connection and the result."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import httpx

from bodydouble_client._values import describe_error

_CONNECT_S = 30.0  # a host that accepts no connection in this time is down
# The time of the attempt ends it, in words that name it; that of httpx only ends what is left over.
_SPARE_S = 1.0
ACCEPTED_CODINGS = "gzip, deflate"

# brotli, zstd and stacked codings may unpack one small chunk to gigabytes, before any limit applies
_SUPPORTED_CODINGS = {"", "identity", "gzip", "deflate"}


class FailureKind(Enum):
    """The categories of failures below HTTP."""

    CONNECT = "no connection could be made"
    LOST = "the connection was lost"
    TIMEOUT = "time ran out"
    UNREADABLE = "the body cannot be read"
    MISUSE = "the HTTP library refused the request"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure below HTTP; ``sent`` tells whether sending had begun."""

    kind: FailureKind
    detail: str = field(repr=False)  # a library may quote the Authorization header
    sent: bool


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of one attempt: an answer, a failure, or an answer with an incomplete body and a failure.

    ``body`` is decompressed; with a failure it is the part that had arrived.
    """

    status_code: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers, repr=False)
    body: bytes = field(default=b"", repr=False)
    failure: Failure | None = None

    @property
    def refused(self) -> bool:
        """True for a status that is not a success: the request was not carried out, even if the body is incomplete."""
        return self.status_code is not None and not 200 <= self.status_code < 300

    @property
    def may_be_charged(self) -> bool:
        """True when the request may have been carried out although no complete answer arrived."""
        return self.failure is not None and self.failure.sent and not self.refused


# raised by httpx before the first byte of a request is sent
_RAISED_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
_MISUSE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


def failure_from(error: Exception, sent: bool | None) -> Failure:
    """Return the failure for an exception.

    ``sent`` tells whether sending had begun. When it is None (not observed), the type of the exception decides.
    """
    was_sent = sent if sent is not None else not isinstance(error, _RAISED_BEFORE_SENDING)
    return Failure(_kind_of(error, was_sent), describe_error(error), was_sent)


def _kind_of(error: Exception, was_sent: bool) -> FailureKind:
    if isinstance(error, httpx.TimeoutException):
        return FailureKind.TIMEOUT
    if isinstance(error, httpx.DecodingError):
        return FailureKind.UNREADABLE
    if isinstance(error, _MISUSE):
        return FailureKind.MISUSE
    if isinstance(error, (httpx.TransportError, OSError, ssl.SSLError)):
        return FailureKind.LOST if was_sent else FailureKind.CONNECT
    return FailureKind.MISUSE


def timed_out(time_s: float, sent: bool | None) -> AttemptResult:
    """Return the result of an attempt that timed out; a request that was not observed counts as sent."""
    detail = (
        f"no complete answer within {time_s:.3g} s" if time_s > 0 else "deadline_s had passed before the attempt began"
    )
    return AttemptResult(failure=Failure(FailureKind.TIMEOUT, detail, sent is not False))


@dataclass(frozen=True, slots=True)
class Request:
    """Method, URL, headers and body; without ``auth`` the settings of the HTTP client apply."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = field(default=None, repr=False)
    auth: httpx.Auth | None = None

    def build_options(self, time_s: float, trace: Any) -> dict[str, Any]:
        """Return the arguments of ``build_request`` for an attempt of ``time_s`` seconds."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "content": self.content,
            "timeout": httpx.Timeout(time_s + _SPARE_S, connect=min(time_s + _SPARE_S, _CONNECT_S)),
            "extensions": {"trace": trace},
        }

    def send_options(self) -> dict[str, Any]:
        """Return the arguments of ``send``; redirects are not followed, so that the key goes to no other host."""
        auth = httpx.USE_CLIENT_DEFAULT if self.auth is None else self.auth
        return {"auth": auth, "follow_redirects": False, "stream": True}


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


class AttemptAborted(Exception):
    """Raised inside an aborted attempt, so that it does not send its request."""


class ConnectionTrace:
    """A trace of the connection of one attempt.

    ``sent`` is None until the first event (the transport of a caller may report none), False while connecting and True
    as soon as sending begins.
    """

    def __init__(self) -> None:
        self.sent: bool | None = None
        self._aborted = False
        self._stream: Any = None
        self._lock = threading.Lock()

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Record one event of httpcore; raises AttemptAborted after ``abort``."""
        with self._lock:
            if event.endswith(("connect_tcp.started", "connect_unix_socket.started")):
                self._raise_if_aborted()
                self.sent = False
            elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._stream = info["return_value"]
                if self._aborted:
                    self._stream.close()
                self._raise_if_aborted()
            elif event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
                self._raise_if_aborted()
                self.sent = True  # CONNECT only opens a tunnel through a proxy

    def _raise_if_aborted(self) -> None:
        if self._aborted:
            raise AttemptAborted

    async def observe_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Do the same as ``observe``, for the asynchronous transport."""
        self.observe(event, info)

    def abort(self) -> bool | None:
        """Abort the attempt, wake a thread that waits for its socket, and return the final ``sent``."""
        with self._lock:
            self._aborted = True
            sent, stream = self.sent, self._stream
        connection = None if stream is None else stream.get_extra_info("socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the connection may have ended already
                connection.shutdown(socket.SHUT_RDWR)
        return sent
