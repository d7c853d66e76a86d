"""Cards of the request's inputs: the image itself, or a drawn placeholder with the reason why it is not shown."""

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from bodydouble_mockserver.pictures.decoded import DecodedSources
from bodydouble_mockserver.pictures.model import Palette, SourceImage
from bodydouble_mockserver.pictures.probe import DecodeFailure, resized
from bodydouble_mockserver.pictures.text import Lettering

__all__ = ["Box", "Card", "grid", "image_card", "number_card", "paste_cards"]

_TILE_ASPECT = 1.2


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


def grid(count: int, area: Box, gap: int) -> tuple[Box, ...]:
    """Arrange ``count`` equal boxes in rows, as large as the area allows, ``gap`` pixels apart; a short last row is centred."""
    columns = max(range(1, count + 1), key=lambda columns: _tile_extent(columns, count, area, gap), default=1)
    rows = -(-count // columns)
    width = max(1, (area.width - gap * (columns - 1)) // columns)
    height = max(1, (area.height - gap * (rows - 1)) // rows)
    boxes: list[Box] = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        used = in_row * width + (in_row - 1) * gap
        left = area.left + (area.width - used) // 2
        top = area.top + row * (height + gap)
        boxes += [Box(left + column * (width + gap), top, width, height) for column in range(in_row)]
    return tuple(boxes)


def _tile_extent(columns: int, count: int, area: Box, gap: int) -> float:
    rows = -(-count // columns)
    width = (area.width - gap * (columns - 1)) / columns
    height = (area.height - gap * (rows - 1)) / rows
    return min(width, height * _TILE_ASPECT)


_PAPER = (252, 252, 253)
_INK = (38, 42, 52)
_SQUARES = ((244, 245, 247), (216, 219, 225))
_PLACEHOLDER_ASPECT = 4 / 3
_SMOOTHING = 3
_SHADOW_SCALE = 8


@dataclass(frozen=True, slots=True)
class Card:
    """A drawn card and the position of its top left corner."""

    image: Image.Image
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """The measures of a card in a cell, in pixels: border, caption height, and the maximum size of the image."""

    border: int
    caption: int
    room: tuple[int, int]


def image_card(
    source: SourceImage,
    cell: Box,
    number: int,
    palette: Palette,
    lettering: Lettering,
    decoded: DecodedSources,
    deadline: float,
) -> Card:
    """Draw the card of one source within ``cell``; ``number`` selects the colour of a placeholder.

    An image that is not decoded by ``deadline``, in seconds of ``time.thread_time()``, becomes a placeholder too.
    """
    frame = _frame(cell, lettering)
    shown = decoded.get(source, frame.room, deadline)
    if isinstance(shown, Image.Image):
        area = _mounted(shown, frame)
    else:
        area = _placeholder(frame, palette, number, faded=shown is not None)
        if shown is not None:
            _write_in_middle(area, _reason_lines(shown), lettering)
    return _card(area, source.label, cell, frame, lettering)


def number_card(text: str, cell: Box, palette: Palette, lettering: Lettering) -> Card:
    """Draw a card with a short text only, for the sources without a card of their own."""
    frame = _frame(cell, lettering)
    width, height = _placeholder_size(frame)
    area = Image.new("RGB", (width, height + frame.caption), palette.colour(0.0, 0.93, 0.35))
    _write_in_middle(area, [text], lettering)
    return _card(area, "", cell, frame, lettering)


def paste_cards(canvas: Image.Image, cards: list[Card]) -> None:
    """Paste the cards on the canvas with rounded corners and a soft shadow."""
    small = max(1, canvas.width // _SHADOW_SCALE), max(1, canvas.height // _SHADOW_SCALE)
    shadow = Image.new("L", small)
    pen = ImageDraw.Draw(shadow)
    for card in cards:
        left, top = card.left / _SHADOW_SCALE, card.top / _SHADOW_SCALE + 1
        right, bottom = left + card.image.width / _SHADOW_SCALE - 1, top + card.image.height / _SHADOW_SCALE - 1
        pen.rectangle((left, top, max(left, right), max(top, bottom)), fill=150)
    shadow = shadow.filter(ImageFilter.GaussianBlur(1.5))
    canvas.paste((12, 14, 24), (0, 0), resized(shadow, canvas.size))
    for card in cards:
        width, height = card.image.size
        mask = Image.new("L", (width * _SMOOTHING, height * _SMOOTHING))
        corner = min(14, min(width, height) // 8) * _SMOOTHING
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), corner, fill=255)
        canvas.paste(card.image, (card.left, card.top), mask.reduce(_SMOOTHING))


def _frame(cell: Box, lettering: Lettering) -> _Frame:
    border = min(12, min(cell.width, cell.height) // 16)
    caption = lettering.line_height if cell.height > 5 * lettering.line_height else 0
    room = max(1, cell.width - 2 * border), max(1, cell.height - 2 * border - caption)
    return _Frame(border, caption, room)


def _card(area: Image.Image, label: str, cell: Box, frame: _Frame, lettering: Lettering) -> Card:
    caption = frame.caption if label else 0
    width, height = area.width + 2 * frame.border, area.height + 2 * frame.border + caption
    image = Image.new("RGB", (width, height), _PAPER)
    image.paste(area, (frame.border, frame.border))
    if caption:
        line = lettering.line(label, area.width)
        middle = (width - lettering.width(line)) / 2
        baseline = height - frame.border - round(lettering.size * 0.12)
        lettering.draw(ImageDraw.Draw(image), (max(frame.border, middle), baseline), line, _INK)
    return Card(image, cell.left + (cell.width - width) // 2, cell.top + (cell.height - height) // 2)


def _mounted(image: Image.Image, frame: _Frame) -> Image.Image:
    """Mount the image on paper wide and tall enough for a caption, with squares behind transparent parts."""
    least = min(frame.room[0], round(frame.room[1] * 0.6)), min(frame.room[1], round(frame.room[0] * 0.35))
    size = max(image.width, least[0]), max(image.height, least[1])
    corner = (size[0] - image.width) // 2, (size[1] - image.height) // 2
    area = Image.new("RGB", size, (236, 238, 242))
    if image.mode == "RGBA":
        area.paste(_squares(image.size), corner)
        area.paste(image, corner, image)
    else:
        area.paste(image, corner)
    return area


def _squares(size: tuple[int, int]) -> Image.Image:
    side = max(4, max(size) // 32)
    image = Image.new("RGB", size, _SQUARES[0])
    pen = ImageDraw.Draw(image)
    for row, top in enumerate(range(0, size[1], side)):
        for left in range(side * (row % 2), size[0], 2 * side):
            pen.rectangle((left, top, left + side - 1, top + side - 1), fill=_SQUARES[1])
    return image


def _placeholder_size(frame: _Frame) -> tuple[int, int]:
    width = min(frame.room[0], round(frame.room[1] * _PLACEHOLDER_ASPECT))
    return max(1, width), max(1, min(frame.room[1], round(width / _PLACEHOLDER_ASPECT)))


def _placeholder(frame: _Frame, palette: Palette, number: int, *, faded: bool) -> Image.Image:
    """Draw a landscape with a sun and two hills; ``faded`` makes it light enough for text."""
    size = _placeholder_size(frame)
    width, height = size[0] * 2, size[1] * 2
    shift, saturation = 0.13 * number, 0.15 if faded else 0.55
    lightnesses = (0.91, 0.96, 0.87, 0.83) if faded else (0.86, 0.97, 0.72, 0.60)
    sky, sun, far, near = (
        palette.colour(shift + turn, lightness, saturation)
        for turn, lightness in zip((0.0, 0.10, 0.03, 0.06), lightnesses, strict=True)
    )
    image = Image.new("RGB", (width, height), sky)
    pen = ImageDraw.Draw(image)
    pen.circle((width * 0.74, height * 0.28), min(width, height) * 0.11, fill=sun)
    pen.polygon([(width * 0.28, height), (width * 0.66, height * 0.46), (width * 1.04, height)], fill=far)
    pen.polygon([(-width * 0.12, height), (width * 0.32, height * 0.34), (width * 0.76, height)], fill=near)
    return image.reduce(2)


def _reason_lines(failure: DecodeFailure) -> list[str]:
    return [failure.reason, *([] if failure.size is None else ["{} × {} px".format(*failure.size)])]


def _write_in_middle(area: Image.Image, texts: list[str], lettering: Lettering) -> None:
    pen = ImageDraw.Draw(area)
    top = (area.height - len(texts) * lettering.line_height) / 2
    for number, text in enumerate(texts):
        line = lettering.line(text, area.width * 0.92)
        baseline = top + number * lettering.line_height + lettering.size * 1.05
        lettering.draw(pen, ((area.width - lettering.width(line)) / 2, baseline), line, _INK)
