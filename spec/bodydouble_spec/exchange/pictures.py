"""Pictures in texts: data URIs and bare Base64, told from other texts, decoded and described."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pybase64

from bodydouble_spec.picture import BASE64_BEGINNINGS, file_format, picture_kind
from bodydouble_spec.values import is_array, is_object

__all__ = [
    "RecordedPicture",
    "decode_picture",
    "find_beginning",
    "first_picture",
    "may_hold_picture",
    "read_picture",
    "restore_pictures",
]

_MEMBER = "$picture"
_DATA_URI = re.compile(rb"(?:data|Data|DATA):([!-+\--:<-~]{0,100})(?:;[!-+\--~]{0,200})?;(?:base64|BASE64),")
# So many characters have the whole beginning of a data URI in them.
_BEGINNING_CHARACTERS = 400
_MIN_PICTURE_CHARACTERS = 32
# Base64 of this length counts as a picture, whatever it begins like.
_LONG_CHARACTERS = 1024
# So much Base64 (a multiple of four characters) has every signature in it.
_SIGNATURE_CHARACTERS = 24
_PREFIXES = (*BASE64_BEGINNINGS, *(start.replace("/", "_") for start in BASE64_BEGINNINGS), "data:", "Data:", "DATA:")
# Bare Base64 may be in lines, as e-mail and PEM have it; the shortest are 60 characters long. No word of a prompt is.
_LINE_CHARACTERS = 60
# The beginnings of strings that may be pictures, by their first characters or by their length. Some encoders escape the slash, the line ends
# of long Base64 are escaped, and the URL-safe alphabet has an underscore for the slash. The lookaheads are for speed.
_BEGINNING = re.compile(
    b'"(?!\\\\[^/])(?:(?=[\\\\_dD%b])(?:(?:data|Data|DATA):|%b)|(?=[A-Za-z0-9+/_\\\\-]{%d})(?=(?:[A-Za-z0-9+/_-]|\\\\/){%d}))'
    % (
        "".join(start[0] for start in BASE64_BEGINNINGS).encode(),
        "|".join(BASE64_BEGINNINGS).replace("/", r"(?:\\?/|_)").encode(),
        _LONG_CHARACTERS,
        _LINE_CHARACTERS,
    )
)
# So much of a text is searched in one go: the search does not let other threads run. Each part has the whole beginning of a string in it that
# starts in the part.
_PART_BYTES, _OVERLAP_BYTES = 1024 * 1024, 2 * _LONG_CHARACTERS
_LINE = re.compile(f"[A-Za-z0-9+/_-]{{{_LINE_CHARACTERS}}}")
_SIGNATURE = re.compile(f"[A-Za-z0-9+/_-]{{{_SIGNATURE_CHARACTERS}}}")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\n\r \t"
_LOOSE_CHARACTERS = ((b"-", b"+"), (b"_", b"/"), (b"\n", b""), (b"\r", b""), (b" ", b""), (b"\t", b""))


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """The description of a Base64 picture.

    ``sha256`` is the hash of the decoded bytes (`decode_picture`), ``media_type`` the type in the data URI or the one
    that its bytes begin like (None when unknown), ``size_bytes`` the size of the decoded picture, ``pixels`` its
    width and height by its header, and ``is_data_uri`` tells a data URI from bare Base64. ``other_format`` names a format that is no picture kind,
    such as HEIC or SVG; it is not recorded.
    """

    sha256: str
    media_type: str | None
    size_bytes: int
    pixels: tuple[int, int] | None
    is_data_uri: bool
    other_format: str | None = field(default=None, compare=False)

    @classmethod
    def of(cls, text: str) -> "RecordedPicture | None":
        """Describe the picture in a string; None when it is not a Base64 picture."""
        found = read_picture(text.encode("utf-8", "surrogatepass"))
        if found is None:
            return None
        return cls.describe(hashlib.sha256(found.data).hexdigest(), found)

    @classmethod
    def describe(cls, sha256: str, found: "PictureText") -> "RecordedPicture":
        """Describe a picture that was read from a text."""
        media_type, pixels = picture_kind(found.data) or (None, None)
        other_format = None if media_type is not None else file_format(found.data)
        if found.named_type is not None:
            media_type = found.named_type or None
        return cls(sha256, media_type, len(found.data), pixels, found.named_type is not None, other_format)

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

    @property
    def words(self) -> str:
        """The picture in words for a message: ``a data URI of 2,600,000 bytes (image/png, 800x600)``."""
        pixels = "" if self.pixels is None else f"{self.pixels[0]}x{self.pixels[1]}"
        known = ", ".join(filter(None, (self.media_type, pixels))) or "of no known type"
        return f"{'a data URI' if self.is_data_uri else 'Base64'} of {self.size_bytes:,} bytes ({known})"

    def encode(self, data: bytes, media_type: str) -> str:
        """Encode other bytes in the form of this picture: a data URI of that media type, or bare Base64."""
        text = base64.b64encode(data).decode()
        return f"data:{media_type};base64,{text}" if self.is_data_uri else text


def _begins_like_picture(beginning: str, length: int) -> bool:
    """Return whether a text of a length may be a picture, by its first characters."""
    if length < _MIN_PICTURE_CHARACTERS:
        return False
    if length >= _LONG_CHARACTERS and _LINE.match(beginning) is not None:
        return True
    if not beginning.startswith(_PREFIXES):
        return False
    if beginning[:5].lower() == "data:":
        return True
    signature = _SIGNATURE.match(beginning)
    return signature is not None and picture_kind(decode_picture(signature[0])) is not None


@dataclass(frozen=True, slots=True)
class PictureText:
    """A text that is a picture: its bytes, the place where its Base64 begins, and whether that is strict.

    ``named_type`` is the media type in a data URI in lower case, empty where it names none, and None in bare Base64.
    """

    data: bytes
    start: int
    is_strict: bool
    named_type: str | None


def read_picture(text: bytes | memoryview) -> PictureText | None:
    """Read a Base64 data URI, or bare Base64 that begins like a picture or has 1,024 characters; None for any other text.

    URL-safe letters, line ends and another padding make no difference.
    """
    if not _begins_like_picture(str(text[:_BEGINNING_CHARACTERS], "latin-1"), len(text)):
        return None
    uri = _DATA_URI.match(text)
    if uri is None and text[4:5] == b":":
        return None
    start = 0 if uri is None else uri.end()
    payload = memoryview(text)[start:]
    decoded = _decode_base64(payload) if len(payload) >= 4 else None
    return (
        None
        if decoded is None
        else PictureText(decoded[0], start, decoded[1], None if uri is None else uri[1].decode().lower())
    )


def may_hold_picture(data: bytes) -> bool:
    """Return whether a string in this JSON may be a picture by `RecordedPicture.of`.

    False is certain unless an escape stands for an ASCII letter.
    """
    return find_beginning(data, 0) >= 0


def find_beginning(data: bytes, place: int) -> int:
    """Return the place of the next quotation mark in a JSON text that may begin a picture; -1 where there is none."""
    while place < len(data):
        found = _BEGINNING.search(data, place, place + _PART_BYTES + _OVERLAP_BYTES)
        if found is not None:
            return found.start()
        place += _PART_BYTES
    return -1


def first_picture(data: bytes, end: int) -> int:
    """Return the place before ``end`` where a string in this JSON begins like a picture; ``end`` where none does."""
    found = _BEGINNING.search(data, 0, end)
    return end if found is None else found.start()


def _pixels(value: Any) -> tuple[int, int] | None:
    sides = [side for side in value if type(side) is int and side > 0] if is_array(value) else []
    return (sides[0], sides[1]) if len(sides) == 2 and len(value) == 2 else None


def _decode_base64(encoded: bytes | memoryview) -> tuple[bytes, bool] | None:
    """Decode Base64 and return whether it is strict; None for what is no Base64.

    Loose Base64 has the URL-safe alphabet, blanks and line ends, or a wrong padding.
    """
    try:
        return pybase64.b64decode(encoded, validate=True), True
    except (binascii.Error, ValueError):
        pass
    text = bytes(encoded)
    if text.translate(None, _BASE64):
        return None
    for loose, strict in _LOOSE_CHARACTERS:
        text = text.replace(loose, strict)
    bare = text.rstrip(b"=")
    if len(text) - len(bare) > 2:
        return None
    try:
        return pybase64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True), False
    except (binascii.Error, ValueError):
        return None


def decode_picture(text: str) -> bytes:
    """Decode a data URI or bare Base64 to bytes; return the text as UTF-8 when it is not Base64."""
    encoded = (text.partition(",")[2] if text[:5].lower() == "data:" else text).encode("utf-8", "surrogatepass")
    decoded = _decode_base64(encoded)
    return encoded if decoded is None else decoded[0]


def restore_pictures(body: Any, make: Callable[[RecordedPicture], str]) -> Any:
    """Return the recorded body ready to be sent again: ``make`` gives the string for each recorded picture."""
    picture = RecordedPicture.read(body)
    if picture is not None:
        return make(picture)
    if is_object(body):
        return {name: restore_pictures(value, make) for name, value in body.items()}
    return [restore_pictures(item, make) for item in body] if is_array(body) else body
