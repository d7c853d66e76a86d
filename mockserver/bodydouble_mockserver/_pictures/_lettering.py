"""Drawing of wrapped text: runs of one font each, and boxes for characters that no font covers."""

from collections.abc import Sequence
from itertools import groupby

from PIL import ImageDraw, ImageFont, features

from ._fonts import font_files
from ._palette import Colour
from ._text import Cell, TextLine, cells_of, elided, is_right_to_left

__all__ = ["Lettering"]

_DIGITS_PER_EM = 0.38


class Lettering:
    """The fonts of one drawing at one size (pixels per em).

    Each drawing creates its own, since two threads must not share a FreeType face.
    """

    def __init__(self, size: float) -> None:
        self.size = max(4, round(size))
        self.line_height = round(self.size * 1.42)
        self._fonts: dict[int, ImageFont.FreeTypeFont] = {}
        self._advances: dict[Cell, float] = {}
        # Without Raqm, Pillow writes from left to right only, and raises on a direction argument.
        self._knows_direction = features.check("raqm") is True
        self._digits = ImageFont.truetype(
            font_files()[0], max(3, round(self.size * _DIGITS_PER_EM)), layout_engine=ImageFont.Layout.BASIC
        )

    def advance(self, cell: Cell) -> float:
        """Return the advance width of a cell in pixels, without kerning."""
        found = self._advances.get(cell)
        if found is None:
            found = self._box_width(cell) if cell.face is None else self._font(cell.face).getlength(cell.character)
            self._advances[cell] = found
        return found

    def width(self, line: TextLine) -> float:
        """Return the width of a line as drawn, in pixels."""
        direction = self._direction(line)
        return sum(self._run_width(face, run, direction) for face, run in _runs(line))

    def line(self, text: str, width: float) -> TextLine:
        """Put a text on one line and elide it beyond ``width`` pixels; only the characters that can fit are examined."""
        most = max(1, int(width)) + 1
        cells = tuple(cell for cell in cells_of(text[:most]) if not cell.ends_line)
        if len(text) > most or sum(self.advance(cell) for cell in cells) > width:
            cells = elided(cells, self.advance, width)
        return TextLine(cells, is_right_to_left(cells))

    def draw(self, canvas: ImageDraw.ImageDraw, position: tuple[float, float], line: TextLine, colour: Colour) -> None:
        """Draw a line along its baseline, whose left end is at ``position`` (x, y)."""
        x, baseline = position
        direction = self._direction(line)
        runs = _runs(line)
        for face, run in reversed(runs) if line.right_to_left else runs:
            if face is None:
                for cell in run:
                    self._draw_box(canvas, (x, baseline), cell, colour)
                    x += self.advance(cell)
            else:
                font = self._font(face)
                canvas.text((x, baseline), _text(run), font=font, fill=colour, anchor="ls", direction=direction)
                x += self._run_width(face, run, direction)

    def _run_width(self, face: int | None, run: Sequence[Cell], direction: str | None) -> float:
        if face is None:
            return sum(self.advance(cell) for cell in run)
        return self._font(face).getlength(_text(run), direction=direction)

    def _direction(self, line: TextLine) -> str | None:
        if not self._knows_direction:
            return None
        return "rtl" if line.right_to_left else "ltr"

    def _font(self, face: int) -> ImageFont.FreeTypeFont:
        font = self._fonts.get(face)
        if font is None:
            font = ImageFont.truetype(font_files()[face], self.size)
            self._fonts[face] = font
        return font

    def _box_width(self, cell: Cell) -> float:
        return round(self._digits.getlength(_hexadecimal(cell)) + self.size * 0.26)

    def _draw_box(self, canvas: ImageDraw.ImageDraw, position: tuple[float, float], cell: Cell, colour: Colour) -> None:
        """Draw a frame with U+ above the code point's hexadecimal digits, as tall as the text around it."""
        x, baseline = position
        right = x + self.advance(cell) - max(1, round(self.size * 0.06)) - 1
        top, bottom = baseline - round(self.size * 0.82), baseline + round(self.size * 0.16)
        canvas.rectangle((x, top, right, bottom), outline=colour, width=max(1, self.size // 24))
        middle = (x + right) / 2
        quarter = (bottom - top) / 4
        for text, y in (("U+", top + quarter + 1), (_hexadecimal(cell), bottom - quarter)):
            canvas.text((middle, y), text, font=self._digits, fill=colour, anchor="mm")


def _text(run: Sequence[Cell]) -> str:
    return "".join(cell.character for cell in run)


def _runs(line: TextLine) -> list[tuple[int | None, list[Cell]]]:
    return [(face, list(run)) for face, run in groupby(line.cells, key=lambda cell: cell.face)]


def _hexadecimal(cell: Cell) -> str:
    return f"{ord(cell.character):04X}"
