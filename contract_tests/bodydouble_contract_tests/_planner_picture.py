"""The input picture that a verification sends: real, small, and always the same."""

import base64
from functools import cache
from io import BytesIO

__all__ = ["EXAMPLE_URL", "PROMPT", "input_picture"]

PROMPT = "Paint the door of the house red."
EXAMPLE_URL = "https://example.com/house.png"
"""A URL for requests whose pictures are not fetched: the domain is reserved for examples."""

_SIDE = 256
_SKY, _GRASS, _SUN, _WALL, _ROOF, _DOOR = range(6)
_COLOURS = ((126, 192, 238), (60, 140, 70), (250, 210, 60), (150, 75, 40), (200, 60, 50), (255, 255, 255))


@cache
def input_picture() -> str:
    """Return a house with a white door, as the data URI of a PNG of 256x256 pixels; about 1 kB."""
    from PIL import Image, ImageDraw  # slow to import, and only a plan needs it

    picture = Image.new("P", (_SIDE, _SIDE), _SKY)
    picture.putpalette([level for colour in _COLOURS for level in colour])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 176, _SIDE, _SIDE), fill=_GRASS)
    draw.ellipse((24, 24, 80, 80), fill=_SUN)
    draw.rectangle((104, 120, 200, 216), fill=_WALL)
    draw.polygon(((88, 120), (152, 64), (216, 120)), fill=_ROOF)
    draw.rectangle((136, 160, 168, 216), fill=_DOOR)
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
