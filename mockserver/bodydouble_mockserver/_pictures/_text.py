"""Text layout for many scripts: the font of each character, line breaks, and elision."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from ._fonts import code_points, font_files

__all__ = ["Cell", "TextLine", "Wrapped", "cells_of", "elided", "is_right_to_left", "wrap"]

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
    return tuple(code_points(file) for file in font_files())


def _face_of(code: int) -> int | None:
    return next((face for face, codes in enumerate(_coverage()) if code in codes), None)
