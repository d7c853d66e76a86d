"""The result of one attempt, and the conversion of httpx exceptions into it."""

import ssl
from dataclasses import dataclass, field
from enum import Enum

import httpx

from bodydouble_client._text import shorten

__all__ = ["AttemptResult", "Failure", "FailureKind", "failure_from", "timed_out"]


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
    return Failure(_kind_of(error, was_sent), f"{type(error).__name__}: {shorten(str(error))}".rstrip(": "), was_sent)


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
