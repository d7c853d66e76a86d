"""The parameters of a drawing, as simple values, so that the same request gives the same picture."""

import colorsys
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Colour", "Palette", "PictureSpec", "Render", "SourceImage", "pixels_for_ratio"]


class Render(StrEnum):
    """The kind of drawing: cards of the inputs with the whole prompt, or a demonstration that looks like an edit."""

    CARDS = "cards"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One input image of the request.

    ``label`` is the caption of its tile: a URL's file name, ``image 2``, ``evicted``. ``data`` is the encoded image, or
    None for a URL, which is never fetched, and for an evicted input. ``key`` is the hash of the data where it is known.
    """

    label: str
    data: bytes | None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """One image of an answer.

    ``width`` and ``height`` are pixels, at least 1 each (else ValueError). ``sources`` are in the request's order.
    ``count`` is the number of images of the request, ``index`` runs from 0 to ``count - 1``. ``seed`` comes from the
    request's digest: colours and pattern vary with it and with ``index``.
    """

    width: int
    height: int
    prompt: str
    sources: tuple[SourceImage, ...]
    index: int
    count: int
    model: str
    seed: int
    render: Render = Render.CARDS

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture of {self.width}x{self.height} pixels cannot be drawn: give at least 1x1")

    @property
    def unit(self) -> float:
        """The scale of measures: 1 for a picture of one megapixel, and less where a side is short."""
        return min(math.sqrt(self.width * self.height) / 1024, min(self.width, self.height) / 560)


Colour = tuple[int, int, int]

_GOLDEN_RATIO = 0.618033988749895


class Palette:
    """The variable parts of a picture, derived from ``seed`` and ``index``.

    The hue of each next image of a request is 222 degrees further, the golden ratio of a turn, so that the first dozens of
    images differ clearly.
    """

    def __init__(self, seed: int, index: int) -> None:
        start = hashlib.sha256(f"{seed}".encode()).digest()
        self.hue = (int.from_bytes(start[:4]) / 2**32 + index * _GOLDEN_RATIO) % 1.0
        self.motif = start[4] + index
        self._digits = hashlib.shake_256(f"{seed} {index}".encode()).digest(512)

    def fractions(self) -> Iterator[float]:
        """Return an iterator over numbers from 0 up to 1, always the same series, with at least 500 of them."""
        return (value / 256 for value in self._digits)

    def colour(self, shift: float, lightness: float, saturation: float) -> Colour:
        """Return a colour whose hue is ``shift`` turns from the picture's own; ``lightness`` and ``saturation`` range from 0 to 1."""
        red, green, blue = colorsys.hls_to_rgb((self.hue + shift) % 1.0, lightness, saturation)
        return round(red * 255), round(green * 255), round(blue * 255)


_RATIO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?):([0-9]{1,9}(?:\.[0-9]{1,9})?)")
_AREA = 1024 * 1024
_STEP = 32
_SHORTEST_SIDE = 256


def pixels_for_ratio(ratio: str) -> tuple[int, int] | None:
    """Return width and height in pixels for an aspect ratio ``W:H``, or None when ``ratio`` does not have that form.

    The size is about one megapixel, both sides multiples of 32 (assumed, like the documented sizes). A ratio beyond
    16:1 or 1:16 gets the size of that bound, 4096x256 or 256x4096.
    """
    match = _RATIO.fullmatch(ratio)
    if match is None:
        return None
    horizontal, vertical = (float(part) for part in match.groups())
    if horizontal == 0 or vertical == 0:
        return None
    longest_side = _AREA // _SHORTEST_SIDE
    width = min(max(math.sqrt(_AREA * horizontal / vertical), _SHORTEST_SIDE), longest_side)
    return round(width / _STEP) * _STEP, round(_AREA / width / _STEP) * _STEP
