"""References to pictures: short texts that stand for the Base64 pictures of a body, so that its megabytes are read once.

A reference is itself a data URI or bare Base64: the beginning of the picture's text, its hash, and its last four characters. So it has the
type, alphabet and padding of the text that it replaces, and equal references are equal texts. What a schema says of the length of a text
cannot be decided by its reference; `whole_text_names` of the schema tells where it does.
"""

import binascii
import re
from collections.abc import Callable

import orjson
import pybase64

from bodydouble_spec.exchange.recorder import (
    LONG_CHARACTERS,
    LONG_STRING,
    MIN_PICTURE_CHARACTERS,
    PICTURE_BEGINNING,
    RecordedPicture,
    is_base64_picture,
)
from bodydouble_spec.picture import picture_kind

__all__ = ["picture_key", "refer_to_file", "refer_to_pictures", "refer_to_text"]

Put = Callable[[bytes], str]

_KEPT_CHARACTERS = 64
# Beyond this number the pictures of one body stay as they are; it bounds the work of a call.
_MAX_PICTURES = 1000
_DATA_URI = re.compile(rb"(?:data|Data|DATA):([!-+\--:<-~]{0,100})(?:;[!-+\--~]{0,200})?;(?:base64|BASE64),")
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
# After a string that is the name of a property.
_COLON = re.compile(rb"[ \t\n\r]*:")
_KEY = re.compile(r"([0-9a-f]{64})[A-Za-z0-9+/]{2}[A-Za-z0-9+/=]{2}$")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")


def refer_to_pictures(body: bytes, put: Put) -> tuple[bytes, dict[str, RecordedPicture]]:
    """Return a JSON text with references in the place of its Base64 pictures, and the description of each by its reference.

    ``put`` stores the decoded bytes and returns their SHA-256 hash. A picture is what `RecordedPicture.of` describes, in strict Base64; other
    texts stay. The text is JSON exactly if ``body`` is.
    """
    pictures: dict[str, RecordedPicture] = {}
    pieces: list[bytes] = []
    copied = place = 0
    while len(pictures) < _MAX_PICTURES:
        beginning = PICTURE_BEGINNING.search(body, place)
        candidate = LONG_STRING.search(body, place, len(body) if beginning is None else beginning.start()) or beginning
        if candidate is None:
            break
        start = candidate.start() + 1
        place = body.find(b'"', start)
        if place < 0:
            break
        if body[start - 2 : start - 1] == b"\\":  # a quotation mark inside a string
            continue
        encoded = memoryview(body)[start:place]
        if body.find(b"\\", start, place) >= 0:
            place = _REST_OF_STRING.match(body, start).end()  # type: ignore[union-attr] # it also matches nothing
            encoded = memoryview(_unescaped(body[start:place]))
        place += 1
        found = None if _COLON.match(body, place) else refer_to_text(encoded, put)
        if found is not None:
            reference, pictures[reference] = found
            pieces += (body[copied:start], reference.encode())
            copied = place - 1
    return (b"".join((*pieces, body[copied:])), pictures) if pieces else (body, pictures)


def _unescaped(string: bytes) -> bytes:
    try:
        text: str = orjson.loads(b'"%b"' % string)
        return text.encode()
    except (orjson.JSONDecodeError, UnicodeError):
        return b""


def refer_to_text(encoded: bytes | memoryview, put: Put) -> tuple[str, RecordedPicture] | None:
    """Return the reference and description of one text, or None for a text that stays as it is."""
    uri = _DATA_URI.match(encoded)
    payload = memoryview(encoded)[0 if uri is None else uri.end() :]
    if len(encoded) < MIN_PICTURE_CHARACTERS or len(payload) < 4:
        return None
    if uri is None and len(encoded) < LONG_CHARACTERS and not is_base64_picture(str(encoded, "latin-1")):
        return None
    try:
        data = pybase64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None
    key = put(data)
    media_type, pixels = picture_kind(data) or (None, None)
    if uri is not None:
        media_type = uri[1].decode().lower() or None
    kept = min(_KEPT_CHARACTERS, len(payload) - 4)
    head = encoded[: (0 if uri is None else uri.end()) + kept]
    reference = f"{str(head, 'ascii')}{key}{str(encoded[-4:], 'ascii')}"
    return reference, RecordedPicture(key, media_type, len(data), pixels, uri is not None)


def refer_to_file(data: bytes, media_type: str, put: Put) -> tuple[str, RecordedPicture]:
    """Store a file that was sent as such, and return its reference and description; ``media_type`` is the one that was sent."""
    key = put(data)
    kind = picture_kind(data)
    named = media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(named) or (kind is not None and named == "application/octet-stream"):
        named = "application/octet-stream" if kind is None else kind.media_type
    beginning = data[: min(_KEPT_CHARACTERS * 3 // 4, len(data) // 3 * 3)]
    text = f"data:{named};base64,{pybase64.b64encode(beginning).decode()}{key}AAAA"
    return text, RecordedPicture(key, named, len(data), None if kind is None else kind.pixels, is_data_uri=False)


def picture_key(text: str) -> str | None:
    """Return the hash in a reference; None for a text that is none."""
    found = _KEY.search(text[-68:])
    return None if found is None else found[1]
