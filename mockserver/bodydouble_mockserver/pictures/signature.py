"""Media type and size in pixels of an image file, from its first bytes."""

import struct

__all__ = ["media_type", "screen_size"]

_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}


def media_type(data: bytes) -> str | None:
    """Return the media type by the file's signature: JPEG, PNG, GIF, WebP or BMP; None for anything else."""
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def screen_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels of a GIF or WebP file, or None when the header is incomplete or unknown.

    Only these two are read here: Pillow allocates their pixels on opening, and refuses a large one without its size.
    """
    try:
        return _gif_size(data) if media_type(data) == "image/gif" else _webp_size(data)
    except struct.error:
        return None


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


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
