"""The whole picture: background, cards of the inputs, and a band with prompt, model and image number."""

import hashlib
import io
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from itertools import chain

from bodydouble_spec.text import cut
from PIL import Image, ImageDraw, features

from bodydouble_mockserver.pictures.decoded import DecodedSources
from bodydouble_mockserver.pictures.demo import demo_picture
from bodydouble_mockserver.pictures.fonts import FONT_DISTRIBUTIONS
from bodydouble_mockserver.pictures.model import Palette, PictureSpec, Render
from bodydouble_mockserver.pictures.probe import decoding_deadline, resized
from bodydouble_mockserver.pictures.text import Lettering, TextLine, cells_of, missing_font_advice, wrap
from bodydouble_mockserver.pictures.tiles import Box, Card, grid, image_card, number_card, paste_cards

__all__ = ["digest", "draw_png"]

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


# Measured on a picture of a photo: 48 ms and 853 kB; without Z_RLE 61 ms and 911 kB, and at level 6 80 ms and 837 kB.
_PNG_LEVEL = 1
_MAX_CARDS = 12
_MAX_CHARACTERS = 4096
_PROMPT_SIZES = (46, 38, 32, 27, 23)
_FOOTER_SIZE = 21
_WHITE = (255, 255, 255)
_BAND_OPACITY = 222


@dataclass(frozen=True, slots=True)
class _Band:
    """The layout of the text at the bottom: the prompt's lines, measures in pixels, and advice where letters are boxes."""

    lettering: Lettering
    lines: tuple[TextLine, ...]
    footer: Lettering
    margin: int
    padding: int
    advice: list[str]

    @property
    def height(self) -> int:
        small = 1 + len(self.advice)
        return len(self.lines) * self.lettering.line_height + small * self.footer.line_height + 3 * self.padding


def draw_png(picture: PictureSpec, decoded: DecodedSources) -> bytes:
    """Draw the picture as a PNG file, RGB, of exactly its size; ``decoded`` gives and keeps its sources."""
    canvas = demo_picture(picture, decoded) if picture.render is Render.DEMO else _cards_picture(picture, decoded)
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=_PNG_LEVEL, compress_type=zlib.Z_RLE)
    return file.getvalue()


def _cards_picture(picture: PictureSpec, decoded: DecodedSources) -> Image.Image:
    palette = Palette(picture.seed, picture.index)
    size = picture.width, picture.height
    canvas = backdrop(size, palette)
    band = _band(picture)
    top = max(0, picture.height - band.height)
    if picture.sources:
        area = Box(band.margin, band.margin, picture.width - 2 * band.margin, top - 2 * band.margin)
        if min(area.width, area.height) > 0:
            paste_cards(canvas, _cards(picture, area, palette, decoded))
    _draw_band(canvas, picture, band, top, palette)
    return canvas


def _cards(picture: PictureSpec, area: Box, palette: Palette, decoded: DecodedSources) -> list[Card]:
    count = len(picture.sources)
    shown = picture.sources if count <= _MAX_CARDS else picture.sources[: _MAX_CARDS - 1]
    cells = grid(min(count, _MAX_CARDS), area, max(2, round(22 * picture.unit)))
    lettering = Lettering(_FOOTER_SIZE * picture.unit)
    deadline = decoding_deadline()
    cards = [
        image_card(source, cell, number, palette, lettering, decoded, deadline)
        for number, (source, cell) in enumerate(zip(shown, cells, strict=False))
    ]
    if len(shown) < count:
        cards.append(number_card(f"+{count - len(shown)} more", cells[-1], palette, lettering))
    return cards


def _band(picture: PictureSpec) -> _Band:
    """Lay the prompt out in the largest size with which it fits, or cut it in the smallest size."""
    unit = picture.unit
    margin, padding = round(40 * unit), round(16 * unit)
    footer = Lettering(_FOOTER_SIZE * unit)
    room = picture.height * (0.40 if picture.sources else 0.60) - footer.line_height - 3 * padding
    cells = cells_of(cut(picture.prompt, _MAX_CHARACTERS))
    lettering, lines = footer, tuple[TextLine, ...]()
    for size in _PROMPT_SIZES:
        lettering = Lettering(size * unit)
        max_lines = max(1, int(room / lettering.line_height))
        wrapped = wrap(cells, lettering.measure, picture.width - 2 * margin, max_lines)
        lines = wrapped.lines
        if wrapped.complete:
            break
    labels = chain.from_iterable(cells_of(source.label) for source in picture.sources[:_MAX_CARDS])
    return _Band(lettering, lines, footer, margin, padding, missing_font_advice(chain(cells, labels)))


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
    baseline = height - band.padding - round(band.footer.size * 0.32)
    _draw_footer(pen, picture, band, baseline, palette)
    for text in band.advice:
        advice = band.footer.line(text, right - band.margin)
        band.footer.draw(
            pen, (band.margin, baseline - band.footer.line_height), advice, palette.colour(0.0, 0.86, 0.85)
        )
    canvas.paste(part, (0, top))


def _draw_footer(pen: ImageDraw.ImageDraw, picture: PictureSpec, band: _Band, baseline: int, palette: Palette) -> None:
    """Write the model at the left and the image number at the right; the model is cut where both do not fit."""
    width = pen.im.size[0] - 2 * band.margin
    number = band.footer.line(f"image {picture.index + 1} of {picture.count}", width)
    used = band.footer.width(number)
    band.footer.draw(pen, (band.margin + width - used, baseline), number, palette.colour(0.0, 0.86, 0.85))
    model = band.footer.line(picture.model, width - used - band.margin)
    band.footer.draw(pen, (band.margin, baseline), model, palette.colour(0.0, 0.80, 0.18))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "none"


@cache
def digest() -> str:
    """Return sixteen hexadecimal digits over the package's source and the versions of its dependencies."""
    parts = [metadata.version("pillow"), *map(_version, FONT_DISTRIBUTIONS)]
    parts += [f"{name} {features.version(name)}" for name in ("freetype2", "raqm", "harfbuzz", "fribidi")]
    modules = (item for item in resources.files(__package__ or "").iterdir() if item.name.endswith(".py"))
    parts += [module.read_text("utf-8") for module in sorted(modules, key=lambda module: module.name)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
