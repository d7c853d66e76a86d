"""Journal entries: a call without its keys, and its line in the format for exchanges, which is written when somebody reads it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

import orjson
from bodydouble_spec import (
    Evidence,
    Exchange,
    Finding,
    KeyPlace,
    PlainRedactor,
    ReadBody,
    RecordedAnswer,
    RecordedPicture,
    Redactor,
    Severity,
    has_secret_name,
    picture_kind,
    record_body,
    record_value,
)
from bodydouble_spec.exchange import describe_body

from bodydouble_mockserver.asgi import Headers
from bodydouble_mockserver.endpoints import Effects, HandledRequest
from bodydouble_mockserver.errors import timestamp

__all__ = ["JournalEntry", "LineWriter"]

_KEPT_HEADERS = {name.encode(): name for name in Redactor.kept_headers}
_MAX_FINDINGS = 100
# A larger call is formatted at once, for its line may be much shorter.
_MAX_KEPT_BYTES = 16 * 1024
# Its equals sign is in nearly every call, and is no sign of a secret.
_CHARSET = b"; charset=utf-8"
_PLAIN = PlainRedactor()
# The objects of an entry beside the bytes in them, and the description of a picture.
_ENTRY_OVERHEAD_BYTES = 600
_PICTURE_BYTES = 500


@dataclass(slots=True)
class _Content:
    """The parts of a call in which there may be secrets; ``answer_headers`` include that of the content type.

    With ``is_whole`` the bodies are not cut, and ids of accounts are redacted too.
    """

    method: str
    path: str
    query: bytes
    headers: Headers
    body: bytes
    read: ReadBody | None
    answer_headers: Headers
    answer_body: bytes
    findings: Sequence[Finding] = ()
    answer_read: ReadBody | None = None
    is_whole: bool = False


# Not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True, eq=False)
class JournalEntry:
    """A call as the journal keeps it: with the hash of its key, and of its headers those that may be kept.

    ``data`` has method and path, the content type of the answer, names and values of ``header_count`` headers of the request and then of those
    of the answer, the body of the request as JSON, with a reference for each of the ``pictures``, and that of the answer, with zero bytes
    between them: few objects are made and dropped faster than many. ``size_bytes`` is the approximate memory use of one that is kept.
    """

    started: float
    duration_s: float
    operation: str | None
    contract: str | None
    kind: str | None
    key: str
    status: int
    effects: Effects
    places: Sequence[KeyPlace]
    pictures: Mapping[str, RecordedPicture]
    header_count: int = 0
    data: bytes = b""
    size_bytes: int = 0

    def content(self) -> _Content:
        """Return the parts of the call."""
        target, content_type, *headers, body, answer_body = self.data.split(b"\0")
        method, _, path = target.decode("utf-8", "surrogatepass").partition(" ")
        pairs = [*zip(headers[::2], headers[1::2], strict=True)]
        read = ReadBody(orjson.loads(body), body, self.pictures) if body else None
        sent, answered = pairs[: self.header_count], pairs[self.header_count :]
        answered = [*_of_body(content_type, answer_body), *answered]
        return _Content(method, path, b"", sent, body, read, answered, answer_body)


class LineWriter:
    """Keeps calls without secrets, and writes them as lines of the journal. ``hash_key`` returns the short hash of a key."""

    def __init__(self, redactor: Redactor, hash_key: Callable[[bytes], str]) -> None:
        self._redactor = redactor
        self._hash_key = hash_key

    def keep(self, handled: HandledRequest) -> JournalEntry | None:
        """Return a call as it came, for `line`; None where it has to be written at once, because one of its keys may be in it, or it is large."""
        intake = handled.intake
        is_read = intake.is_read or not intake.body
        if handled.answer.findings or handled.query or not is_read or has_secret_name(intake.parsed):
            return None
        sent, answered = _kept(handled.headers), _kept(handled.answer.headers)
        data = self._keyless(handled, sent, answered)
        return None if data is None else self._entry(handled, data, len(sent))

    def write(self, identifier: str, handled: HandledRequest) -> bytes:
        """Return the line of a call, the same as `line` writes of what `keep` returns."""
        sent, answered = _kept(handled.headers), _kept(handled.answer.headers)
        content, redactor = _content_of(handled, sent, answered), None
        if not (content.findings or content.query):
            keyless = self._keyless(handled, sent, answered)
            if keyless is not None:
                is_plain = self._redactor.is_plain(keyless.replace(_CHARSET, b""))
                redactor = _PLAIN if is_plain else self._redactor
        redactor = redactor or self.redactor_for(handled)
        return self._exchange(identifier, self._entry(handled), content, redactor).to_line()

    def whole_exchange(self, identifier: str, handled: HandledRequest, answer: ReadBody | None) -> Exchange:
        """Return the call for a recording: its bodies are not cut, and ids of accounts are redacted too.

        ``answer`` is the parsed body of the answer; without, it is parsed here.
        """
        content = _content_of(handled, _kept(handled.headers), _kept(handled.answer.headers))
        content.answer_read, content.is_whole = answer, True
        return self._exchange(identifier, self._entry(handled), content, self.redactor_for(handled))

    def _keyless(self, handled: HandledRequest, sent: Headers, answered: Headers) -> bytes | None:
        """Return the ``data`` of an entry with these headers where no key is in it; None where one may be, and for a large call."""
        text, answer = handled.intake.text, handled.answer
        if len(text) + len(answer.body) > _MAX_KEPT_BYTES:
            return None
        target = f"{handled.method} {handled.path}".encode("utf-8", "surrogatepass")
        headers = chain.from_iterable((*sent, *answered))
        data = b"\0".join([target, answer.content_type, *headers, text, answer.body])
        is_divided = data.count(b"\0") == 2 * (len(sent) + len(answered)) + 3
        return None if not is_divided or self._redactor.may_hold_key(data, handled.keys) else data

    def hash_of(self, key: bytes) -> str:
        """Return the short hash that tells a key from others."""
        return self._hash_key(key)

    def redactor_for(self, handled: HandledRequest) -> Redactor:
        """Return the redactor that knows the keys of a call too."""
        return handled.redactor(self._redactor)

    def _entry(self, handled: HandledRequest, data: bytes = b"", header_count: int = 0) -> JournalEntry:
        return JournalEntry(
            handled.started,
            handled.duration_s,
            handled.operation,
            handled.contract,
            handled.kind,
            self._hash_key(handled.checked.key),
            handled.answer.status,
            handled.effects,
            handled.checked.places,
            handled.intake.pictures,
            header_count,
            data,
            len(data) + _ENTRY_OVERHEAD_BYTES + _PICTURE_BYTES * len(handled.intake.pictures),
        )

    def line(self, identifier: str, entry: JournalEntry) -> bytes:
        """Return a call that was kept as one line of JSON, with its newline. Thread-safe."""
        return self._exchange(identifier, entry, entry.content(), self._redactor).to_line()

    def _exchange(self, identifier: str, entry: JournalEntry, content: _Content, redactor: Redactor) -> Exchange:
        whole = content.is_whole
        # What was refused for its size is not parsed here either.
        is_unread = content.read is None and len(content.body) > _MAX_KEPT_BYTES and not whole
        described = (None, describe_body(content.body, redactor)) if is_unread else None
        body, raw = described or record_body(content.body, redactor, content.read, whole=whole)
        recorded = _picture_body(content) or record_body(
            content.answer_body, redactor, content.answer_read, whole=whole
        )
        headers = redactor.headers(_texts(content.answer_headers))
        return Exchange(
            id=identifier,
            time=_time(entry.started),
            method=redactor.text(content.method),
            path=redactor.path(content.path, content.query.decode("latin-1")),
            operation=entry.operation,
            key=entry.key or None,
            headers=redactor.headers(_texts(content.headers)),
            body=body,
            raw=raw,
            findings=_findings(content.findings, redactor, entry.contract) if content.findings else (),
            answer=RecordedAnswer(entry.status, headers, *recorded),
            duration_s=round(entry.duration_s, 6),
            matched=entry.effects.matched,
            applied=[redactor.text(item) for item in entry.effects.applied],
            contract=entry.contract,
            kind=entry.kind,
            key_in=[place.to_dict() for place in entry.places],
        )


def _content_of(handled: HandledRequest, sent: Headers, answered: Headers) -> _Content:
    """Return the parts of a call, with the headers that may be kept of those that were sent and answered."""
    answer, intake = handled.answer, handled.intake
    return _Content(
        handled.method,
        handled.path,
        handled.query,
        sent,
        intake.body,
        intake.read,
        [*_of_body(answer.content_type, answer.body), *answered],
        answer.body,
        answer.findings,
    )


def _of_body(content_type: bytes, body: bytes) -> Headers:
    return [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]


def _kept(headers: Headers) -> Headers:
    return [header for header in headers if header[0] in _KEPT_HEADERS]


def _time(seconds: float) -> str:
    """Format a time like `timestamp`, which is ten times slower and so runs once per second."""
    second = int(seconds)
    return f"{_stamp(second)}{int((seconds - second) * 1000):03}Z"


@lru_cache(maxsize=16)
def _stamp(second: int) -> str:
    return timestamp(second)[:-4]


def _picture_body(content: _Content) -> tuple[dict[str, object], None] | None:
    """Return the description of an answer that is a picture; None for any other."""
    data = content.answer_body
    kind = picture_kind(data) if data and content.answer_headers[0][1].startswith(b"image/") else None
    if kind is None:
        return None
    digest = hashlib.sha256(data).hexdigest()
    picture = RecordedPicture(digest, kind.media_type, len(data), kind.pixels, is_data_uri=False)
    return picture.to_dict(), None


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [(_KEPT_HEADERS[name], value.decode("latin-1")) for name, value in headers]


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
