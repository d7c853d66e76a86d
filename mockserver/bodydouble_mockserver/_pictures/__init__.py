"""The pictures of the mock server: drawn from a request when somebody asks for one.

Pillow is imported inside the functions that need it, not here: a server that starts, or answers JSON only, does not
pay for it.
"""

from ._header import media_type
from ._picture import PictureSpec, SourceImage
from ._ratio import pixels_for_ratio

__all__ = ["PictureSpec", "SourceImage", "draw", "media_type", "pixel_size", "pixels_for_ratio", "renderer_version"]


def draw(picture: PictureSpec) -> bytes:
    """The picture as a PNG file of exactly its width and height, RGB without alpha.

    The same picture gives the same bytes on one installation (``renderer_version``). No bytes of a source and no
    characters of a text raise: what cannot be decoded is a tile that says so, what cannot be written is a box with the
    code point in it.
    """
    from ._canvas import draw_png

    return draw_png(picture)


def pixel_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of an encoded image as stored, or None when its header cannot be read.

    No pixel is decoded, and orientation (EXIF) is not applied.
    """
    from ._decode import stored_size

    return stored_size(data)


def renderer_version() -> str:
    """Sixteen hexadecimal digits that change with the drawing code, Pillow, its text layout and the fonts."""
    from ._version import digest

    return digest()
