"""Decoding and resizing of images."""

import io
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bodydouble_spec import file_format, picture_kind
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

__all__ = ["DecodeFailure", "decode", "decoding_deadline", "resized", "shrink"]


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize the image to ``size`` (width, height) in pixels; a strong reduction begins with fast averaging."""
    # Pillow's annotation mentions numpy arrays, which are unknown types where numpy is not installed.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]


_MAX_PIXELS = 64_000_000
# Decoders that take a whole picture in one step: its processor time is known by its pixels only.
_IN_ONE_STEP = {"image/avif", "image/tiff"}
_MAX_PIXELS_IN_ONE_STEP = 25_000_000
# The longest side that JPEG allows. Pillow keeps a row's address beside its pixels, so narrow images take memory by rows.
_MAX_SIDE = 65_535
# A progressive JPEG is decoded scan by scan, over all its pixels; cameras and programs write about ten scans.
_MAX_SCANNED_PIXELS = 1_000_000_000
_START_OF_SCAN = b"\xff\xda"
_EXIF_ORIENTATION = 0x0112
_DECODING_CPU_S = 3.0
_SHRINKING_S = 5
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ROTATED = {5, 6, 7, 8}
_AVIF_OPENING = threading.Lock()


def _open_avif(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open an AVIF file so that it is decoded in this thread: the processor time of others would not count."""
    with _AVIF_OPENING:
        threads = AvifImagePlugin.DEFAULT_MAX_THREADS
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        try:
            return AvifImagePlugin.AvifImageFile(file)
        finally:
            AvifImagePlugin.DEFAULT_MAX_THREADS = threads


# The classes themselves, not Image.open, which warns about large images and tries formats that requests may not use.
_OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "image/avif": _open_avif,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}


@dataclass(frozen=True, slots=True)
class DecodeFailure:
    """The reason why an image is not shown: in words, with its size in pixels when that is the reason."""

    reason: str
    size: tuple[int, int] | None = None


class _TookTooLong(Exception):
    """The decoding has used its processor time."""


class _TimedFile(io.BytesIO):
    """A file in memory whose `read` raises once the thread has used processor time up to ``deadline``, in seconds."""

    def __init__(self, data: bytes, deadline: float) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as a file does, or raise _TookTooLong."""
        if time.thread_time() > self._deadline:
            raise _TookTooLong
        return super().read(size)


def decode(data: bytes, box: tuple[int, int], deadline: float = math.inf) -> Image.Image | DecodeFailure:
    """Decode the image upright, as RGB or RGBA, as large as fits ``box`` (width and height in pixels, at least 1 each).

    The work is bounded by the pixels, sides and scans of the image before it begins, and by ``deadline`` in seconds of
    ``time.thread_time()`` between its blocks.
    """
    kind = picture_kind(data)
    if kind is None:
        name = file_format(data)
        return DecodeFailure("unreadable" if name is None else f"{name}: cannot be drawn")
    if kind.pixels is None:
        return DecodeFailure("unreadable")
    # By the header, because Pillow allocates the pixels of a GIF or WebP file on opening.
    if not _is_decodable(*kind.pixels) or (
        kind.media_type in _IN_ONE_STEP and math.prod(kind.pixels) > _MAX_PIXELS_IN_ONE_STEP
    ):
        return DecodeFailure("too large", kind.pixels)
    if kind.media_type == "image/jpeg" and not _has_few_scans(data, *kind.pixels):
        return DecodeFailure("too many scans", kind.pixels)
    try:
        return _decoded(_OPENERS[kind.media_type](_TimedFile(data, deadline)), box)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return DecodeFailure("too large", kind.pixels)
    except _TookTooLong:
        return DecodeFailure("takes too long", kind.pixels)
    except Exception:  # noqa: BLE001 - Pillow raises many exception types, depending on the place of the error
        return DecodeFailure("unreadable")


def decoding_deadline() -> float:
    """Return the deadline for all inputs of a picture, from now."""
    return time.thread_time() + _DECODING_CPU_S


def shrink(data: bytes, side: int) -> bytes | None:
    """Return the image with a longer side of so many pixels, as WebP; None for one that cannot be decoded in little time."""
    image = decode(data, (side, side), time.thread_time() + _SHRINKING_S)
    if isinstance(image, DecodeFailure):
        return None
    file = io.BytesIO()
    image.save(file, "WEBP", quality=80, method=0)
    return file.getvalue()


def _is_decodable(width: int, height: int) -> bool:
    return width * height <= _MAX_PIXELS and max(width, height) <= _MAX_SIDE


def _has_few_scans(data: bytes, width: int, height: int) -> bool:
    # Within the data of a scan, FF is followed by 00 or a restart marker, so only a segment can hold a false marker.
    return data.count(_START_OF_SCAN) * width * height <= _MAX_SCANNED_PIXELS


def _decoded(image: ImageFile.ImageFile, box: tuple[int, int]) -> Image.Image | DecodeFailure:
    if not _is_decodable(*image.size):
        # A GIF's frame may be larger than the screen size in its header.
        return DecodeFailure("too large", image.size)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # Pillow turns it upright when it is loaded.
        image.load()
    orientation = _orientation(image)
    width, height = (box[1], box[0]) if orientation in _ROTATED else box
    scale = min(width / image.width, height / image.height)
    fitted = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    # A JPEG can be decoded at a half, a quarter or an eighth of its size, which takes less time.
    image.draft("RGB", fitted)
    image.load()
    if image.mode.startswith("I;16"):
        # Pillow's own conversion to eight bits clips; the high byte of each sample holds the picture.
        converted = Image.frombytes("L", image.size, image.convert("I;16").tobytes(), "raw", "L;16")
    else:
        mode = "RGBA" if image.has_transparency_data else "RGB"
        # To the same mode, `convert` would copy the pixels.
        converted = image if image.mode == mode else image.convert(mode)
    shrunk = resized(converted, fitted)
    upright = shrunk.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else shrunk
    return upright.convert("RGB") if upright.mode == "L" else upright


def _orientation(image: ImageFile.ImageFile) -> int | None:
    try:
        value: object = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001 - the pixels are usable in spite of a broken EXIF block
        return None
    return value if isinstance(value, int) else None
