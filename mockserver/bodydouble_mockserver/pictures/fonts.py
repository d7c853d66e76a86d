"""The fonts of the pictures: those of the font packages, and for Chinese, Japanese and Korean also those of the system."""

import contextlib
import logging
import mmap
import os
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from PIL import ImageFont, features

__all__ = [
    "CJK_ADVICE",
    "FONT_DISTRIBUTIONS",
    "Face",
    "code_points",
    "face_for",
    "faces",
    "is_east_asian",
    "language_of",
    "load",
    "writes_both_ways",
]

FONT_DISTRIBUTIONS = ("manimgx-fonts", "manimgx-fonts-cjk")
_PACKAGE, _CJK_PACKAGE = "manimgx_fonts", "manimgx_fonts_cjk"
CJK_ADVICE = "pip install 'bodydouble[cjk]'"
"""The command that brings a font for Chinese, Japanese and Korean."""

LOG = logging.getLogger("bodydouble.mockserver")

# Fonts of Chinese, Japanese and Korean by their file names, those that have all three first.
_ALL_THREE = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-VF.otf.ttc",
    "NotoSansCJK-VF.ttc",
    "SourceHanSans-Regular.ttc",
    "SourceHanSans.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-zenhei.ttc",
    "Arial Unicode.ttf",
)
_OF_LANGUAGE = {
    "SC": (
        *("NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf", "NotoSansSC[wght].ttf", "SourceHanSansSC-Regular.otf"),
        *("PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Medium.ttc", "msyh.ttc", "simsun.ttc"),
    ),
    "JP": (
        *("NotoSansCJKjp-Regular.otf", "NotoSansJP-Regular.otf", "NotoSansJP[wght].ttf", "SourceHanSansJP-Regular.otf"),
        *("ヒラギノ角ゴシック W3.ttc", "YuGothR.ttc", "meiryo.ttc", "msgothic.ttc", "ipagp.ttf", "TakaoPGothic.ttf"),
    ),
    "KR": (
        *("NotoSansCJKkr-Regular.otf", "NotoSansKR-Regular.otf", "NotoSansKR[wght].ttf", "SourceHanSansKR-Regular.otf"),
        *("AppleSDGothicNeo.ttc", "malgun.ttf", "NanumGothic.ttf"),
    ),
}
_MOST_FACES = 16


@dataclass(frozen=True, slots=True)
class Face:
    """A font file, and the number of the font in it where it is a collection; without a path, the font inside Pillow."""

    path: Path | None
    number: int = 0


@cache
def faces() -> tuple[Face, ...]:
    """Return the upright fonts of the package in the order in which they are tried for a code point: the Latin one first.

    Without the package it is Pillow's own font of ASCII letters, and other letters are boxes.
    """
    files = [file for file in _packaged(_PACKAGE) if "Italic" not in file.name]
    if not files:
        LOG.warning("no fonts found: pip install %s, to draw letters beyond ASCII in pictures", FONT_DISTRIBUTIONS[0])
        return (Face(None),)
    return tuple(
        Face(file) for file in sorted(files, key=lambda file: (not file.name.startswith("NotoSans["), file.name))
    )


@cache
def _cjk_faces(language: str) -> tuple[Face, ...]:
    """Return the fonts for Chinese, Japanese and Korean, with the forms of a language (`language_of`) where they have them."""
    files = list(_packaged(_CJK_PACKAGE)) or _system_files(language)
    if not files:
        LOG.warning(
            "no font found for Chinese, Japanese and Korean in pictures: %s, or install one such as Noto Sans CJK",
            CJK_ADVICE,
        )
    numbers = [_number(file, language) for file in files]
    return tuple(Face(file, number) for file, number in zip(files, numbers, strict=True) if number is not None)


def _packaged(package: str) -> Iterator[Path]:
    try:
        folder = Path(str(resources.files(package)))
    except ModuleNotFoundError:
        return iter(())
    return (file for file in folder.iterdir() if file.suffix in (".ttf", ".ttc", ".otf"))


def _system_files(language: str) -> list[Path]:
    """Return the known fonts that this system has, the most fitting first."""
    others = [name for other in _OF_LANGUAGE if other != language for name in _OF_LANGUAGE[other]]
    wanted = (*_ALL_THREE, *_OF_LANGUAGE[language], *others)
    found: dict[str, Path] = {}
    for folder in _system_folders():
        for parent, _, names in os.walk(folder):
            for name in wanted:
                if name in names:
                    found.setdefault(name, Path(parent, name))
    return [found[name] for name in wanted if name in found]


def _system_folders() -> list[Path]:
    """Return the folders of fonts on Linux, macOS and Windows; most of them exist on one of these only."""
    home = Path.home()
    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [
        *(Path(folder) / "fonts" for folder in data.split(":") if folder),
        home / ".local/share/fonts",
        home / ".fonts",
        Path("/System/Library/Fonts"),
        Path("/Library/Fonts"),
        home / "Library/Fonts",
        Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
        home / "AppData/Local/Microsoft/Windows/Fonts",
    ]


