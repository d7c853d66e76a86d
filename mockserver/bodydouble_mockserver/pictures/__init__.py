"""Drawing of the mock server's pictures from a request, on demand.

Pillow is imported inside the functions that need it, so that the start of a server and JSON answers do not pay for it.
"""

from bodydouble_mockserver.pictures.decoded import DecodedSources
from bodydouble_mockserver.pictures.model import PictureSpec, Render, SourceImage, pixels_for_ratio
from bodydouble_mockserver.pictures.store import ContentStore
from bodydouble_mockserver.pictures.workers import Workers

__all__ = [
    "ContentStore",
    "DecodedSources",
    "PictureSpec",
    "Render",
    "SourceImage",
    "Workers",
    "draw",
    "fit",
    "pixels_for_ratio",
    "renderer_version",
    "thumbnail",
]


def draw(picture: PictureSpec, decoded: DecodedSources | None = None) -> bytes:
    """Draw the picture as a PNG file of exactly its width and height, RGB without alpha.

    The same picture gives the same bytes on one installation (``renderer_version``). No source bytes and no text raise an
    error: an image that cannot be decoded becomes a tile with the reason, a missing glyph a box with its code point.
    ``decoded`` keeps the sources for the next picture that has them.
    """
    from bodydouble_mockserver.pictures.canvas import draw_png

    return draw_png(picture, decoded or DecodedSources())


def fit(data: bytes, size: tuple[int, int]) -> tuple[bytes, str]:
    """Return an image file cropped or padded to a size in pixels, and what was done to it in words; empty for nothing."""
    from bodydouble_mockserver.pictures.fitting import fitted_file

    return fitted_file(data, size)


def renderer_version() -> str:
    """Return sixteen hexadecimal digits that change with the drawing code, Pillow, its text layout and the fonts."""
    from bodydouble_mockserver.pictures.canvas import digest

    return digest()


def thumbnail(data: bytes, side: int) -> bytes | None:
    """Return a picture whose longer side has so many pixels, as WebP; None for bytes that cannot be decoded."""
    from bodydouble_mockserver.pictures.probe import shrink

    return shrink(data, side)
