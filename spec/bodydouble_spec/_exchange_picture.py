"""A picture in a recorded body: a description in place of its Base64, enough to put another picture there."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bodydouble_spec._json import is_array, is_object

__all__ = [
    "MIN_PICTURE_CHARACTERS",
    "PixelSize",
    "RecordedPicture",
    "decode_picture",
    "is_base64_picture",
    "may_hold_picture",
    "restore_pictures",
]

PixelSize = Callable[[bytes], tuple[int, int] | None]

_MEMBER = "$picture"
_DATA_URI = re.compile(r"(?:data|Data|DATA):([^,;\s]{0,100})(?:;[^,\s]{0,200})?;(?:base64|BASE64),")
# The first Base64 characters of a picture. Any other Base64 text of at least `_LONG_CHARACTERS` counts as a picture too.
_SIGNATURES = {
    "/9j/": "image/jpeg",
    "iVBORw0KGgo": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "Qk": "image/bmp",
}
MIN_PICTURE_CHARACTERS = 32
_LONG_CHARACTERS = 1024
_PREFIXES = (*_SIGNATURES, "data:", "Data:", "DATA:")
_QUOTED_PREFIX = re.compile(f'"(?:{"|".join(_PREFIXES)})'.encode())
_LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _LONG_CHARACTERS)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """The description of a Base64 picture.

    ``sha256`` is the hash of the decoded bytes (`decode_picture`), ``media_type`` the type in the data URI or the one
    that the Base64 begins like (None when unknown), ``size_bytes`` the size of the decoded picture, ``pixels`` its
    width and height where they were read, and ``is_data_uri`` tells a data URI from bare Base64.
    """

    sha256: str
    media_type: str | None
    size_bytes: int
    pixels: tuple[int, int] | None
    is_data_uri: bool

    @classmethod
    def of(cls, text: str, pixel_size: PixelSize | None = None) -> "RecordedPicture | None":
        """Describe the picture in a string; None when it is not a Base64 picture."""
        if not is_base64_picture(text):
            return None
        uri = _DATA_URI.match(text)
        if uri is None:
            media_type = next((kind for start, kind in _SIGNATURES.items() if text.startswith(start)), None)
        else:
            media_type = uri[1].lower() or None
        data = decode_picture(text)
        size = None if pixel_size is None else pixel_size(data)
        return cls(hashlib.sha256(data).hexdigest(), media_type, len(data), size, uri is not None)

    @classmethod
    def read(cls, value: Any) -> "RecordedPicture | None":
        """Read the description from a JSON value of a recorded body; None for any other value."""
        inner = value.get(_MEMBER) if is_object(value) and len(value) == 1 else None
        if not is_object(inner):
            return None
        digest, media_type, size, pixels = (inner.get(name) for name in ("sha256", "media_type", "bytes", "pixels"))
        if not isinstance(digest, str) or type(size) is not int or not isinstance(media_type, str | None):
            return None
        return cls(digest, media_type, size, _pixels(pixels), inner.get("data_uri") is True)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value of the recorded body: an object with the one member ``$picture``."""
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
        """Encode other bytes in the form of this picture: a data URI of that media type, or bare Base64."""
        text = base64.b64encode(data).decode()
        return f"data:{media_type};base64,{text}" if self.is_data_uri else text


def is_base64_picture(text: str) -> bool:
    """Return whether a string is a Base64 data URI, or bare Base64 that begins like a picture or has 1,024 characters."""
    if len(text) < MIN_PICTURE_CHARACTERS or (len(text) < _LONG_CHARACTERS and not text.startswith(_PREFIXES)):
        return False
    return _DATA_URI.match(text) is not None or _BASE64.fullmatch(text) is not None


def may_hold_picture(data: bytes) -> bool:
    """Return whether a string in this JSON may be a picture by `is_base64_picture`.

    False is certain unless an escape stands for an ASCII letter.
    """
    return _QUOTED_PREFIX.search(data) is not None or (
        len(data) >= _LONG_CHARACTERS and _LONG_BASE64.search(data) is not None
    )


def _pixels(value: Any) -> tuple[int, int] | None:
    sides = [side for side in value if type(side) is int and side > 0] if is_array(value) else []
    return (sides[0], sides[1]) if len(sides) == 2 and len(value) == 2 else None


def decode_picture(text: str) -> bytes:
    """Decode a data URI or bare Base64 to bytes; return the text as UTF-8 when it is not Base64."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return encoded.encode("utf-8", "surrogatepass")


def restore_pictures(body: Any, make: Callable[[RecordedPicture], str]) -> Any:
    """Return the recorded body ready to be sent again: ``make`` gives the string for each recorded picture."""
    picture = RecordedPicture.read(body)
    if picture is not None:
        return make(picture)
    if is_object(body):
        return {name: restore_pictures(value, make) for name, value in body.items()}
    return [restore_pictures(item, make) for item in body] if is_array(body) else body
