"""One request as it was served: what the journal and the log are told."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble_mockserver._checks import Checked
from bodydouble_mockserver._wire import Answer, Headers, Scope

__all__ = ["Served"]


@dataclass(slots=True)
class Served:
    """A request and its answer, unredacted and unformatted: whoever keeps it decides what may be kept.

    ``scope`` is that of the ASGI connection, ``body`` the raw request body (empty where it was refused unread), ``operation`` the operation's key or
    None, ``matched`` the id of the scripted answer that was used, ``applied`` what a Prefer header or script changed ("code=429", "fault=hang").
    The answer waits for ``delay_s`` seconds and is broken by ``fault``. ``started`` is seconds since the epoch, and ``duration_s`` includes the delay.
    """

    scope: Scope
    answer: Answer
    checked: Checked
    body: bytes = b""
    operation: str | None = None
    delay_s: float = 0.0
    fault: str | None = None
    matched: str | None = None
    applied: Sequence[str] = ()
    started: float = 0.0
    duration_s: float = 0.0

    @property
    def method(self) -> str:
        """The method."""
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, percent-decoded as ASGI has it."""
        path: str = self.scope["path"]
        return path

    @property
    def query(self) -> bytes:
        """The query as sent, without the question mark."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def headers(self) -> Headers:
        """The request's headers as received, by lower-case name."""
        headers: Headers = self.scope["headers"]
        return headers
