"""The content types of a success, the choice between them, and bodies that are not JSON."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Response, is_json_media_type

from bodydouble_mockserver.answer.files import file_of, is_made
from bodydouble_mockserver.answer.media import Media
from bodydouble_mockserver.asgi import write_json
from bodydouble_mockserver.errors import JSON

__all__ = ["Content", "choose_content", "content_of", "contents_of"]

_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_WAV = {"audio/*", "audio/vnd.wave", "audio/wav", "audio/wave", "audio/x-wav"}
_PNG = {"image/*", "image/png"}
_ANY_JSON = {"*/*", "application/*", "application/json"}
_QUALITY = re.compile(r"[0-9](\.[0-9]{0,3})?")
_MAX_RANGES = 50
_EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a success: its key in the contract, the header to send, the medium that is the body, and a notice for the user."""

    key: str
    header: bytes
    is_json: bool = False
    media: Media | None = None
    notice: str | None = None

    @property
    def is_empty(self) -> bool:
        """True where the contract documents no body."""
        return not self.header

    def encode(self, value: Any) -> bytes:
        """Return a value as the body."""
        if self.notice is not None:
            return b""
        file = file_of(self.key.partition(";")[0].strip().lower(), value)
        if file is not None:
            return file
        data = value.encode(errors="replace") if isinstance(value, str) else write_json(value)
        return b"data: " + data + b"\n\ndata: [DONE]\n\n" if self.key == _EVENTS else data


def contents_of(response: Response | None) -> list[Content]:
    """Return the contents that a response has, the usual one first: JSON, else a sound, a picture, or text; none is an empty body.

    Nothing is known of an undocumented response (None); it is an empty object.
    """
    if response is None:
        return [Content("", JSON, is_json=True)]
    return sorted(map(content_of, response.content), key=_rank) or [Content("", b"")]


def choose_content(contents: Sequence[Content], accept: bytes) -> Content:
    """Return the content that an Accept header prefers; the usual one where it prefers none, or accepts none."""
    ranges = [*_accepted(accept.decode("latin-1"))]
    return max(contents, key=lambda content: _quality(content, ranges)) if ranges else contents[0]


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    """Yield the media ranges of an Accept header, each with its quality."""
    for item in accept.lower().split(",")[:_MAX_RANGES]:
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        if name:
            yield name, float(quality) if _QUALITY.fullmatch(quality) else 0.0


def _quality(content: Content, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of a content: that of the most specific range that it is in, or 0."""
    name = content.header.decode("latin-1").partition(";")[0].strip().lower()
    by_name = dict(ranges)
    candidates = (content.key.lower(), name, f"{name.partition('/')[0]}/*", "*/*")
    return next((by_name[one] for one in candidates if one in by_name), 0.0)


def _rank(content: Content) -> int:
    if content.is_json:
        return 0 if content.header == JSON else 1
    return 2 if content.media is not None else 3 if content.notice is None else 4


def content_of(key: str) -> Content:
    """Return what the mock sends for a key of a contract's content."""
    name = key.partition(";")[0].strip().lower()
    header = key.encode() if _HEADER.fullmatch(key) else b"application/octet-stream"
    if name in _ANY_JSON or is_json_media_type(name):
        return Content(key, JSON if name in _ANY_JSON else header, is_json=True)
    if name in _WAV:
        return Content(key, _exact(name, header, b"audio/wav"), media=Media.AUDIO)
    if name in _PNG:
        return Content(key, _exact(name, header, b"image/png"), media=Media.IMAGE)
    if name.startswith("text/"):
        return Content(key, _exact(name, header, b"text/plain; charset=utf-8"))
    if is_made(name):
        return Content(key, header)
    return Content(key, header, notice=f"the mock makes no {key[:60]}; the body is empty")


def _exact(name: str, header: bytes, usual: bytes) -> bytes:
    return usual if name.endswith("/*") else header
