"""References to pictures: short texts that stand for the Base64 pictures of a body, so that its megabytes are read once.

A reference is itself a data URI or bare Base64: the beginning of the picture's text, its hash, and its last four characters. So it has the
type, alphabet and padding of the text that it replaces, and equal references are equal texts. What a schema says of the length of a text
cannot be decided by its reference; `whole_text_names` of the schema tells where it does.
"""

import re
import zlib
from collections.abc import Callable

import orjson
import pybase64

from bodydouble_spec.exchange.pictures import (
    RecordedPicture,
    decode_picture,
    find_beginning,
    read_picture,
)
from bodydouble_spec.picture import file_format, picture_kind

__all__ = ["picture_beginning", "picture_key", "refer_to_file", "refer_to_pictures", "refer_to_text"]

Put = Callable[[bytes], str]

_KEPT_CHARACTERS = 64
_MEDIA_TYPE_CHARACTERS = 400
# So many texts of one body that begin like a picture are read, equal ones included; the others stay as they are. It bounds the work of a call.
_MAX_READ = 1000
# After a string that is the name of a property.
_COLON = re.compile(rb"[ \t\n\r]*:")
_KEY = re.compile(r"([0-9a-f]{64})[A-Za-z0-9+/_=\s-]{4}")
# Characters of loose Base64: each that a text has stands in its reference too.
_LOOSE = b"-_ \t\r\n"
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")


def refer_to_pictures(body: bytes, put: Put) -> tuple[bytes, dict[str, RecordedPicture]]:
    """Return a JSON text with references in the place of its Base64 pictures, and the description of each by its reference.

    ``put`` stores the decoded bytes and returns their SHA-256 hash. A picture is what `RecordedPicture.of` describes; other texts stay, and so
    does what only looks like Base64. The text is JSON exactly if ``body`` is.
    """
    pictures: dict[str, RecordedPicture] = {}
    pieces: list[bytes] = []
    copied = place = read = 0
    while read < _MAX_READ:
        start = find_beginning(body, place) + 1
        if not start:
            break
        place = _end_of_string(body, start)
        if place < 0:
            break
        if body[start - 2 : start - 1] == b"\\" or body[place - 1 : place] == b"\\":
            continue  # a quotation mark inside a string, or a string with one in it
        encoded = memoryview(body)[start:place]
        if body.find(b"\\", start, place) >= 0:
            encoded = memoryview(_unescaped(body[start:place]))
        place += 1
        read += 1
        found = None if _COLON.match(body, place) else refer_to_text(encoded, put)
        if found is not None:
            reference, pictures[reference] = found
            pieces += (body[copied:start], orjson.dumps(reference)[1:-1])
            copied = place - 1
    return (b"".join((*pieces, body[copied:])), pictures) if pieces else (body, pictures)


def _end_of_string(body: bytes, start: int) -> int:
    """Return the place of the quotation mark that ends a string, of an earlier one where it cannot be a picture; -1 where none does."""
    place = body.find(b'"', start)
    # Only the media type of a data URI has others.
    while 0 <= place < start + _MEDIA_TYPE_CHARACTERS and _is_escaped(body[start:place]):
        place = body.find(b'"', place + 1)
    return place


def _is_escaped(before: bytes) -> bool:
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _unescaped(string: bytes) -> bytes:
    try:
        text: str = orjson.loads(b'"%b"' % string)
        return text.encode()
    except (orjson.JSONDecodeError, UnicodeError):
        return b""


def refer_to_text(encoded: bytes | memoryview, put: Put) -> tuple[str, RecordedPicture] | None:
    """Return the reference and description of one text, or None for a text that stays as it is."""
    found = read_picture(encoded)
    if found is None:
        return None
    key = put(found.data)
    payload = memoryview(encoded)[found.start :]
    # A text without padding has a reference whose length divided by four leaves the same rest.
    kept = min(_KEPT_CHARACTERS + len(payload) % 4, len(payload) - 4)
    marks = "" if found.is_strict else _marks(payload, kept)
    head, tail = str(encoded[: found.start + kept], "ascii"), str(encoded[-4:], "ascii")
    return f"{head}{marks}{key}{tail}", RecordedPicture.describe(key, found)


def _marks(payload: memoryview, kept: int) -> str:
    """Return the loose characters of a text between what its reference shows, with a checksum that tells it from others for the same bytes."""
    text = bytes(payload)
    found = "".join(chr(character) for character in _LOOSE if text.find(character, kept, -4) >= 0)
    return f"{found}{zlib.crc32(text):08x}{'A' * (-len(found) % 4)}" if found else ""


def refer_to_file(data: bytes, media_type: str, put: Put) -> tuple[str, RecordedPicture]:
    """Store a file that was sent as such, and return its reference and description; ``media_type`` is the one that was sent."""
    key = put(data)
    kind = picture_kind(data)
    named = media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(named) or (kind is not None and named == "application/octet-stream"):
        named = "application/octet-stream" if kind is None else kind.media_type
    beginning = data[: min(_KEPT_CHARACTERS * 3 // 4, len(data) // 3 * 3)]
    text = f"data:{named};base64,{pybase64.b64encode(beginning).decode()}{key}AAAA"
    pixels, other_format = (None, file_format(data)) if kind is None else (kind.pixels, None)
    return text, RecordedPicture(key, named, len(data), pixels, is_data_uri=False, other_format=other_format)


def picture_beginning(reference: str) -> bytes:
    """Return the first bytes of the picture behind a reference, at most about fifty."""
    start = reference.find(",") + 1 if reference[:5].lower() == "data:" else 0
    encoded = "".join(reference[start:-68][:_KEPT_CHARACTERS].split())
    return decode_picture(encoded[: len(encoded) // 4 * 4])


def picture_key(text: str) -> str | None:
    """Return the hash in a reference; None for any other text."""
    found = _KEY.fullmatch(text[-68:])
    return None if found is None else found[1]
