"""Media type and size in pixels of a picture, from the first bytes of its file."""

import base64
import re
import struct
from typing import NamedTuple

__all__ = ["BASE64_BEGINNINGS", "PictureKind", "file_format", "picture_kind"]

_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
# A box of ISO/IEC 14496-12 before its type: the length of the first one is less than 256, and so are three bytes of it zero.
_FIRST_BOX = b"\0\0\0"
BASE64_BEGINNINGS = tuple(
    base64.b64encode(start).decode()[: len(start) * 8 // 6] for start in (*_SIGNATURES, _FIRST_BOX)
)
"""The first characters of every picture in Base64. Other files may begin with them too: `picture_kind` decides."""

# Start of frame, by the markers of ITU-T T.81, table B.1; C4, C8 and CC are other segments.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}
# A file of nothing but short segments must not take seconds; a camera writes fewer than a hundred.
_MAX_JPEG_STEPS = 2_000
_OS2_HEADER_BYTES = 12
# The properties of an AVIF file stand before its data; an encoder writes less than two kilobytes of them.
_AVIF_HEADER_BYTES = 64 * 1024
_TIFF_WIDTH, _TIFF_HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_TIFF_SHORT = 3
# A tile may be larger than its picture, and is decoded whole.
_MAX_TILE_PIXELS = 16 * 1024 * 1024
_AVIF = re.compile(rb"\0\0\0.ftyp(?:avi[fs]|(?:mif1|msf1|miaf).{4}(?:.{4}){0,12}?avi[fs])", re.DOTALL)
# An SVG may have a comment and a document type before its first element.
_FORMAT_BYTES = 4096
# Formats that are no picture kind here, by the bytes that they begin with.
_OTHER_FORMATS = {
    "HEIC": re.compile(rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL),
    "SVG": re.compile(
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg\b", re.DOTALL
    ),
    "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ", re.DOTALL),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", re.DOTALL),
    "ICO": re.compile(rb"\0\0\x01\0[^\0]", re.DOTALL),
    "HTML": re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE),
    "PDF": re.compile(rb"%PDF-"),
    "JSON": re.compile(rb'\s*[\[{]\s*["\[{}\]]'),
}


class PictureKind(NamedTuple):
    """The media type of a picture, and its width and height in pixels as stored; None when the header is cut or states no size."""

    media_type: str
    pixels: tuple[int, int] | None


def picture_kind(data: bytes) -> PictureKind | None:
    """Return the kind of a JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF file by its signature and header; None for other bytes.

    No pixels are decoded: a file may have a good header and be broken after it. The EXIF orientation is not applied.
    """
    media_type = next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
    if media_type is None and data.startswith(_FIRST_BOX) and _AVIF.match(data):
        media_type = "image/avif"
    if media_type is None or (media_type == "image/webp" and data[8:12] != b"WEBP"):
        return None
    try:
        size = _SIZES[media_type](data)
    except struct.error:
        size = None
    return PictureKind(media_type, size if size is not None and min(size) > 0 else None)


def file_format(data: bytes) -> str | None:
    """Return the name of a format that is no `PictureKind`, such as HEIC, SVG or PDF, by the first bytes; None for unknown bytes."""
    beginning = data[:_FORMAT_BYTES]
    return next((name for name, begins in _OTHER_FORMATS.items() if begins.match(beginning)), None)


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


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    # TIFF 6.0, section 2: the first directory, whose entries have twelve bytes.
    order = "<" if data.startswith(b"II") else ">"
    (place,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, place)
    sides = dict.fromkeys((_TIFF_WIDTH, _TIFF_HEIGHT, _TILE_WIDTH, _TILE_HEIGHT), 0)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, form = struct.unpack_from(f"{order}HH", data, entry)
        if tag in sides:
            (sides[tag],) = struct.unpack_from(order + ("H" if form == _TIFF_SHORT else "I"), data, entry + 8)
    width, height, tile_width, tile_height = sides.values()
    return (width, height) if tile_width * tile_height <= max(_MAX_TILE_PIXELS, width * height) else None


def _avif_size(data: bytes) -> tuple[int, int] | None:
    # ISO/IEC 23008-12, 6.5.3: a box `ispe` for each size. A picture of tiles has theirs and its own, which is the largest.
    sizes: list[tuple[int, int]] = []
    place = 0
    while (place := data.find(b"ispe\0\0\0\0", place, _AVIF_HEADER_BYTES) + 8) >= 8:
        sizes.append(struct.unpack_from(">II", data, place))
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


_SIZES = {
    "image/jpeg": _jpeg_size,
    "image/png": _png_size,
    "image/gif": _gif_size,
    "image/webp": _webp_size,
    "image/bmp": _bmp_size,
    "image/tiff": _tiff_size,
    "image/avif": _avif_size,
}
