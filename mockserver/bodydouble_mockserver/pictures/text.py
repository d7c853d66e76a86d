"""Text layout for many scripts: the font of each character, line breaks, and elision."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from PIL import ImageDraw, ImageFont

from bodydouble_mockserver.pictures.fonts import (
    CJK_ADVICE,
    Face,
    code_points,
    face_for,
    faces,
    is_east_asian,
    language_of,
    load,
    writes_both_ways,
)
from bodydouble_mockserver.pictures.model import Colour

__all__ = [
    "Cell",
    "Lettering",
    "TextLine",
    "cells_of",
    "is_right_to_left",
    "missing_font_advice",
    "wrap",
    "wrap_evenly",
]

_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_VARIATION_SELECTORS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_BREAK_AFTER = frozenset("-/_‐–—")
_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9
_MAX_MARKS = 4
_MAX_JOINED = 12
# Thai, Lao, Myanmar and Khmer are written without spaces between words. Where a word ends, only a dictionary knows.
_WITHOUT_SPACES = (range(0xE01, 0xE80), range(0xE80, 0xF00), range(0x1000, 0x10A0), range(0x1780, 0x1800))
_ASAT = "\u103a"  # ends a syllable of Myanmar
# Vowels that are written before their consonant, and signs that never begin a line.
_NOT_AT_LINE_END = frozenset("เแโใไເແໂໃໄ")
_NOT_AT_LINE_START = frozenset("ะาำๅๆฯະາຳໆ។៕ៗၐ၊။ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々")


@dataclass(frozen=True, slots=True)
class Cell:
    """A character with the marks on it and what is written in one piece with it, and the font that draws it.

    ``face`` is None for a character that no font has, drawn as a box with its code point. ``ends_line`` marks a line break, which is not drawn.
    """

    text: str
    face: Face | None
    ends_line: bool = False


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


Measure = Callable[[Sequence[Cell]], float]


def cells_of(text: str) -> tuple[Cell, ...]:
    """Split a text into its characters with the font for each.

    Variation selectors, other invisible characters without a font, and more than four marks on one letter are left out.
    """
    found: list[Cell] = []
    language = language_of(text)
    face: Face | None = None
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
        fitting = face if follows and face is not None and ord(character) in code_points(face) else None
        if fitting is None:
            fitting = None if category == "Cc" else face_for(character, language)
        if marks > _MAX_MARKS or (fitting is None and category == "Cf"):
            continue
        face, after_letter = fitting, category[0] in "LM" or (follows and after_letter)
        before = found[-1] if found else None
        if before is not None and fitting is not None and before.face == fitting and _joins(before, character, is_mark):
            found[-1] = Cell(before.text + character, fitting)
        else:
            found.append(Cell(character, fitting))
    return tuple(found)


def _joins(before: Cell, character: str, is_mark: bool) -> bool:
    """Return whether a character is written in one piece with the cell before it: a mark, a conjunct, or behind a joiner."""
    if len(before.text) >= _MAX_JOINED:
        return False
    last = before.text[-1]
    is_conjunct = unicodedata.combining(last) == _VIRAMA and last != _ASAT and unicodedata.category(character)[0] == "L"
    return is_mark or is_conjunct or last == _ZERO_WIDTH_JOINER


def missing_font_advice(cells: Iterable[Cell]) -> list[str]:
    """Return a sentence on how to get a font, where a Chinese, Japanese or Korean character is drawn as a box; else nothing."""
    is_boxed = any(cell.face is None and not cell.ends_line and is_east_asian(cell.text) for cell in cells)
    return [f"No font for the characters in boxes: {CJK_ADVICE}"] if is_boxed else []


def is_right_to_left(cells: Sequence[Cell], start: int = 0) -> bool:
    """Return whether the paragraph that begins at ``start`` is written from right to left (UAX #9, rules P2 and P3)."""
    for cell in islice(cells, start, None):
        if cell.ends_line:
            break
        match unicodedata.bidirectional(cell.text[0]):
            case "R" | "AL":
                return True
            case "L":
                return False
            case _:
                pass
    return False


def wrap(cells: Sequence[Cell], measure: Measure, width: float, max_lines: int) -> Wrapped:
    """Break cells into at most ``max_lines`` (1 or more) lines of ``width`` pixels; ``measure`` gives the width of cells in one piece.

    The last line ends in "…" when the text is cut. Lines break after spaces and hyphens, beside wide characters and in scripts without spaces, else
    anywhere. A cell wider than the line gets a line of its own.
    """
    lines: list[TextLine] = []
    start = 0
    right_to_left = False
    while start < len(cells):
        if len(lines) == max_lines:
            last = elided(lines[-1].cells, measure, width)
            return Wrapped((*lines[:-1], TextLine(last, lines[-1].right_to_left)), complete=False)
        if start == 0 or cells[start - 1].ends_line:
            right_to_left = is_right_to_left(cells, start)
        end, following = _line_end(cells, start, measure, width)
        lines.append(TextLine(_stripped(cells[start:end]), right_to_left))
        start = following
    return Wrapped(tuple(lines), complete=True)


def wrap_evenly(cells: Sequence[Cell], measure: Measure, width: float, max_lines: int) -> Wrapped:
    """Break cells as `wrap` does, into lines of about one length, so that no two letters stand alone below a full line."""
    widest = wrap(cells, measure, width, max_lines)
    count = len(widest.lines)
    if not widest.complete or count < 2:
        return widest
    longest = max(measure([*word]) for _, word in groupby(cells, key=lambda cell: cell.text.isspace()))
    # A word that fits stays whole.
    narrowest = max(measure(cells) / count, longest if longest <= width else 0)
    narrower = (wrap(cells, measure, narrowest * share, count) for share in _SHARES if narrowest * share < width)
    return next((wrapped for wrapped in narrower if wrapped.complete), widest)


def elided(line: Sequence[Cell], measure: Measure, width: float) -> tuple[Cell, ...]:
    """Cut the line and append "…", within ``width`` pixels where that is possible."""
    ellipsis = cells_of("…")
    end = _fitting(line, 0, len(line), measure, width - measure(ellipsis))
    return (*_stripped(line[:end]), *ellipsis)


# Of the width that lines of one length would have: words rarely end there.
_SHARES = (1, 1.05, 1.1, 1.2, 1.4)
# A longer word is measured letter by letter, since it is broken anyway.
_MAX_WORD = 200


def _line_end(cells: Sequence[Cell], start: int, measure: Measure, width: float) -> tuple[int, int]:
    """Return the end of the line that begins at ``start``, and the start of the next one."""
    position, end = 0.0, start
    while end < len(cells) and not cells[end].ends_line:
        following = _word_end(cells, end)
        word = _stripped(cells[end:following])
        if len(word) > _MAX_WORD or position + measure(word) > width:
            # A word is measured as it is drawn, its letters joined; only a word that fills the line alone is broken.
            end = end if end > start else max(start + 1, _fitting(cells, start, following, measure, width))
            return end, end
        position += measure(cells[end:following])
        end = following
    return end, min(end + 1, len(cells))


def _word_end(cells: Sequence[Cell], start: int) -> int:
    """Return the next index at which a line may end."""
    end = start + 1
    while end < len(cells) and not cells[end].ends_line and not _breaks_between(cells[end - 1], cells[end]):
        end += 1
    return end


def _fitting(cells: Sequence[Cell], start: int, end: int, measure: Measure, width: float) -> int:
    """Return the index up to which cells fit the width one by one."""
    while start < end and (width := width - measure(cells[start : start + 1])) >= 0:
        start += 1
    return start


def _breaks_between(before: Cell, after: Cell) -> bool:
    last, first = before.text[-1], after.text[0]
    if first == " " or last == _ZERO_WIDTH_JOINER:
        return False
    if last == " " or last in _BREAK_AFTER:
        return True
    if first in _NOT_AT_LINE_START or _ASAT in after.text or before.text[0] in _NOT_AT_LINE_END:
        return False
    if _is_wide(before) or _is_wide(after):
        return unicodedata.category(first) not in ("Pe", "Pf", "Po") and unicodedata.category(last) not in ("Ps", "Pi")
    return _is_without_spaces(before) and _is_without_spaces(after)


def _is_wide(cell: Cell) -> bool:
    return cell.face is None or unicodedata.east_asian_width(cell.text[0]) in "WF"


def _is_without_spaces(cell: Cell) -> bool:
    code = ord(cell.text[0])
    return any(code in block for block in _WITHOUT_SPACES)


def _stripped(line: Sequence[Cell]) -> tuple[Cell, ...]:
    end = len(line)
    while end and line[end - 1].text == " ":
        end -= 1
    return tuple(line[:end])


_DIGITS_PER_EM = 0.38


class Lettering:
    """The fonts of one drawing at one size (pixels per em).

    Each drawing creates its own, since two threads must not share a FreeType face.
    """

    def __init__(self, size: float) -> None:
        self.size = max(4, round(size))
        self.line_height = round(self.size * 1.42)
        self._fonts: dict[Face, ImageFont.FreeTypeFont] = {}
        self._lengths: dict[tuple[Face, str], float] = {}
        # Without Raqm, and with its own font, Pillow raises on a direction argument.
        self._knows_direction = writes_both_ways()
        self._digits = load(faces()[0], max(3, round(self.size * _DIGITS_PER_EM)), ImageFont.Layout.BASIC)

    def measure(self, cells: Sequence[Cell]) -> float:
        """Return the width of cells as drawn in one piece, in pixels."""
        return sum(
            sum(map(self._box_width, run)) if face is None else self._length(face, _text(run))
            for face, run in _runs(cells)
        )

    def width(self, line: TextLine) -> float:
        """Return the width of a line as drawn, in pixels."""
        direction = self._direction(line)
        return sum(self._run_width(face, run, direction) for face, run in _runs(line.cells))

    def line(self, text: str, width: float) -> TextLine:
        """Put a text on one line and elide it beyond ``width`` pixels; only the characters that can fit are examined."""
        most = max(1, int(width)) + 1
        cells = tuple(cell for cell in cells_of(text[:most]) if not cell.ends_line)
        if len(text) > most or self.measure(cells) > width:
            cells = elided(cells, self.measure, width)
        return TextLine(cells, is_right_to_left(cells))

    def draw(self, canvas: ImageDraw.ImageDraw, position: tuple[float, float], line: TextLine, colour: Colour) -> None:
        """Draw a line along its baseline, whose left end is at ``position`` (x, y)."""
        x, baseline = position
        direction = self._direction(line)
        runs = _runs(line.cells)
        for face, run in reversed(runs) if line.right_to_left else runs:
            if face is None:
                for cell in run:
                    self._draw_box(canvas, (x, baseline), cell, colour)
                    x += self._box_width(cell)
            else:
                font = self._font(face)
                canvas.text((x, baseline), _text(run), font=font, fill=colour, anchor="ls", direction=direction)
                x += self._run_width(face, run, direction)

    def _length(self, face: Face, text: str) -> float:
        found = self._lengths.get((face, text))
        if found is None:
            found = self._lengths[face, text] = self._font(face).getlength(text)
        return found

    def _run_width(self, face: Face | None, run: Sequence[Cell], direction: str | None) -> float:
        if face is None:
            return sum(map(self._box_width, run))
        return self._font(face).getlength(_text(run), direction=direction)

    def _direction(self, line: TextLine) -> str | None:
        if not self._knows_direction:
            return None
        return "rtl" if line.right_to_left else "ltr"

    def _font(self, face: Face) -> ImageFont.FreeTypeFont:
        font = self._fonts.get(face)
        if font is None:
            font = self._fonts[face] = load(face, self.size)
        return font

    def _box_width(self, cell: Cell) -> float:
        return round(self._digits.getlength(_hexadecimal(cell)) + self.size * 0.26)

    def _draw_box(self, canvas: ImageDraw.ImageDraw, position: tuple[float, float], cell: Cell, colour: Colour) -> None:
        """Draw a frame with U+ above the code point's hexadecimal digits, as tall as the text around it."""
        x, baseline = position
        right = x + self._box_width(cell) - max(1, round(self.size * 0.06)) - 1
        top, bottom = baseline - round(self.size * 0.82), baseline + round(self.size * 0.16)
        canvas.rectangle((x, top, right, bottom), outline=colour, width=max(1, self.size // 24))
        middle = (x + right) / 2
        quarter = (bottom - top) / 4
        for text, y in (("U+", top + quarter + 1), (_hexadecimal(cell), bottom - quarter)):
            canvas.text((middle, y), text, font=self._digits, fill=colour, anchor="mm")


def _text(run: Sequence[Cell]) -> str:
    return "".join(cell.text for cell in run)


def _runs(cells: Sequence[Cell]) -> list[tuple[Face | None, list[Cell]]]:
    return [(face, list(run)) for face, run in groupby(cells, key=lambda cell: cell.face)]


def _hexadecimal(cell: Cell) -> str:
    return f"{ord(cell.text):04X}"
