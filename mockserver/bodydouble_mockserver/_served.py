"""A request and its answer, as the journal and the log receive them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble_mockserver._checks import CheckedRequest
from bodydouble_mockserver._wire import Answer, Headers, Scope

__all__ = ["Effects", "HandledRequest"]


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that a Prefer header, a script or a setting of the run changed about one answer.

    The answer waits for ``delay_s`` seconds and is broken by ``fault``. ``matched`` is the id of the scripted answer that was used, ``applied``
    the directives that took effect ("code=429", "fault=hang").
    """

    delay_s: float = 0.0
    fault: str | None = None
    matched: str | None = None
    applied: Sequence[str] = ()


_NO_EFFECTS = Effects()


@dataclass(slots=True)
class HandledRequest:
    """A request and its answer, neither redacted nor formatted: the journal and the log decide what to keep.

    ``scope`` is that of the ASGI connection, ``body`` the raw request body (empty where the request was refused unread), ``operation`` the key of
    the operation or None. ``started`` is seconds since the epoch, and ``duration_s`` includes the delay.
    """

    scope: Scope
    answer: Answer
    checked: CheckedRequest
    body: bytes = b""
    operation: str | None = None
    effects: Effects = _NO_EFFECTS
    started: float = 0.0
    duration_s: float = 0.0

    @property
    def method(self) -> str:
        """The request method."""
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, percent-decoded by the ASGI server."""
        path: str = self.scope["path"]
        return path

    @property
    def query(self) -> bytes:
        """The query string as sent, without the question mark."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def headers(self) -> Headers:
        """The request's headers as received, by lower-case name."""
        headers: Headers = self.scope["headers"]
        return headers
