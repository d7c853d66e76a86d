"""Exchanges as the page shows them. Everything here comes from the one format for exchanges, so that records of any origin are shown alike."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Exchange, Finding, RecordedPicture, Severity, is_array, is_object
from bodydouble_spec.image_fields import prompt_of, request_fields
from bodydouble_spec.text import cut, cut_line, visible

from bodydouble_mockserver.endpoints import PICTURE
from bodydouble_mockserver.page.pictures import PictureLinks
from bodydouble_mockserver.page.rendering import visible_lines

__all__ = ["JournalRow", "ShownMessage", "ShownPicture", "findings_of", "message_of", "row_of"]

_PROMPT_CHARACTERS = 300
_LABEL_CHARACTERS = 60
_MAX_PICTURES = 12
_MAX_VALUES = 5_000
_MAX_BODY_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture of a call: ``label`` describes it, ``path`` leads to its file; None where there is none to show."""

    label: str
    path: str | None

    @property
    def thumbnail(self) -> str:
        """The link to the picture in small."""
        path = self.path or ""
        return f"{path}{'&' if '?' in path else '?'}thumbnail=1"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A call in a line of the journal. ``findings`` are numbers by severity, ``marks`` what is special about the call.

    ``hidden_inputs`` and ``hidden_pictures`` count the pictures beyond those that are listed.
    """

    id: str
    time: str
    method: str
    path: str
    status: str
    tone: str
    duration: str
    prompt: str
    findings: Mapping[str, int]
    marks: Sequence[str]
    inputs: Sequence[ShownPicture]
    hidden_inputs: int
    pictures: Sequence[ShownPicture]
    hidden_pictures: int

    @property
    def clock(self) -> str:
        """The time of the day with milliseconds, in UTC."""
        return self.time.partition("T")[2].rstrip("Z")


def row_of(exchange: Exchange, links: PictureLinks) -> JournalRow:
    """Return the line of an exchange."""
    inputs, pictures = [*_inputs(exchange, links)], [*_pictures(exchange, links)]
    counts = Counter(str(finding.get("severity")) for finding in exchange.findings)
    return JournalRow(
        id=exchange.id,
        time=visible(exchange.time),
        method=visible(exchange.method),
        path=cut_line(exchange.path),
        status="–" if exchange.status is None else str(exchange.status),
        tone="good" if exchange.status is not None and exchange.status < 400 else "bad",
        duration="" if exchange.duration_s is None else _duration(exchange.duration_s),
        prompt=cut(visible(_line(prompt_of(exchange.body) or "")), _PROMPT_CHARACTERS),
        findings={str(severity): counts[severity] for severity in Severity if counts[severity]},
        marks=[*_marks(exchange)],
        inputs=inputs[:_MAX_PICTURES],
        hidden_inputs=max(0, len(inputs) - _MAX_PICTURES),
        pictures=pictures[:_MAX_PICTURES],
        hidden_pictures=max(0, len(pictures) - _MAX_PICTURES),
    )


def _line(prompt: str) -> str:
    """Return the beginning of a prompt without its line ends."""
    return " ".join(prompt[: 10 * _PROMPT_CHARACTERS].split())


def _marks(exchange: Exchange) -> Iterator[str]:
    """Yield what is special about a call: a file or the account, a script, the effects of a directive, the contract."""
    if exchange.kind is not None:
        yield "picture file" if exchange.kind == PICTURE else visible(exchange.kind)
    if exchange.matched is not None:
        yield f"scripted: {visible(exchange.matched)}"
    yield from map(visible, exchange.applied)
    if exchange.contract is not None:
        yield cut_line(exchange.contract, _LABEL_CHARACTERS)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _inputs(exchange: Exchange, links: PictureLinks) -> Iterator[ShownPicture]:
    """Yield the pictures in a request's body, and the URLs in its field for pictures."""
    yield from _recorded(exchange.body, links.of_input)
    name = request_fields(exchange.body).inputs if is_object(exchange.body) else None
    given = None if name is None else exchange.body[name]
    for value in given if is_array(given) else [given]:
        if isinstance(value, str) and value[:8].lower().startswith(("http://", "https://")):
            yield ShownPicture(_url_label(value), links.of_url(value))


def _pictures(exchange: Exchange, links: PictureLinks) -> Iterator[ShownPicture]:
    """Yield the pictures of an answer: those behind its URLs, and those in its body."""
    if exchange.answer is None:
        return
    body = exchange.answer.body
    if exchange.kind is not None:
        path = links.of_url(exchange.route)
        if path is not None and exchange.status == 200:
            yield ShownPicture(cut_line(exchange.route.rpartition("/")[2], _LABEL_CHARACTERS), path)
        return
    seen: set[str] = set()
    for value in _values(body):
        path = links.of_url(value) if isinstance(value, str) else None
        if path is not None and path not in seen:
            seen.add(path)
            yield ShownPicture(cut_line(value.rpartition("/")[2], _LABEL_CHARACTERS), path)
    # Beside its URL, the same picture in Base64 is not shown once more.
    if not seen:
        yield from _recorded(body, links.of_output)


def _recorded(body: Any, link: Callable[[RecordedPicture], str | None]) -> Iterator[ShownPicture]:
    for value in _values(body):
        picture = RecordedPicture.read(value)
        if picture is not None:
            yield ShownPicture(cut_line(picture.words, _LABEL_CHARACTERS), link(picture))


def _values(value: Any) -> Iterator[Any]:
    """Yield the values within a JSON value, the outermost first and so many that a page of rows is made in little time."""
    waiting = [value]
    for _ in range(_MAX_VALUES):
        if not waiting:
            return
        inner = waiting.pop()
        yield inner
        waiting += reversed(inner.values() if is_object(inner) else inner if is_array(inner) else ())


def _url_label(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return cut_line(url, _LABEL_CHARACTERS)
    name = parts.path.rstrip("/").rpartition("/")[2]
    return cut_line(f"{parts.netloc}/…/{name}" if name else parts.netloc, _LABEL_CHARACTERS)


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A request or an answer in full: its headers, its body as text, and a remark where the body is not as it was sent."""

    headers: Mapping[str, str]
    body: str
    remark: str = ""


def message_of(headers: Mapping[str, str], body: Any, raw: Mapping[str, Any] | None) -> ShownMessage:
    """Return one side of an exchange in full."""
    shown = {visible(name): visible(value) for name, value in headers.items()}
    if raw is not None:
        size, digest = visible(str(raw.get("bytes"))), visible(str(raw.get("sha256")))
        remark = f"{size} bytes that are not JSON, or too large to keep (SHA-256 {digest}); this is their beginning"
        return ShownMessage(shown, visible_lines(str(raw.get("text", ""))), remark)
    if body is None:
        return ShownMessage(shown, "")
    text = json.dumps(body, ensure_ascii=False, indent=2)
    is_cut = len(text) > _MAX_BODY_CHARACTERS
    remark = f"the beginning of {len(text):,} characters; the exported line has them all" if is_cut else ""
    return ShownMessage(shown, visible_lines(text[:_MAX_BODY_CHARACTERS]), remark)


def findings_of(exchange: Exchange) -> list[Finding]:
    """Return the findings of an exchange, the gravest first."""
    return sorted(map(Finding.from_dict, exchange.findings), key=lambda finding: -finding.severity.rank)
