"""One request and its answer, in the format of every record: the journal's file, the fixture's file and recordings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from bodydouble_spec.text import is_mapping

__all__ = ["EXCHANGE_FORMAT", "Exchange", "RecordedAnswer"]

EXCHANGE_FORMAT = 1


# Not frozen: creating a frozen instance takes three times as long, for every line of a journal.
@dataclass(slots=True)
class RecordedAnswer:
    """The answer of an exchange. ``headers`` are by lower-case name; ``body`` and ``raw`` as in `Exchange`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    raw: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values; ``body`` or ``raw`` is left out when there is none."""
        return {"status": self.status, "headers": self.headers, **_content(self.body, self.raw)}


@dataclass(slots=True)
class Exchange:
    """A request, its answer and the findings, without secrets and with each Base64 picture described (`RecordedPicture`).

    ``time`` is ISO 8601 in UTC with milliseconds; ``path`` includes the redacted query; ``headers`` are by lower-case
    name. ``key`` is a short salted hash that tells API keys apart, None without a key. ``body`` is the JSON body; any
    other body is described in ``raw`` (``bytes``, ``sha256``, ``text``); without a body both are None. ``findings`` are
    `Finding.to_dict` values. ``operation`` is ``POST /path`` or None for an unknown route, ``answer`` None when none
    was sent, ``matched`` the id of the scripted answer that was used, and ``applied`` lists the effects of a Prefer
    header or a script. ``contract`` names the contract of the operation, where the recorder had others than the vendored one. ``kind`` is ``picture`` for the file of
    a picture and None for a call. ``key_in`` has the places of the
    keys (``in``, ``name``, ``scheme``), where the contract has others than a bearer key. ``extra`` keeps members that this version does not know.
    """

    id: str
    time: str
    method: str
    path: str
    operation: str | None = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    raw: Mapping[str, Any] | None = None
    findings: Sequence[Mapping[str, Any]] = ()
    answer: RecordedAnswer | None = None
    duration_s: float | None = None
    matched: str | None = None
    applied: Sequence[str] = ()
    contract: str | None = None
    kind: str | None = None
    key_in: Sequence[Mapping[str, str]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def started(self) -> datetime:
        """The time as a datetime in UTC. Raises ValueError when ``time`` is not a time, which `read_exchanges` excludes."""
        time = datetime.fromisoformat(self.time)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

    @property
    def status(self) -> int | None:
        """The status of the answer, or None without an answer."""
        return None if self.answer is None else self.answer.status

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the exchange as JSON values, in the order of the file."""
        return {
            "format": EXCHANGE_FORMAT,
            "id": self.id,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "key": self.key,
            "headers": self.headers,
            **_content(self.body, self.raw),
            "findings": [*self.findings],
            "answer": None if self.answer is None else self.answer.to_dict(),
            "duration_s": self.duration_s,
            "matched": self.matched,
            "applied": [*self.applied],
            **({} if self.contract is None else {"contract": self.contract}),
            **({} if self.kind is None else {"kind": self.kind}),
            **({"key_in": [*self.key_in]} if self.key_in else {}),
            **self.extra,
        }

    def to_line(self) -> bytes:
        """Return the exchange as one line of a JSON-lines file, with its newline."""
        value = self.to_dict()
        try:
            return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
        except TypeError:
            return orjson.dumps(_storable(value), option=orjson.OPT_APPEND_NEWLINE)


def _content(body: Any, raw: Mapping[str, Any] | None) -> dict[str, Any]:
    if raw is not None:
        return {"raw": raw}
    return {} if body is None else {"body": body}


def _storable(value: Any) -> Any:
    """Return the value without whatever orjson refuses: lone surrogates, integers over 64 bits, other types."""
    text = json.dumps(value, default=_as_json, ensure_ascii=False, skipkeys=True)
    return json.loads(text.encode("utf-8", "replace"), parse_int=_parse_number, parse_constant=lambda _name: None)


def _parse_number(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)


def _as_json(value: Any) -> Any:
    return {**value} if is_mapping(value) else str(value)
