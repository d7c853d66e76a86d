"""One request as it was served: what the journal and the log are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_mockserver._wire import Answer

__all__ = ["Served"]


@dataclass(slots=True)
class Served:
    """A request and its answer, unredacted and unformatted: whoever keeps it decides what may be kept.

    ``started`` is seconds since the epoch, ``headers`` are as received, ``body`` is the raw request body (empty where it was refused
    unread), ``parsed`` its JSON or None, ``key`` the bearer key or empty bytes, ``operation`` the operation's key or None, ``matched`` the
    id of the scripted answer that was used, ``applied`` what a Prefer header or script changed ("code=429", "fault=hang").
    """

    started: float
    duration_s: float
    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    parsed: Any
    key: bytes
    answer: Answer
    operation: str | None = None
    matched: str | None = None
    applied: Sequence[str] = ()
