"""Recording of a body: its JSON without secrets and pictures, or a description when it is not JSON or too large."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pybase64

from bodydouble_spec.exchange.redaction import REDACTED, Redactor, is_secret_name
from bodydouble_spec.picture import BASE64_BEGINNINGS, picture_kind
from bodydouble_spec.values import is_array, is_object

__all__ = [
    "ReadBody",
    "RecordedPicture",
    "decode_picture",
    "is_plain_json",
    "record_body",
    "record_value",
    "restore_pictures",
]

_MEMBER = "$picture"
_DATA_URI = re.compile(r"(?:data|Data|DATA):([^,;\s]{0,100})(?:;[^,\s]{0,200})?;(?:base64|BASE64),")
MIN_PICTURE_CHARACTERS = 32
# Base64 of this length counts as a picture, whatever it begins like.
LONG_CHARACTERS = 1024
# So much Base64 (a multiple of four characters) has every signature in it.
_SIGNATURE_CHARACTERS = 24
_PREFIXES = (*BASE64_BEGINNINGS, "data:", "Data:", "DATA:")
# The beginnings of strings that may be pictures. Some encoders escape the slash. The lookahead is for speed: most strings are names and texts.
PICTURE_BEGINNING = re.compile(
    b'"(?=[\\\\dD%b])(?:(?:data|Data|DATA):|%b)'
    % (
        "".join(start[0] for start in BASE64_BEGINNINGS).encode(),
        "|".join(BASE64_BEGINNINGS).replace("/", r"\\?/").encode(),
    )
)
LONG_STRING = re.compile(rb'"(?:[A-Za-z0-9+_-]|\\?/){%d}' % LONG_CHARACTERS)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """The description of a Base64 picture.

    ``sha256`` is the hash of the decoded bytes (`decode_picture`), ``media_type`` the type in the data URI or the one
    that its bytes begin like (None when unknown), ``size_bytes`` the size of the decoded picture, ``pixels`` its
    width and height by its header, and ``is_data_uri`` tells a data URI from bare Base64.
    """

    sha256: str
    media_type: str | None
    size_bytes: int
    pixels: tuple[int, int] | None
    is_data_uri: bool

    @classmethod
    def of(cls, text: str) -> "RecordedPicture | None":
        """Describe the picture in a string; None when it is not a Base64 picture."""
        if not is_base64_picture(text):
            return None
        uri = _DATA_URI.match(text)
        data = decode_picture(text)
        media_type, pixels = picture_kind(data) or (None, None)
        if uri is not None:
            media_type = uri[1].lower() or None
        return cls(hashlib.sha256(data).hexdigest(), media_type, len(data), pixels, uri is not None)

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
    if len(text) < MIN_PICTURE_CHARACTERS or (len(text) < LONG_CHARACTERS and not text.startswith(_PREFIXES)):
        return False
    if _DATA_URI.match(text) is not None:
        return True
    return _BASE64.fullmatch(text) is not None and (
        len(text) >= LONG_CHARACTERS or picture_kind(decode_picture(text[:_SIGNATURE_CHARACTERS])) is not None
    )


def may_hold_picture(data: bytes) -> bool:
    """Return whether a string in this JSON may be a picture by `is_base64_picture`.

    False is certain unless an escape stands for an ASCII letter.
    """
    return PICTURE_BEGINNING.search(data) is not None or LONG_STRING.search(data) is not None


def _pixels(value: Any) -> tuple[int, int] | None:
    sides = [side for side in value if type(side) is int and side > 0] if is_array(value) else []
    return (sides[0], sides[1]) if len(sides) == 2 and len(value) == 2 else None


def decode_picture(text: str) -> bytes:
    """Decode a data URI or bare Base64 to bytes; return the text as UTF-8 when it is not Base64."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        # The fast decoder is strict; the other one skips characters that are not Base64.
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        pass
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


_MAX_TEXT_CHARACTERS = 20_000
_MAX_CHARACTERS = 200_000
_MAX_VALUES = 10_000
_MAX_DEPTH = 64
_DESCRIBED_CHARACTERS = 200
# A body up to this length can exceed none of the bounds above but the depth.
_SHORT_BYTES = 8_000


class _TooLarge(ValueError):
    """The value has more in it than a record may hold."""


