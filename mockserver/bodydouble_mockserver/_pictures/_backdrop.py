"""The background of a picture: a soft mesh of related colours with one of six motifs over it."""

import math
from collections.abc import Callable

from PIL import Image, ImageDraw

from ._palette import Palette
from ._scaling import resized

__all__ = ["backdrop"]

_MESH = (3, 3)
_LONGEST_MOTIF_SIDE = 768


def backdrop(size: tuple[int, int], palette: Palette) -> Image.Image:
    """Draw the background as an RGB image of ``size`` (width, height) in pixels."""
    values = palette.fractions()
    mesh = Image.new("RGB", _MESH)
    for row in range(_MESH[1]):
        for column in range(_MESH[0]):
            shift, lightness, saturation = next(values), next(values), next(values)
            colour = palette.colour(0.26 * (shift - 0.5), 0.44 + 0.34 * lightness, 0.38 + 0.32 * saturation)
            mesh.putpixel((column, row), colour)
    ground = resized(mesh, size)
    scale = min(1.0, _LONGEST_MOTIF_SIDE / max(size))
    small = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    mask = Image.new("L", small)
    draw_motif = _MOTIFS[palette.motif % len(_MOTIFS)]
    draw_motif(ImageDraw.Draw(mask), small, [next(values) for _ in range(48)])
    ground.paste((255, 255, 255), (0, 0), resized(mask, size))
    return ground


def _rings(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    unit = max(size)
    centre = size[0] * values[0], size[1] * values[1]
    step = unit * (0.05 + 0.05 * values[2])
    for ring in range(1, int(1.5 * unit / step) + 1):
        if ring * step >= 1:
            canvas.circle(centre, ring * step, outline=44, width=max(1, round(step * 0.28)))


def _bubbles(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    for start in range(0, 48, 3):
        x, y, reach = values[start : start + 3]
        radius = max(size) * (0.02 + 0.13 * reach * reach)
        canvas.circle((size[0] * x, size[1] * y), radius, fill=20 + round(34 * y))


def _stripes(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    width, height = size
    step = max(2.0, max(size) * (0.05 + 0.06 * values[0]))
    lean = height * (0.3 + values[1]) * (1 if values[2] < 0.5 else -1)
    for number in range(int((width + 2 * abs(lean)) / step) + 1):
        left = number * step - abs(lean)
        corners = [(left, 0), (left + step / 2, 0), (left + step / 2 + lean, height), (left + lean, height)]
        canvas.polygon(corners, fill=24 + 22 * (number % 2))


def _waves(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    width, height = size
    for number in range(5):
        swing, length, phase = values[3 * number : 3 * number + 3]
        level = height * (0.15 + 0.17 * number)
        crest = [
            (x, level + height * (0.03 + 0.05 * swing) * math.sin(phase * 7 + x / width * (4 + 6 * length)))
            for x in range(0, width + 8, 8)
        ]
        layer = Image.new("L", size)
        ImageDraw.Draw(layer).polygon([*crest, (crest[-1][0], height), (0, height)], fill=255)
        canvas.bitmap((0, 0), layer, fill=14 + 11 * number)


def _dots(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    step = max(3.0, max(size) * (0.035 + 0.03 * values[0]))
    for row in range(int(size[1] / step) + 2):
        for column in range(int(size[0] / step) + 2):
            place = (column + 0.5 * (row % 2)) * step, row * step
            wave = 0.5 + 0.5 * math.sin(values[1] * 9 + place[0] / max(size) * 6 + place[1] / max(size) * 5 * values[2])
            canvas.circle(place, step * (0.06 + 0.26 * wave), fill=58)


def _facets(canvas: ImageDraw.ImageDraw, size: tuple[int, int], values: list[float]) -> None:
    step = max(4.0, max(size) * (0.10 + 0.07 * values[0]))
    number = 1
    for row in range(int(size[1] / step) + 1):
        for column in range(int(size[0] / step) + 1):
            left, top, right, bottom = column * step, row * step, (column + 1) * step, (row + 1) * step
            corner = (right, top) if (row + column) % 2 else (left, bottom)
            canvas.polygon([(left, top), (right, bottom), corner], fill=round(62 * values[number % 48]))
            number += 1


_MOTIFS: tuple[Callable[[ImageDraw.ImageDraw, tuple[int, int], list[float]], None], ...] = (
    _rings,
    _stripes,
    _bubbles,
    _facets,
    _waves,
    _dots,
)
