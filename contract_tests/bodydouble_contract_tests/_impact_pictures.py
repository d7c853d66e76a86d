"""Placeholders for pictures that a recording left out: same media type, same width and height, at least as many bytes."""

import base64
from io import BytesIO
from pathlib import Path

from bodydouble_spec import RecordedPicture

__all__ = ["PlaceholderPictures", "write_picture"]

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
}
_UNKNOWN_SIZE = (64, 64)
# A recording is untrusted input: its numbers must not decide how much memory is used.
_MOST_PIXELS = 64 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAhvVqXgAAAABJRU5ErkJggg=="
)


class PlaceholderPictures:
    """Makes placeholders, each kind and size once. A media type that cannot be made (``image/avif``) keeps its name over a PNG."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, tuple[int, int]], bytes] = {}

    def text(self, picture: RecordedPicture) -> str:
        """Return the data URI or the bare Base64 for a recorded picture."""
        return picture.encode(self.data(picture), picture.media_type or "")

    def data(self, picture: RecordedPicture) -> bytes:
        """Return a grey picture file, padded after its end to the recorded size. It is larger where it cannot be that small."""
        width, height = picture.pixels or _UNKNOWN_SIZE
        size = (width, height) if width * height <= _MOST_PIXELS else _UNKNOWN_SIZE
        key = (_FORMATS.get(picture.media_type or "", "PNG"), size)
        if key not in self._made:
            self._made[key] = _draw(*key)
        return self._made[key].ljust(min(picture.size_bytes, _MOST_BYTES), b"\0")


def _draw(kind: str, size: tuple[int, int]) -> bytes:
    from PIL import Image  # slow to import, and most recordings hold URLs

    picture = Image.new("L", size, 128)
    for name in (kind, "PNG"):
        buffer = BytesIO()
        try:
            picture.save(buffer, name, **({"compress_level": 1} if name == "PNG" else {}))
        except (OSError, ValueError):  # wider or higher than the format allows
            continue
        return buffer.getvalue()
    return _PIXEL


def write_picture(folder: Path) -> None:
    """Write the smallest picture into a folder, so that a mock server does not draw pictures that are never looked at."""
    (folder / "picture.png").write_bytes(_PIXEL)
