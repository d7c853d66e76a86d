"""Image files of the user, cropped or padded to the size that the contract has for the pictures of a request."""

import io
import math

from bodydouble_spec import picture_kind
from PIL import Image, ImageOps

from bodydouble_mockserver.pictures.probe import DecodeFailure, decode, decoding_deadline, resized

__all__ = ["fitted_file"]

_OPAQUE = {"image/jpeg", "image/bmp"}
# Of a picture that loses more than this part, all is shown between bars.
_MAX_LOSS = 0.3
_LARGEST_COVER = 1 / (1 - _MAX_LOSS)


def fitted_file(data: bytes, size: tuple[int, int]) -> tuple[bytes, str]:
    """Crop or pad an image file to ``size`` (width and height in pixels), in its own format, as a still picture; return what was done too.

    It is cropped where that takes at most 30 % of it away. A file that has this size already, or cannot be decoded, stays as it is.
    """
    kind = picture_kind(data)
    if kind is None or kind.pixels is None:
        return (data, "cannot be decoded, served unchanged")
    if kind.pixels == size:
        return (data, "")
    side = math.ceil(max(size) * _LARGEST_COVER)
    image = decode(data, (side, side), decoding_deadline())
    if isinstance(image, DecodeFailure):
        return (data, f"{image.reason}, served unchanged")
    sought, own = size[0] / size[1], image.width / image.height
    done = "cropped" if min(sought, own) / max(sought, own) >= 1 - _MAX_LOSS else "padded"
    fitted = ImageOps.fit(image, size, Image.Resampling.BICUBIC) if done == "cropped" else _padded(image, size)
    file = io.BytesIO()
    shown = fitted.convert("RGB") if kind.media_type in _OPAQUE else fitted
    # Pillow has the same names for these formats.
    shown.save(file, kind.media_type.removeprefix("image/"))
    return (file.getvalue(), "{} from {}x{} to {}x{}".format(done, *kind.pixels, *size))


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Put the whole image on bars of its mean colour."""
    canvas = resized(resized(image, (1, 1)), size)
    shown = ImageOps.contain(image, size, Image.Resampling.BICUBIC)
    canvas.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    return canvas
