"""Resizing of images."""

import io
from dataclasses import dataclass

from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from bodydouble_mockserver.pictures.signature import media_type, screen_size

__all__ = ["DecodeFailure", "decode", "resized", "stored_size"]


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize the image to ``size`` (width, height) in pixels; a strong reduction begins with fast averaging."""
    # Pillow's annotation mentions numpy arrays, which are unknown types where numpy is not installed.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]


_MAX_PIXELS = 64_000_000
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEADER_SIZED = {"image/gif", "image/webp"}
_ROTATED = {5, 6, 7, 8}
# The classes themselves, not Image.open, which warns about large images and tries formats that requests may not use.
_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}


@dataclass(frozen=True, slots=True)
class DecodeFailure:
    """The reason why an image is not shown: in words, with its size in pixels when that is the reason."""

    reason: str
    size: tuple[int, int] | None = None


def stored_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels by the header alone, or None when it cannot be read."""
    if media_type(data) in _HEADER_SIZED:
        size = screen_size(data)
    else:
        try:
            image = _open(data)
        except Exception:  # noqa: BLE001 - Pillow raises many exception types, depending on the place of the error
            return None
        size = None if image is None else image.size
    return size if size is not None and min(size) > 0 else None


def decode(data: bytes, box: tuple[int, int]) -> Image.Image | DecodeFailure:
    """Decode the image upright, as RGB or RGBA, as large as fits ``box`` (width and height in pixels, at least 1 each)."""
    size = stored_size(data)
    if size is None:
        return DecodeFailure("unreadable")
    if size[0] * size[1] > _MAX_PIXELS:
        return DecodeFailure("too large", size)
    try:
        return _decoded(data, box)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return DecodeFailure("too large", size)
    except Exception:  # noqa: BLE001 - as for the header
        return DecodeFailure("unreadable")


def _open(data: bytes) -> ImageFile.ImageFile | None:
    """Open the image and read its header; return None for any other format. May raise any exception of Pillow."""
    opener = _OPENERS.get(media_type(data) or "")
    return None if opener is None else opener(io.BytesIO(data))


def _decoded(data: bytes, box: tuple[int, int]) -> Image.Image | DecodeFailure:
    image = _open(data)
    if image is None:
        return DecodeFailure("unreadable")
    if image.width * image.height > _MAX_PIXELS:
        # A GIF's frame may be larger than the screen size in its header.
        return DecodeFailure("too large", image.size)
    image.draft("RGB", (max(box), max(box)))
    image.load()
    orientation = _orientation(image)
    if image.mode.startswith("I;16"):
        # Pillow's own conversion to eight bits clips; the high byte of each sample holds the picture.
        converted = Image.frombytes("L", image.size, image.convert("I;16").tobytes(), "raw", "L;16")
    else:
        converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    width, height = (box[1], box[0]) if orientation in _ROTATED else box
    scale = min(width / converted.width, height / converted.height)
    fitted = max(1, round(converted.width * scale)), max(1, round(converted.height * scale))
    shrunk = resized(converted, fitted)
    upright = shrunk.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else shrunk
    return upright.convert("RGB") if upright.mode == "L" else upright


def _orientation(image: ImageFile.ImageFile) -> int | None:
    try:
        value: object = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001 - the pixels are usable in spite of a broken EXIF block
        return None
    return value if isinstance(value, int) else None
