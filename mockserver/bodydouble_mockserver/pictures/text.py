"""Text layout for many scripts: the font of each character, line breaks, and elision."""

import logging
import struct
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby, islice
from pathlib import Path

from PIL import ImageDraw, ImageFont, features

from bodydouble_mockserver.pictures.model import Colour

__all__ = [
    "FONT_DISTRIBUTION",
    "Cell",
    "Lettering",
    "TextLine",
    "cells_of",
    "code_points",
    "font_files",
    "is_right_to_left",
    "wrap",
]

FONT_DISTRIBUTION = "manimgx-fonts"
_FONT_PACKAGE = "manimgx_fonts"
_OWN_FONT_SIZE = 10
LOG = logging.getLogger("bodydouble.mockserver")


@cache
def font_files() -> tuple[Path, ...]:
    """Return the upright font files in the order in which they are tried for a code point: the Latin one first.

    None without the distribution: Pillow's own font of ASCII letters is used then, and other letters are boxes.
    """
    try:
        folder = Path(str(resources.files(_FONT_PACKAGE)))
    except ModuleNotFoundError:
        folder = Path()
    files = [file for file in folder.glob("*.ttf") if "Italic" not in file.name] if folder != Path() else []
    if not files:
        LOG.warning("no fonts: pip install %s, for letters other than those of ASCII in pictures", FONT_DISTRIBUTION)
    return tuple(sorted(files, key=lambda file: (not file.name.startswith("NotoSans["), file.name)))


@cache
def code_points(file: Path) -> frozenset[int]:
    """Return the code points that a TrueType font maps to a glyph.

    They are read from its ``cmap`` table (OpenType 1.9, formats 4 and 12), since Pillow does not report a missing glyph.
    """
    return _mapped(file.read_bytes())


