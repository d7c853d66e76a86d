"""The whole picture: background, cards of the inputs, and a band with prompt, model and image number."""

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from ._backdrop import backdrop
from ._grid import Box, grid
from ._lettering import Lettering
from ._palette import Palette
from ._picture import PictureSpec
from ._text import TextLine, cells_of, wrap
from ._tile import Card, image_card, number_card, paste_cards

__all__ = ["draw_png"]

_PNG_LEVEL = 1
_MAX_CARDS = 12
_MAX_CHARACTERS = 4096
_PROMPT_SIZES = (46, 38, 32, 27, 23)
_FOOTER_SIZE = 21
_WHITE = (255, 255, 255)
_BAND_OPACITY = 222


@dataclass(frozen=True, slots=True)
class _Band:
    """The layout of the text at the bottom: the prompt's lines, and measures in pixels."""

    lettering: Lettering
    lines: tuple[TextLine, ...]
    footer: Lettering
    margin: int
    padding: int

    @property
    def height(self) -> int:
        return len(self.lines) * self.lettering.line_height + self.footer.line_height + 3 * self.padding


def draw_png(picture: PictureSpec) -> bytes:
    """Draw the picture as a PNG file, RGB, of exactly its size."""
    palette = Palette(picture.seed, picture.index)
    size = picture.width, picture.height
    canvas = backdrop(size, palette)
    # Measures refer to one megapixel, and shrink where a side is short.
    unit = min(math.sqrt(size[0] * size[1]) / 1024, min(size) / 560)
    band = _band(picture, unit)
    top = max(0, picture.height - band.height)
    if picture.sources:
        area = Box(band.margin, band.margin, picture.width - 2 * band.margin, top - 2 * band.margin)
        if min(area.width, area.height) > 0:
            paste_cards(canvas, _cards(picture, area, palette, unit))
    _draw_band(canvas, picture, band, top, palette)
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def _cards(picture: PictureSpec, area: Box, palette: Palette, unit: float) -> list[Card]:
    count = len(picture.sources)
    shown = picture.sources if count <= _MAX_CARDS else picture.sources[: _MAX_CARDS - 1]
    cells = grid(min(count, _MAX_CARDS), area, max(2, round(22 * unit)))
    lettering = Lettering(_FOOTER_SIZE * unit)
    cards = [
        image_card(source, cell, number, palette, lettering)
        for number, (source, cell) in enumerate(zip(shown, cells, strict=False))
    ]
    if len(shown) < count:
        cards.append(number_card(f"+{count - len(shown)} more", cells[-1], palette, lettering))
    return cards


def _band(picture: PictureSpec, unit: float) -> _Band:
    """Lay the prompt out in the largest size with which it fits, or cut it in the smallest size."""
    margin, padding = round(40 * unit), round(16 * unit)
    footer = Lettering(_FOOTER_SIZE * unit)
    room = picture.height * (0.40 if picture.sources else 0.60) - footer.line_height - 3 * padding
    prompt = picture.prompt
    cells = cells_of(prompt if len(prompt) <= _MAX_CHARACTERS else prompt[:_MAX_CHARACTERS] + "…")
    lettering, lines = footer, tuple[TextLine, ...]()
    for size in _PROMPT_SIZES:
        lettering = Lettering(size * unit)
        max_lines = max(1, int(room / lettering.line_height))
        wrapped = wrap(cells, lettering.advance, picture.width - 2 * margin, max_lines)
        lines = wrapped.lines
        if wrapped.complete:
            break
    return _Band(lettering, lines, footer, margin, padding)


def _draw_band(canvas: Image.Image, picture: PictureSpec, band: _Band, top: int, palette: Palette) -> None:
    height = canvas.height - top
    part = Image.new("RGB", (canvas.width, height), palette.colour(0.0, 0.10, 0.42))
    ground = canvas.crop((0, top, canvas.width, canvas.height))
    part = Image.blend(ground, part, _BAND_OPACITY / 255)
    pen = ImageDraw.Draw(part)
    right = canvas.width - band.margin
    for number, line in enumerate(band.lines):
        baseline = band.padding + number * band.lettering.line_height + round(band.lettering.size * 1.05)
        start = right - band.lettering.width(line) if line.right_to_left else band.margin
        band.lettering.draw(pen, (start, baseline), line, _WHITE)
    _draw_footer(pen, picture, band, height - band.padding - round(band.footer.size * 0.32), palette)
    canvas.paste(part, (0, top))


def _draw_footer(pen: ImageDraw.ImageDraw, picture: PictureSpec, band: _Band, baseline: int, palette: Palette) -> None:
    """Write the model at the left and the image number at the right; the model is cut where both do not fit."""
    width = pen.im.size[0] - 2 * band.margin
    number = band.footer.line(f"image {picture.index + 1} of {picture.count}", width)
    used = band.footer.width(number)
    band.footer.draw(pen, (band.margin + width - used, baseline), number, palette.colour(0.0, 0.86, 0.85))
    model = band.footer.line(picture.model, width - used - band.margin)
    band.footer.draw(pen, (band.margin, baseline), model, palette.colour(0.0, 0.80, 0.18))
