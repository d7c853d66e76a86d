"""Pictures in the place of those that a recording left out: of the same media type, the same width and height, as many bytes."""

import base64
from io import BytesIO
from pathlib import Path

from bodydouble_spec import RecordedPicture

__all__ = ["Pictures", "write_picture"]

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
}
_UNKNOWN_SIZE = (64, 64)
# A recording is a file like any other: its numbers must not decide how much memory is taken.
_MOST_PIXELS = 64 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAhvVqXgAAAABJRU5ErkJggg=="
)


class Pictures:
    """Makes them, each kind and size once. A media type that cannot be made (``image/avif``) keeps its name over a PNG."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, tuple[int, int]], bytes] = {}

    def text(self, picture: RecordedPicture) -> str:
        """The data URI or the bare Base64 that stands for a recorded picture."""
        return picture.encode(self.data(picture), picture.media_type or "")

    def data(self, picture: RecordedPicture) -> bytes:
        """A picture file in grey. What it lacks in bytes follows its end, where no decoder looks; it is longer where it cannot be so short."""
        width, height = picture.pixels or _UNKNOWN_SIZE
        size = (width, height) if width * height <= _MOST_PIXELS else _UNKNOWN_SIZE
        key = (_FORMATS.get(picture.media_type or "", "PNG"), size)
        if key not in self._made:
            self._made[key] = _drawn(*key)
        return self._made[key].ljust(min(picture.size_bytes, _MOST_BYTES), b"\0")


def _drawn(kind: str, size: tuple[int, int]) -> bytes:
    from PIL import Image  # takes a while, and most recordings hold URLs

    picture = Image.new("L", size, 128)
    for name in (kind, "PNG"):
        buffer = BytesIO()
        try:
            picture.save(buffer, name, **({"compress_level": 1} if name == "PNG" else {}))
        except (OSError, ValueError):  # wider or higher than this format can say
            continue
        return buffer.getvalue()
    return _PIXEL


def write_picture(folder: Path) -> None:
    """Write the smallest picture into a folder, for a mock server to serve instead of drawing any: nobody looks at them here."""
    (folder / "picture.png").write_bytes(_PIXEL)