def _number(file: Path, language: str) -> int | None:
    """Return the number of the font of a language in a collection, 0 where none is named after it; None for a file that is no font."""
    for number in range(_MOST_FACES):
        try:
            family = ImageFont.truetype(file, 10, index=number).getname()[0]
        except OSError:
            return 0 if number else None
        if family is not None and family.endswith(f" {language}") and "Mono" not in family:
            return number
    return 0


def language_of(text: str) -> str:
    """Return whose forms the Chinese characters of a text have: ``JP`` beside kana, ``KR`` beside Hangul, else ``SC``."""
    names = {unicodedata.name(character, "").partition(" ")[0] for character in text if is_east_asian(character)}
    return "JP" if names & {"HIRAGANA", "KATAKANA"} else "KR" if "HANGUL" in names else "SC"


def is_east_asian(character: str) -> bool:
    """Return whether a character is one of Chinese, Japanese or Korean texts, or as wide as theirs."""
    return unicodedata.east_asian_width(character) in "WFH"


def face_for(character: str, language: str) -> Face | None:
    """Return the first font that has a character; None where no font has it."""
    code = ord(character)
    face = next((face for face in faces() if code in code_points(face)), None)
    if face is None and is_east_asian(character):
        face = next((face for face in _cjk_faces(language) if code in code_points(face)), None)
    return face


@cache
def code_points(face: Face) -> frozenset[int]:
    """Return the code points that a font maps to a glyph.

    They are read from its ``cmap`` table (OpenType 1.9, formats 4 and 12), since Pillow does not report a missing glyph.
    """
    if face.path is None:
        return _mapped(getattr(load(face, 10), "font_bytes", b""))
    try:
        # A collection has tens of megabytes, of which a few kilobytes are read.
        with face.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _mapped(data, face.number)
    except (OSError, ValueError, struct.error) as error:
        LOG.warning("the font %s cannot be read, and is not used: %s", face.path, error)
        return frozenset()


def load(face: Face, size: int, engine: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    """Load a font in its regular weight at a size in pixels."""
    if face.path is None:
        font = ImageFont.load_default(size)
        if not isinstance(font, ImageFont.FreeTypeFont):
            raise OSError(f"Pillow has no FreeType, and there is no font: reinstall pillow and {FONT_DISTRIBUTIONS[0]}")
        return font
    font = ImageFont.truetype(face.path, size, index=face.number, layout_engine=engine)
    if face not in faces():
        # A variable font of this package begins with its regular weight, one of Chinese with its thinnest.
        _make_regular(font)
    return font


def _make_regular(font: ImageFont.FreeTypeFont) -> None:
    # An error says that the font has one weight only.
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        font.set_variation_by_name("Regular")


def writes_both_ways() -> bool:
    """Return whether texts can be written from right to left: not without Raqm, nor with Pillow's own font."""
    return features.check("raqm") is True and faces()[0].path is not None


def _mapped(data: "bytes | mmap.mmap", number: int = 0) -> frozenset[int]:
    if not data:
        return frozenset()
    start = struct.unpack_from(">I", data, 12 + 4 * number)[0] if data[:4] == b"ttcf" else 0
    (tables,) = struct.unpack_from(">H", data, start + 4)
    records = (struct.unpack_from(">4sIII", data, start + 12 + 16 * table) for table in range(tables))
    start = next((offset for tag, _, offset, _ in records if tag == b"cmap"), None)
    if start is None:
        raise ValueError("it has no table of characters")
    (subtables,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for subtable in range(subtables):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * subtable)
        (form,) = struct.unpack_from(">H", data, start + offset)
        if form == 4:
            found |= _segment_mapping(data, start + offset)
        elif form == 12:
            found |= _segmented_coverage(data, start + offset)
    return frozenset(found)


def _segmented_coverage(data: "bytes | mmap.mmap", start: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", data, start + 12)
    found: set[int] = set()
    for first, last, glyph in struct.iter_unpack(">III", data[start + 16 : start + 16 + 12 * groups]):
        found.update(range(first if glyph else first + 1, last + 1))
    return found


def _segment_mapping(data: "bytes | mmap.mmap", start: int) -> set[int]:
    (segments,) = struct.unpack_from(">H", data, start + 6)
    segments //= 2
    columns = [start + 14 + 2 * (column * segments + (column > 0)) for column in range(4)]
    lasts, firsts, deltas, offsets = (struct.unpack_from(f">{segments}H", data, column) for column in columns)
    found: set[int] = set()
    for number, (first, last, delta, offset) in enumerate(zip(firsts, lasts, deltas, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", data, columns[3] + 2 * number + offset + 2 * (code - first))
            if (glyph + delta) & 0xFFFF if glyph or not offset else 0:
                found.add(code)
    return found
