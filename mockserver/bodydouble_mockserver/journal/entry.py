"""Journal entries: a call without its keys, and its line in the format for exchanges, which is written when somebody reads it."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson
from bodydouble_spec import (
    Evidence,
    Exchange,
    Finding,
    KeyPlace,
    ReadBody,
    RecordedAnswer,
    RecordedPicture,
    Redactor,
    Severity,
    credentials,
    has_secret_name,
    picture_kind,
    record_body,
    record_value,
)
from bodydouble_spec.exchange import describe_body

from bodydouble_mockserver.asgi import Answer, Headers
from bodydouble_mockserver.endpoints import Effects, HandledRequest
from bodydouble_mockserver.errors import timestamp

__all__ = ["JournalEntry", "LineWriter"]

_KEPT_HEADERS = frozenset(name.encode() for name in Redactor.kept_headers)
_CREDENTIAL_HEADERS = frozenset(name.encode() for name in Redactor.credential_headers)
_MAX_FINDINGS = 100
# A larger call is formatted at once, for its line may be much shorter.
_MAX_KEPT_BYTES = 16 * 1024
# In nearly every answer, with an equals sign like that of a secret parameter.
_CHARSET = b"; charset=utf-8"
# The objects of an entry beside the bytes in them.
_ENTRY_OVERHEAD_BYTES = 2000


# Not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True, eq=False)
class JournalEntry:
    """A call as the journal keeps it: with the hash of its key, and of its headers those that may be kept.

    ``body`` is what was sent or, where ``is_read``, its value as JSON, with a reference for each of the ``pictures``. ``size_bytes`` is the
    approximate memory use.
    """

    identifier: str
    started: float
    duration_s: float
    method: str
    path: str
    query: bytes
    operation: str | None
    contract: str | None
    kind: str | None
    key: str
    headers: Headers
    body: bytes
    is_read: bool
    pictures: Mapping[str, RecordedPicture]
    answer: Answer
    effects: Effects
    places: Sequence[KeyPlace]
    size_bytes: int

    def read(self) -> ReadBody | None:
        """Return the value of the body with its pictures; None where it was not read."""
        return ReadBody(orjson.loads(self.body), self.body, self.pictures) if self.is_read else None


class LineWriter:
    """Keeps calls without secrets, and writes them as lines of the journal. ``hash_key`` returns the short hash of a key."""

    def __init__(self, redactor: Redactor, hash_key: Callable[[bytes], str]) -> None:
        self._redactor = redactor
        self._hash_key = hash_key

    def keep(self, identifier: str, handled: HandledRequest) -> JournalEntry | bytes:
        """Return a call as it came where there is no secret in it, for `line`; or else its line, without the secrets."""
        kept: Headers = []
        sent: Headers = []
        for header in handled.headers:
            if header[0] in _KEPT_HEADERS:
                kept.append(header)
            elif header[0] in _CREDENTIAL_HEADERS:
                sent.append(header)
        answer, intake, checked = handled.answer, handled.intake, handled.checked
        own_keys = _own_keys(checked.key, checked.secrets, sent)
        texts = _texts_of(handled, kept)
        size = sum(map(len, texts))
        entry = JournalEntry(
            identifier,
            handled.started,
            handled.duration_s,
            handled.method,
            handled.path,
            handled.query,
            handled.operation,
            handled.contract,
            handled.kind,
            self._hash_key(checked.key),
            kept,
            intake.text if intake.is_read else intake.body,
            intake.is_read,
            intake.pictures,
            answer,
            handled.effects,
            checked.places,
            size + _ENTRY_OVERHEAD_BYTES,
        )
        if (
            size <= _MAX_KEPT_BYTES
            and not answer.findings
            and self._redactor.is_plain(b"\0".join(texts), own_keys)
            and (not intake.body or (intake.is_read and not has_secret_name(intake.parsed)))
        ):
            return entry
        entry.body = intake.body
        redactor = self._redactor.with_keys(key.decode("latin-1") for key in own_keys) if own_keys else self._redactor
        return self._exchange(entry, intake.read, redactor).to_line()

    def line(self, entry: JournalEntry) -> bytes:
        """Return a call that was kept as one line of JSON, with its newline. Thread-safe."""
        return self._exchange(entry, entry.read(), self._redactor).to_line()

    def _exchange(self, entry: JournalEntry, read: ReadBody | None, redactor: Redactor) -> Exchange:
        answer = entry.answer
        is_unread = read is None and len(entry.body) > _MAX_KEPT_BYTES
        # What was refused for its size is not parsed here either.
        body, raw = (
            (None, describe_body(entry.body, redactor)) if is_unread else record_body(entry.body, redactor, read)
        )
        answer_body, answer_raw = _picture_body(answer) or record_body(answer.body, redactor)
        return Exchange(
            id=entry.identifier,
            time=_time(entry.started),
            method=redactor.text(entry.method),
            path=redactor.path(entry.path, entry.query.decode("latin-1")),
            operation=entry.operation,
            key=entry.key or None,
            headers=redactor.headers(_texts(entry.headers)),
            body=body,
            raw=raw,
            findings=_findings(answer.findings, redactor, entry.contract) if answer.findings else (),
            answer=RecordedAnswer(
                answer.status, redactor.headers(_texts(_answer_headers(answer))), answer_body, answer_raw
            ),
            duration_s=round(entry.duration_s, 6),
            matched=entry.effects.matched,
            applied=[redactor.text(item) for item in entry.effects.applied],
            contract=entry.contract,
            kind=entry.kind,
            key_in=[place.to_dict() for place in entry.places],
        )


def _time(seconds: float) -> str:
    """Format a time like `timestamp`, which is ten times slower and so runs once per second."""
    second = int(seconds)
    return f"{_stamp(second)}{int((seconds - second) * 1000):03}Z"


@lru_cache(maxsize=16)
def _stamp(second: int) -> str:
    return timestamp(second)[:-4]


def _picture_body(answer: Answer) -> tuple[dict[str, object], None] | None:
    """Return the description of an answer that is a picture; None for any other."""
    kind = picture_kind(answer.body) if answer.body and answer.content_type.startswith(b"image/") else None
    if kind is None:
        return None
    digest = hashlib.sha256(answer.body).hexdigest()
    picture = RecordedPicture(digest, kind.media_type, len(answer.body), kind.pixels, is_data_uri=False)
    return picture.to_dict(), None


def _answer_headers(answer: Answer) -> Headers:
    return [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]


def _texts_of(handled: HandledRequest, kept: Headers) -> list[bytes]:
    """Return all texts of an entry but those of findings."""
    return [
        f"{handled.method} {handled.path}".encode("utf-8", "surrogatepass"),
        handled.query,
        *[value for _, value in kept],
        handled.intake.text,
        handled.answer.content_type.replace(_CHARSET, b""),
        *[value for _, value in handled.answer.headers],
        handled.answer.body,
    ]


def _own_keys(key: bytes, secrets: Sequence[bytes], sent: Headers) -> list[bytes]:
    """Return the keys of a call that are long enough to search for."""
    # The only credential header is that of the bearer key, which is known.
    own_keys = [key] if len(sent) == 1 and (key,) == secrets else [key, *secrets, *_secrets(sent)]
    return [secret for secret in own_keys if len(secret) >= Redactor.shortest_key]


def _secrets(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    found = credentials((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return [secret.encode("latin-1", "ignore") for secret in found]


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _findings(findings: Sequence[Finding], redactor: Redactor, contract: str | None) -> list[dict[str, object]]:
    """Return findings as JSON values; their source is the contract, where it has a name."""
    kept = [
        _finding(replace(finding, source=finding.source or contract), redactor) for finding in findings[:_MAX_FINDINGS]
    ]
    omitted = len(findings) - len(kept)
    if omitted > 0:
        summary = Finding(
            "findings-cut", Severity.INFO, Evidence.OBSERVED, "", f"{omitted:,} more findings were omitted"
        )
        kept.append(summary.to_dict())
    return kept


def _finding(finding: Finding, redactor: Redactor) -> dict[str, object]:
    data = finding.to_dict()
    try:
        # A round trip through JSON, because a finding may contain tuples or enumerations.
        value = orjson.loads(orjson.dumps(data, default=str))
        recorded: dict[str, object] = record_value(value, redactor)
    except (TypeError, ValueError):
        short = Finding(finding.id, finding.severity, finding.evidence, finding.pointer, finding.message[:1000])
        recorded = record_value(short.to_dict(), redactor)
    return recorded
