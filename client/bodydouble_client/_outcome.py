"""What became of one attempt, as data, and how an exception of the HTTP library becomes that."""

import ssl
from dataclasses import dataclass, field
from enum import Enum

import httpx

from bodydouble_client._text import shorten

__all__ = ["Fault", "FaultKind", "Outcome", "fault_of", "out_of_time"]


class FaultKind(Enum):
    """What went wrong below the status code."""

    CONNECT = "no connection could be made"
    LOST = "the connection was lost"
    TIMEOUT = "time ran out"
    UNREADABLE = "the body cannot be read"
    MISUSE = "the HTTP library refused the request"


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure below HTTP; ``sent`` says whether the request had begun to leave."""

    kind: FaultKind
    detail: str = field(repr=False)  # a library may quote the header that it objects to
    sent: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought: an answer, a fault, or an answer whose body has a fault.

    ``body`` is decompressed, and is what had arrived when there is a fault.
    """

    status_code: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers, repr=False)
    body: bytes = field(default=b"", repr=False)
    fault: Fault | None = None

    @property
    def refused(self) -> bool:
        """Whether there is a status and it is not a success: nothing was done, whatever became of the body."""
        return self.status_code is not None and not 200 <= self.status_code < 300

    @property
    def may_be_charged(self) -> bool:
        """Whether the request may have been carried out although the answer did not arrive whole."""
        return self.fault is not None and self.fault.sent and not self.refused


# what httpx raises before the first byte of a request leaves
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
_MISUSE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


def fault_of(error: Exception, sent: bool | None) -> Fault:
    """The fault that an exception stands for.

    ``sent`` says whether the request had begun to leave, None when nobody watched: then the exception's type decides.
    """
    left = sent if sent is not None else not isinstance(error, _BEFORE_SENDING)
    return Fault(_kind_of(error, left), f"{type(error).__name__}: {shorten(str(error))}".rstrip(": "), left)


def _kind_of(error: Exception, left: bool) -> FaultKind:
    if isinstance(error, httpx.TimeoutException):
        return FaultKind.TIMEOUT
    if isinstance(error, httpx.DecodingError):
        return FaultKind.UNREADABLE
    if isinstance(error, _MISUSE):
        return FaultKind.MISUSE
    if isinstance(error, (httpx.TransportError, OSError, ssl.SSLError)):
        return FaultKind.LOST if left else FaultKind.CONNECT
    return FaultKind.MISUSE


def out_of_time(time_s: float, sent: bool | None) -> Outcome:
    """The outcome of an attempt that was given up; a request that nobody watched counts as sent."""
    detail = f"no complete answer within {time_s:.3g} s" if time_s > 0 else "deadline_s had passed before it began"
    return Outcome(fault=Fault(FaultKind.TIMEOUT, detail, sent is not False))
