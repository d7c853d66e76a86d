"""Drawing of the mock server's pictures from a request, on demand.

Pillow is imported inside the functions that need it, so that the start of a server and JSON answers do not pay for it.
"""

from ._header import media_type
from ._picture import PictureSpec, SourceImage
from ._ratio import pixels_for_ratio

__all__ = ["PictureSpec", "SourceImage", "draw", "media_type", "pixel_size", "pixels_for_ratio", "renderer_version"]


def draw(picture: PictureSpec) -> bytes:
    """Draw the picture as a PNG file of exactly its width and height, RGB without alpha.

    The same picture gives the same bytes on one installation (``renderer_version``). No source bytes and no text raise an
    error: an image that cannot be decoded becomes a tile with the reason, a missing glyph a box with its code point.
    """
    from ._canvas import draw_png

    return draw_png(picture)


def pixel_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels of an encoded image as stored, or None when its header cannot be read.

    No pixels are decoded, and the EXIF orientation is not applied.
    """
    from ._decode import stored_size

    return stored_size(data)


def renderer_version() -> str:
    """Return sixteen hexadecimal digits that change with the drawing code, Pillow, its text layout and the fonts."""
    from ._version import digest

    return digest()
