"""The content type of a success, and bodies that are no JSON."""

import re
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Response

from bodydouble_mockserver.answer.media import Media
from bodydouble_mockserver.asgi import write_json
from bodydouble_mockserver.errors import JSON

__all__ = ["Content", "choose_content", "content_of"]

_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_WAV = {"audio/*", "audio/vnd.wave", "audio/wav", "audio/wave", "audio/x-wav"}
_PNG = {"image/*", "image/png"}
_ANY_JSON = {"*/*", "application/*", "application/json"}
_EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a success: its key in the contract, the header to send, the medium that is the body, and a notice for the user."""

    key: str
    header: bytes
    is_json: bool = False
    media: Media | None = None
    notice: str | None = None

    def encode(self, value: Any) -> bytes:
        """Return a value as the body."""
        if self.notice is not None:
            return b""
        data = value.encode(errors="replace") if isinstance(value, str) else write_json(value)
        return b"data: " + data + b"\n\ndata: [DONE]\n\n" if self.key == _EVENTS else data


def choose_content(response: Response | None) -> Content:
    """Return the content that the mock sends: JSON where the contract has it, else a sound, a picture, or text."""
    contents = [content_of(key) for key in (() if response is None else response.content)]
    return min(contents, key=_rank, default=Content("", JSON, is_json=True))


def _rank(content: Content) -> int:
    if content.is_json:
        return 0 if content.header == JSON else 1
    return 2 if content.media is not None else 3 if content.notice is None else 4


def content_of(key: str) -> Content:
    """Return what the mock sends for a key of a contract's content."""
    name = key.partition(";")[0].strip().lower()
    header = key.encode() if _HEADER.fullmatch(key) else b"application/octet-stream"
    if name in _ANY_JSON or name.endswith(("/json", "+json")):
        return Content(key, JSON if name in _ANY_JSON else header, is_json=True)
    if name in _WAV:
        return Content(key, _exact(name, header, b"audio/wav"), media=Media.AUDIO)
    if name in _PNG:
        return Content(key, _exact(name, header, b"image/png"), media=Media.IMAGE)
    if name.startswith("text/"):
        return Content(key, _exact(name, header, b"text/plain; charset=utf-8"))
    return Content(key, header, notice=f"no {key[:60]} is made; the body is empty")


def _exact(name: str, header: bytes, usual: bytes) -> bytes:
    return usual if name.endswith("/*") else header