@dataclass(slots=True)
class ReadBody:
    """A body that was parsed already: its value, that value as JSON, and its pictures by their references in both."""

    value: Any
    text: bytes
    pictures: Mapping[str, RecordedPicture]


def record_body(data: bytes, redactor: Redactor, read: ReadBody | None = None) -> tuple[Any, dict[str, Any] | None]:
    """Record a body: return (JSON value, None), or (None, description) when it is not JSON, is ``null`` or is too large.

    A description has ``bytes``, ``sha256`` and ``text``, the first 200 characters. An empty body gives (None, None). With ``read``
    the body is not parsed again.
    """
    if not data:
        return None, None
    try:
        if read is None:
            read = ReadBody(orjson.loads(data), data, {})
        body = read.value
        # Most bodies are kept whole; a copy value by value would take several times as long.
        if read.pictures or not redactor.is_plain(read.text) or not is_plain_json(read.text, body):
            body = _ValueRecorder(redactor, read.pictures).value(body, 0)
    except (orjson.JSONDecodeError, _TooLarge):
        body = None
    if body is not None:
        return body, None
    start = data[: 4 * (_DESCRIBED_CHARACTERS + redactor.margin)].decode("utf-8", "replace")
    digest = hashlib.sha256(data).hexdigest()
    return None, {"bytes": len(data), "sha256": digest, "text": redactor.raw(start, _DESCRIBED_CHARACTERS)}


def is_plain_json(data: bytes, value: Any, *, may_have_picture: bool | None = None) -> bool:
    """Return True when this JSON (UTF-8, ``value`` parsed) is small and has no secret name and no picture.

    False means unknown. For texts that passed `Redactor.is_plain`. ``may_have_picture`` is `may_hold_picture` where it is known.
    """
    return (
        len(data) <= _SHORT_BYTES
        and data.count(b"{") + data.count(b"[") < _MAX_DEPTH
        and not (may_hold_picture(data) if may_have_picture is None else may_have_picture)
        and not _has_secret_name(value)
    )


def _has_secret_name(value: Any) -> bool:
    if is_object(value):
        if any(map(is_secret_name, value)):
            return True
        value = value.values()
    elif not is_array(value):
        return False
    for member in value:
        kind = member.__class__
        if (kind is dict or kind is list) and _has_secret_name(member):
            return True
    return False


def record_value(value: Any, redactor: Redactor) -> Any:
    """Return a JSON value without secrets, with each Base64 picture as a `RecordedPicture` and texts cut at 20,000 characters.

    Raises ValueError for more than 10,000 values or 200,000 characters; `record_body` describes such a body.
    """
    return _ValueRecorder(redactor, {}).value(value, 0)


class _ValueRecorder:
    def __init__(self, redactor: Redactor, pictures: Mapping[str, RecordedPicture]) -> None:
        self._redactor = redactor
        self._pictures = pictures
        self._values = 0
        self._characters = 0

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int | float):
            return self._redactor.number(value)
        if depth >= _MAX_DEPTH:
            return f"[nested deeper than {_MAX_DEPTH}]"
        if is_object(value):
            self._count(len(value))
            return self._members(value, depth)
        if is_array(value):
            self._count(len(value))
            return [self.value(item, depth + 1) for item in value]
        return self._text(str(value))

    def _members(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, member in value.items():
            shown = self._redacted(name)
            # Two names may be equal after redaction.
            while shown in kept:
                shown += "*"
            if is_secret_name(name) and member is not None and not isinstance(member, bool):
                kept[shown] = REDACTED
            else:
                kept[shown] = self.value(member, depth + 1)
        return kept

    def _text(self, text: str) -> Any:
        picture = self._pictures.get(text) or RecordedPicture.of(text)
        return self._redacted(text) if picture is None else picture.to_dict()

    def _redacted(self, text: str) -> str:
        length = len(text)
        if length <= _MAX_TEXT_CHARACTERS:
            kept = self._redactor.text(text)
        else:
            kept = self._redactor.text(text[: _MAX_TEXT_CHARACTERS + self._redactor.margin])[:_MAX_TEXT_CHARACTERS]
            kept += f"… [cut; {length:,} characters in all]"
        self._characters += len(kept)
        if self._characters > _MAX_CHARACTERS:
            raise _TooLarge
        return kept

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MAX_VALUES:
            raise _TooLarge
