"""The fonts of a dependency, and the code points that each of them covers."""

import struct
from functools import cache
from importlib import resources
from pathlib import Path

__all__ = ["FONT_DISTRIBUTION", "code_points", "font_files"]

FONT_DISTRIBUTION = "manimgx-fonts"
_FONT_PACKAGE = "manimgx_fonts"


@cache
def font_files() -> tuple[Path, ...]:
    """Return the upright font files in the order in which they are tried for a code point: the Latin one first.

    Raises FileNotFoundError when the distribution has none.
    """
    folder = Path(str(resources.files(_FONT_PACKAGE)))
    files = [file for file in folder.glob("*.ttf") if "Italic" not in file.name]
    if not files:
        raise FileNotFoundError(f"no font (*.ttf) in {folder}: reinstall {FONT_DISTRIBUTION}")
    return tuple(sorted(files, key=lambda file: (not file.name.startswith("NotoSans["), file.name)))


@cache
def code_points(file: Path) -> frozenset[int]:
    """Return the code points that a TrueType font maps to a glyph.

    They are read from its ``cmap`` table (OpenType 1.9, formats 4 and 12), since Pillow does not report a missing glyph.
    """
    data = file.read_bytes()
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
