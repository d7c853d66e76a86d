"""Journal entries: a call without its keys, and its line in the format for exchanges, which is written when somebody reads it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
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

_KEPT_HEADERS = {name.encode(): name for name in Redactor.kept_headers}
_MAX_FINDINGS = 100
# A larger call is formatted at once, for its line may be much shorter.
_MAX_KEPT_BYTES = 16 * 1024
_CHARSET = b"; charset=utf-8"
# The objects of an entry beside the bytes in them, and the description of a picture.
_ENTRY_OVERHEAD_BYTES = 600
_PICTURE_BYTES = 500


@dataclass(slots=True)
class _Content:
    """The parts of a call in which there may be secrets; ``answer_headers`` include that of the content type.

    With ``is_whole`` the bodies are not cut, and ids of accounts are redacted too. ``is_plain`` says that a redactor would change nothing.
    """

    query: bytes
    headers: Headers
    body: bytes
    read: ReadBody | None
    answer_headers: Headers
    answer_body: bytes
    findings: Sequence[Finding] = ()
    answer_read: ReadBody | None = None
    is_whole: bool = False
    is_plain: bool = False


# Not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True, eq=False)
class JournalEntry:
    """A call as the journal keeps it: with the hash of its key, and of its headers those that may be kept.

    ``data`` has names and values of ``header_count`` headers of the request and then of those of the answer, the body of the request as JSON,
    with a reference for each of the ``pictures``, and that of the answer, with zero bytes between them: few objects are made and dropped faster
    than many. ``size_bytes`` is the approximate memory use.
    """

    identifier: str
    started: float
    duration_s: float
    method: str
    path: str
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

    @property
    def size_bytes(self) -> int:
        """The approximate memory use."""
        return len(self.data) + len(self.path) + _ENTRY_OVERHEAD_BYTES + _PICTURE_BYTES * len(self.pictures)

    def content(self) -> _Content:
        """Return the parts of the call."""
        *headers, body, answer_body = self.data.split(b"\0")
        pairs = [*zip(headers[::2], headers[1::2], strict=True)]
        read = ReadBody(orjson.loads(body), body, self.pictures, is_plain=True) if body else None
        sent, answered = pairs[: self.header_count], pairs[self.header_count :]
        return _Content(b"", sent, body, read, answered, answer_body, is_plain=True)


class LineWriter:
    """Keeps calls without secrets, and writes them as lines of the journal. ``hash_key`` returns the short hash of a key."""

    def __init__(self, redactor: Redactor, hash_key: Callable[[bytes], str]) -> None:
        self._redactor = redactor
        self._hash_key = hash_key

    def keep(self, identifier: str, handled: HandledRequest) -> JournalEntry | bytes:
        """Return a call as it came where there is no secret in it, for `line`; or else its line, without the secrets."""
        content = _content_of(handled)
        data = self._plain_data(handled, content)
        if not data:
            return self._written(identifier, handled, content)
        entry = self._entry(identifier, handled)
        entry.header_count, entry.data = len(content.headers), data
        return entry

    def write(self, identifier: str, handled: HandledRequest) -> bytes:
        """Return the line of a call, without its secrets, as `line` writes it of what `keep` returns."""
        content = _content_of(handled)
        content.is_plain = bool(self._plain_data(handled, content))
        if content.read is not None:
            content.read.is_plain = content.is_plain
        return self._written(identifier, handled, content)

    def whole_exchange(self, identifier: str, handled: HandledRequest, answer: ReadBody | None) -> Exchange:
        """Return the call for a recording: its bodies are not cut, and ids of accounts are redacted too.

        ``answer`` is the parsed body of the answer; without, it is parsed here.
        """
        content = _content_of(handled)
        content.answer_read, content.is_whole = answer, True
        return self._exchange(self._entry(identifier, handled), content, self.redactor_for(handled))

    def _plain_data(self, handled: HandledRequest, content: _Content) -> bytes:
        """Return the ``data`` of an entry where nothing in it needs to be redacted; none where something may, or it is large."""
        text, intake = handled.intake.text, handled.intake
        if (
            len(text) + len(content.answer_body) > _MAX_KEPT_BYTES
            or content.findings
            or content.query
            or (content.body and (content.read is None or has_secret_name(intake.parsed)))
        ):
            return b""
        texts = [text for header in (*content.headers, *content.answer_headers) for text in header]
        data = b"\0".join([*texts, text, content.answer_body])
        # Without the equals signs of what is in nearly every header.
        searched = f"{handled.method} {handled.path}".encode("utf-8", "surrogatepass") + data.replace(_CHARSET, b"")
        is_plain = data.count(b"\0") == len(texts) + 1 and self._redactor.is_plain(searched, handled.keys)
        return data if is_plain else b""

    def _written(self, identifier: str, handled: HandledRequest, content: _Content) -> bytes:
        redactor = self._redactor if content.is_plain else self.redactor_for(handled)
        return self._exchange(self._entry(identifier, handled), content, redactor).to_line()

    def hash_of(self, key: bytes) -> str:
        """Return the short hash that tells a key from others."""
        return self._hash_key(key)

    def redactor_for(self, handled: HandledRequest) -> Redactor:
        """Return the redactor that knows the keys of a call too."""
        return handled.redactor(self._redactor)

    def _entry(self, identifier: str, handled: HandledRequest) -> JournalEntry:
        return JournalEntry(
            identifier,
            handled.started,
            handled.duration_s,
            handled.method,
            handled.path,
            handled.operation,
            handled.contract,
            handled.kind,
            self._hash_key(handled.checked.key),
            handled.answer.status,
            handled.effects,
            handled.checked.places,
            handled.intake.pictures,
        )

    def line(self, entry: JournalEntry) -> bytes:
        """Return a call that was kept as one line of JSON, with its newline. Thread-safe."""
        return self._exchange(entry, entry.content(), self._redactor).to_line()

    def _exchange(self, entry: JournalEntry, content: _Content, redactor: Redactor) -> Exchange:
        whole, is_plain = content.is_whole, content.is_plain
        # What was refused for its size is not parsed here either.
        is_unread = content.read is None and len(content.body) > _MAX_KEPT_BYTES and not whole
        described = (None, describe_body(content.body, redactor)) if is_unread else None
        body, raw = described or record_body(content.body, redactor, content.read, whole=whole)
        recorded = _picture_body(content) or record_body(
            content.answer_body, redactor, content.answer_read, whole=whole
        )
        headers = redactor.headers(_texts(content.answer_headers), is_plain=is_plain)
        return Exchange(
            id=entry.identifier,
            time=_time(entry.started),
            method=redactor.text(entry.method),
            path=redactor.path(entry.path, content.query.decode("latin-1")),
            operation=entry.operation,
            key=entry.key or None,
            headers=redactor.headers(_texts(content.headers), is_plain=is_plain),
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


def _content_of(handled: HandledRequest) -> _Content:
    answer, intake = handled.answer, handled.intake
    kept = [header for header in handled.headers if header[0] in _KEPT_HEADERS]
    return _Content(
        handled.query, kept, intake.body, intake.read, _answer_headers(answer), answer.body, answer.findings
    )


def _answer_headers(answer: Answer) -> Headers:
    of_body = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body))]
    return [*of_body, *(header for header in answer.headers if header[0] in _KEPT_HEADERS)]


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
