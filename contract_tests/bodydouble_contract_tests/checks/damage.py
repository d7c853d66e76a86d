"""Faults in a picture's bytes that many programs do not notice."""

import zlib
from collections.abc import Callable

__all__ = ["picture_damage"]

_PNG_HEAD = 8
# Some encoders and hosts pad a file.
_PADDING = b"\x00\r\n "


def picture_damage(data: bytes, media_type: str | None) -> str | None:
    """Return the first fault in the frame of a picture, in words, None when it is whole.

    PNG: the checksum of each chunk, and the chunk that ends the file. JPEG and GIF: the marker that ends the file. WebP: the length in its header. Other
    formats have none of these.
    """
    examine = _EXAMINERS.get(media_type or "")
    return None if examine is None else examine(data)


def _of_png(data: bytes) -> str | None:
    at = _PNG_HEAD
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 12 + size
        if end > len(data):
            return f"it ends within a chunk, at byte {len(data):,}"
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"the checksum of its chunk {kind.decode('latin-1')!r} at byte {at:,} is wrong"
        if kind == b"IEND":
            return None
        at = end
    return "its last chunk, IEND, is missing"


def _of_jpeg(data: bytes) -> str | None:
    return None if data.rstrip(_PADDING).endswith(b"\xff\xd9") else "its end marker (FF D9) is missing"


def _of_gif(data: bytes) -> str | None:
    return None if data.rstrip(_PADDING).endswith(b";") else "its end marker (3B) is missing"


def _of_webp(data: bytes) -> str | None:
    stated = int.from_bytes(data[4:8], "little") + 8
    return None if stated <= len(data) else f"its header states {stated:,} bytes, and it has {len(data):,}"


_EXAMINERS: dict[str, Callable[[bytes], str | None]] = {
    "image/png": _of_png,
    "image/jpeg": _of_jpeg,
    "image/gif": _of_gif,
    "image/webp": _of_webp,
}
