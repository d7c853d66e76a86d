"""Colours and pattern numbers from a request's seed: the same seed and index give the same values on any machine."""

import colorsys
import hashlib
from collections.abc import Iterator

__all__ = ["Colour", "Palette"]

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