def _mapped(data: bytes) -> frozenset[int]:
    (tables,) = struct.unpack_from(">H", data, 4)
    records = (struct.unpack_from(">4sIII", data, 12 + 16 * number) for number in range(tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    (subtables,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for number in range(subtables):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", data, start + offset)
        if form == 4:
            found |= _segment_mapping(data, start + offset)
        elif form == 12:
            found |= _segmented_coverage(data, start + offset)
    return frozenset(found)


def _segmented_coverage(data: bytes, start: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", data, start + 12)
    found: set[int] = set()
    for first, last, glyph in struct.iter_unpack(">III", data[start + 16 : start + 16 + 12 * groups]):
        found.update(range(first if glyph else first + 1, last + 1))
    return found


def _segment_mapping(data: bytes, start: int) -> set[int]:
    (count,) = struct.unpack_from(">H", data, start + 6)
    count //= 2
    columns = [start + 14 + 2 * (column * count + (column > 0)) for column in range(4)]
    lasts, firsts, deltas, offsets = (struct.unpack_from(f">{count}H", data, column) for column in columns)
    found: set[int] = set()
    for number, (first, last, delta, offset) in enumerate(zip(firsts, lasts, deltas, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", data, columns[3] + 2 * number + offset + 2 * (code - first))
            if (glyph + delta) & 0xFFFF if glyph or not offset else 0:
                found.add(code)
    return found


_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_VARIATION_SELECTORS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_BREAK_AFTER = frozenset("-/_‐–—")
_ZERO_WIDTH_JOINER = "\u200d"
_MAX_MARKS = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One character and the font that draws it.

    ``face`` is an index into ``font_files()``, or None for a character that no font covers, drawn as a box with its code point.
    ``ends_line`` marks a line break, which is not drawn; ``joins`` marks a character that must stay with the one before it.
    """

    character: str
    face: int | None
    ends_line: bool = False
    joins: bool = False


@dataclass(frozen=True, slots=True)
class TextLine:
    """The cells of one line in reading order, and the direction of their paragraph."""

    cells: tuple[Cell, ...]
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Text broken into lines; ``complete`` is False when it was cut."""

    lines: tuple[TextLine, ...]
    complete: bool


def cells_of(text: str) -> tuple[Cell, ...]:
    """Split a text into its characters with the font for each.

    Variation selectors, other invisible characters without a font, and more than four marks on one letter are left out.
    """
    found: list[Cell] = []
    face: int | None = None
    after_letter, marks = False, 0
    for character in text.replace("\r\n", "\n"):
        if character in _LINE_ENDS:
            found.append(Cell(character, None, ends_line=True))
            continue
        if ord(character) in _VARIATION_SELECTORS:
            continue
        character = " " if character == "\t" else character
        category = unicodedata.category(character)
        is_mark = category[0] == "M" or category == "Cf"
        marks = marks + 1 if is_mark else 0
        # Marks, and spaces and punctuation after a letter, keep the font before them, so that a script is shaped as a whole.
        follows = is_mark or (category[0] in "ZP" and after_letter)
        fitting = face if follows and face is not None and ord(character) in _coverage()[face] else None
        if fitting is None:
            fitting = None if category == "Cc" else _face_of(ord(character))
        if marks > _MAX_MARKS or (fitting is None and category == "Cf"):
            continue
        face, after_letter = fitting, category[0] in "LM" or (follows and after_letter)
        found.append(Cell(character, face, joins=is_mark and bool(found) and not found[-1].ends_line))
    return tuple(found)


def is_right_to_left(cells: Sequence[Cell], start: int = 0) -> bool:
    """Return whether the paragraph that begins at ``start`` is written from right to left (UAX #9, rules P2 and P3)."""
    for cell in islice(cells, start, None):
        if cell.ends_line:
            break
        match unicodedata.bidirectional(cell.character):
            case "R" | "AL":
                return True
            case "L":
                return False
            case _:
                pass
    return False


def wrap(cells: Sequence[Cell], advance: Callable[[Cell], float], width: float, max_lines: int) -> Wrapped:
    """Break cells into at most ``max_lines`` (1 or more) lines of ``width`` pixels.

    The last line ends in "…" when the text is cut. Lines break after spaces and hyphens and beside wide characters, else
    anywhere. A cell wider than the line gets a line of its own.
    """
    lines: list[TextLine] = []
    start = 0
    right_to_left = False
    while start < len(cells):
        if len(lines) == max_lines:
            last = elided(lines[-1].cells, advance, width)
            return Wrapped((*lines[:-1], TextLine(last, lines[-1].right_to_left)), complete=False)
        if start == 0 or cells[start - 1].ends_line:
            right_to_left = is_right_to_left(cells, start)
        end, following = _line_end(cells, start, advance, width)
        lines.append(TextLine(_stripped(cells[start:end]), right_to_left))
        start = following
    return Wrapped(tuple(lines), complete=True)


def elided(line: Sequence[Cell], advance: Callable[[Cell], float], width: float) -> tuple[Cell, ...]:
    """Cut the line and append "…", within ``width`` pixels where that is possible."""
    ellipsis = cells_of("…")
    left = width - sum(advance(cell) for cell in ellipsis)
    end = 0
    while end < len(line) and (left := left - advance(line[end])) >= 0:
        end += 1
    return (*_stripped(line[:end]), *ellipsis)


def _line_end(cells: Sequence[Cell], start: int, advance: Callable[[Cell], float], width: float) -> tuple[int, int]:
    """Return the end of the line that begins at ``start``, and the start of the next one."""
    position, breakable = 0.0, start
    for index in range(start, len(cells)):
        cell = cells[index]
        if cell.ends_line:
            return index, index + 1
        if index > start and not cell.joins and _breaks_between(cells[index - 1], cell):
            breakable = index
        position += advance(cell)
        if position > width and cell.character != " " and index > start:
            end = breakable if breakable > start else _break_before(cells, index, start)
            return end, end
    return len(cells), len(cells)


def _break_before(cells: Sequence[Cell], index: int, start: int) -> int:
    """Return the nearest index at or before ``index`` that does not separate a mark from its letter, else ``index``."""
    return next((place for place in range(index, start, -1) if not cells[place].joins), index)


def _breaks_between(before: Cell, after: Cell) -> bool:
    if after.character == " " or before.character == _ZERO_WIDTH_JOINER:
        return False
    return before.character == " " or before.character in _BREAK_AFTER or _is_wide(before) or _is_wide(after)


def _is_wide(cell: Cell) -> bool:
    return cell.face is None or unicodedata.east_asian_width(cell.character) in "WF"


def _stripped(line: Sequence[Cell]) -> tuple[Cell, ...]:
    end = len(line)
    while end and line[end - 1].character == " ":
        end -= 1
    return tuple(line[:end])


@cache
def _coverage() -> tuple[frozenset[int], ...]:
    own = getattr(_font(None, _OWN_FONT_SIZE), "font_bytes", b"")
    return tuple(code_points(file) for file in font_files()) or ((_mapped(own),) if own else ())


def _font(file: Path | None, size: int, engine: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    """Load a font at a size; without a file, the one inside Pillow."""
    if file is not None:
        return ImageFont.truetype(file, size, layout_engine=engine)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError(f"Pillow has no FreeType, and there is no font: reinstall pillow and {FONT_DISTRIBUTION}")
    return font


def _face_of(code: int) -> int | None:
    return next((face for face, codes in enumerate(_coverage()) if code in codes), None)


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
        # Without Raqm, and with its own font, Pillow writes from left to right only, and raises on a direction argument.
        self._knows_direction = features.check("raqm") is True and bool(font_files())
        self._digits = _font(
            next(iter(font_files()), None), max(3, round(self.size * _DIGITS_PER_EM)), ImageFont.Layout.BASIC
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
            files = font_files()
            font = _font(files[face] if files else None, self.size)
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
