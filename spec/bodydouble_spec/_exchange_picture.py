"""A picture in a recorded body: what is known of it stands where its Base64 was, enough to put another one in its place."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bodydouble_spec._json import is_array, is_object

__all__ = [
    "SHORTEST_PICTURE",
    "PixelSize",
    "RecordedPicture",
    "begins_picture",
    "decode_picture",
    "is_base64_picture",
    "restore_pictures",
]

PixelSize = Callable[[bytes], tuple[int, int] | None]

_MEMBER = "$picture"
_DATA_URI = re.compile(r"(?:data|Data|DATA):([^,;\s]{0,100})(?:;[^,\s]{0,200})?;(?:base64|BASE64),")
# How the Base64 of a picture begins; a text without spaces that does not is a picture all the same when it is this long.
_BEGINNINGS = {
    "/9j/": "image/jpeg",
    "iVBORw0KGgo": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "Qk": "image/bmp",
}
SHORTEST_PICTURE = 32
_LONG = 1024
_STARTS = (*_BEGINNINGS, "data:", "Data:", "DATA:")
_BEGINNING = re.compile(f'"(?:{"|".join(_STARTS)})'.encode())
_LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _LONG)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """What is kept of a Base64 picture.

    ``sha256`` is of the decoded bytes (`decode_picture`), ``media_type`` as the data URI declares it or as the Base64 begins (None when
    neither tells), ``size_bytes`` of the decoded picture, ``pixels`` width and height where they were read, ``is_data_uri`` whether it was
    sent as a data URI or as bare Base64.
    """

    sha256: str
    media_type: str | None
    size_bytes: int
    pixels: tuple[int, int] | None
    is_data_uri: bool

    @classmethod
    def of(cls, text: str, pixel_size: PixelSize | None = None) -> "RecordedPicture | None":
        """The picture that a string is, or None when it is no Base64 picture."""
        if not is_base64_picture(text):
            return None
        uri = _DATA_URI.match(text)
        if uri is None:
            media_type = next((kind for start, kind in _BEGINNINGS.items() if text.startswith(start)), None)
        else:
            media_type = uri[1].lower() or None
        data = decode_picture(text)
        size = None if pixel_size is None else pixel_size(data)
        return cls(hashlib.sha256(data).hexdigest(), media_type, len(data), size, uri is not None)

    @classmethod
    def read(cls, value: Any) -> "RecordedPicture | None":
        """The picture that a JSON value of a recorded body stands for; None for any other value."""
        inner = value.get(_MEMBER) if is_object(value) and len(value) == 1 else None
        if not is_object(inner):
            return None
        digest, media_type, size, pixels = (inner.get(name) for name in ("sha256", "media_type", "bytes", "pixels"))
        if not isinstance(digest, str) or type(size) is not int or not isinstance(media_type, str | None):
            return None
        return cls(digest, media_type, size, _pixels(pixels), inner.get("data_uri") is True)

    def to_dict(self) -> dict[str, Any]:
        """The JSON value that stands in the recorded body: an object with the one member ``$picture``."""
        return {
            _MEMBER: {
                "sha256": self.sha256,
                "media_type": self.media_type,
                "bytes": self.size_bytes,
                "pixels": None if self.pixels is None else list(self.pixels),
                "data_uri": self.is_data_uri,
            }
        }

    def encode(self, data: bytes, media_type: str) -> str:
        """Other bytes, written as this picture was sent: a data URI of that media type, or bare Base64."""
        text = base64.b64encode(data).decode()
        return f"data:{media_type};base64,{text}" if self.is_data_uri else text


def is_base64_picture(text: str) -> bool:
    """Whether a string is a Base64 data URI, or bare Base64 that begins like a picture or has 1,024 characters."""
    if len(text) < SHORTEST_PICTURE or (len(text) < _LONG and not text.startswith(_STARTS)):
        return False
    return _DATA_URI.match(text) is not None or _BASE64.fullmatch(text) is not None


def begins_picture(data: bytes) -> bool:
    """Whether a string in this JSON may be a picture by `is_base64_picture`; False is certain where no escape stands for an ASCII letter."""
    return _BEGINNING.search(data) is not None or (len(data) >= _LONG and _LONG_BASE64.search(data) is not None)


def _pixels(value: Any) -> tuple[int, int] | None:
    sides = [side for side in value if type(side) is int and side > 0] if is_array(value) else []
    return (sides[0], sides[1]) if len(sides) == 2 and len(value) == 2 else None


def decode_picture(text: str) -> bytes:
    """The bytes of a data URI or of bare Base64; the text itself as UTF-8 when it is not Base64."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return encoded.encode("utf-8", "surrogatepass")


def restore_pictures(body: Any, make: Callable[[RecordedPicture], str]) -> Any:
    """The recorded body as it could be sent again: ``make`` gives a string (data URI or Base64) for each recorded picture."""
    picture = RecordedPicture.read(body)
    if picture is not None:
        return make(picture)
    if is_object(body):
        return {name: restore_pictures(value, make) for name, value in body.items()}
    return [restore_pictures(item, make) for item in body] if is_array(body) else body
