"""Media type and size in pixels of a picture, from the first bytes of its file."""

import base64
import struct
from typing import NamedTuple

__all__ = ["BASE64_BEGINNINGS", "PictureKind", "picture_kind"]

_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
}
BASE64_BEGINNINGS = tuple(base64.b64encode(start).decode()[: len(start) * 8 // 6] for start in _SIGNATURES)
"""The first characters of every picture in Base64. Other files may begin with them too: `picture_kind` decides."""

# Start of frame, by the markers of ITU-T T.81, table B.1; C4, C8 and CC are other segments.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}
# A file of nothing but short segments must not take seconds; a camera writes fewer than a hundred.
_MAX_JPEG_STEPS = 2_000
_OS2_HEADER_BYTES = 12


class PictureKind(NamedTuple):
    """The media type of a picture, and its width and height in pixels as stored; None when the header is cut or states no size."""

    media_type: str
    pixels: tuple[int, int] | None


def picture_kind(data: bytes) -> PictureKind | None:
    """Return the kind of a JPEG, PNG, GIF, WebP or BMP file by its signature and header; None for any other bytes.

    No pixels are decoded: a file may have a good header and be broken after it. The EXIF orientation is not applied.
    """
    media_type = next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
    if media_type is None or (media_type == "image/webp" and data[8:12] != b"WEBP"):
        return None
    try:
        size = _SIZES[media_type](data)
    except struct.error:
        size = None
    return PictureKind(media_type, size if size is not None and min(size) > 0 else None)


def _png_size(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" else None


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == _OS2_HEADER_BYTES else "<ii", data, 18)
    # A negative height means that the rows are stored from top to bottom.
    return width, abs(height)


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    place = 2
    for _ in range(_MAX_JPEG_STEPS):
        filler, marker = struct.unpack_from("BB", data, place)
        if filler != 0xFF:
            return None
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        if marker == 0xFF:
            place += 1
        elif marker in _JPEG_BARE_MARKERS:
            place += 2
        else:
            (length,) = struct.unpack_from(">H", data, place + 2)
            place += 2 + length
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    # RFC 9649, sections 2.5 to 2.7: the first chunk is lossy, lossless or extended.
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (packed,) = struct.unpack_from("<I", data, 21)
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8X":
            wide, wide_high, tall, tall_high = struct.unpack_from("<HBHB", data, 24)
            return (wide_high << 16 | wide) + 1, (tall_high << 16 | tall) + 1
        case _:
            return None


_SIZES = {
    "image/jpeg": _jpeg_size,
    "image/png": _png_size,
    "image/gif": _gif_size,
    "image/webp": _webp_size,
    "image/bmp": _bmp_size,
}
