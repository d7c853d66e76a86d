"""The size in pixels of an aspect ratio for which no size is documented or observed."""

import math
import re

__all__ = ["pixels_for_ratio"]

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
