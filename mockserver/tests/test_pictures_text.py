"""Text on pictures: fonts, line breaks and cuts."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from bodydouble_mockserver.pictures import PictureSpec, draw, text
from bodydouble_mockserver.pictures.text import (
    Cell,
    Lettering,
    cells_of,
    code_points,
    font_files,
    is_right_to_left,
    wrap,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

texts = st.text(st.characters(exclude_categories=()), max_size=200)
words = st.text("ab -\n中é", max_size=120)


def one_em(_: Cell) -> float:
    return 1.0


def written(cells: tuple[Cell, ...]) -> str:
    return "".join(cell.character for cell in cells)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("NotoSans[", 0x20, 0x600), ("NotoSansThai[", 0xE00, 0xE80), ("NotoEmoji[", 0x1F300, 0x1F700)],
)
def test_a_code_point_is_listed_when_pillow_draws_more_than_the_missing_glyph(name: str, first: int, last: int) -> None:
    file = next(file for file in font_files() if file.name.startswith(name))
    font = ImageFont.truetype(file, 24, layout_engine=ImageFont.Layout.BASIC)

    def drawn(code: int) -> tuple[float, bytes]:
        image = Image.new("L", (64, 48))
        ImageDraw.Draw(image).text((16, 8), chr(code), fill=255, font=font)
        return font.getlength(chr(code)), image.tobytes()

    missing = drawn(0xFFFE)
    assert {code for code in range(first, last) if drawn(code) != missing} == {
        code for code in code_points(file) if first <= code < last
    }


@pytest.mark.parametrize(
    "text", ["café naïve", "Сделай фон", "Άλλαξε το φόντο", "الوجه", "שלום", "हिन्दी", "ไทย", "🎉👩‍👩‍👧"]
)
def test_these_scripts_are_written_without_boxes(text: str) -> None:
    assert all(cell.face is not None for cell in cells_of(text))


@pytest.mark.parametrize("character", ["\0", "\x07", "\x7f", "\ud800", "中", "\U0010ffff", "\ue000"])
def test_these_characters_are_boxes(character: str) -> None:
    assert cells_of(character) == (Cell(character, None),)


@pytest.mark.parametrize("character", ["\ufe0f", "\u2067", "\U000e0041"])
def test_invisible_characters_are_not_drawn_as_boxes(character: str) -> None:
    assert all(cell.face is not None for cell in cells_of("a" + character))


def test_a_box_differs_by_code_point() -> None:
    pictures = [PictureSpec(128, 128, prompt, (), 0, 1, "model", 1) for prompt in ("中", "丮")]
    assert draw(pictures[0]) != draw(pictures[1])


@given(texts)
def test_every_cell_of_a_font_is_in_that_font(text: str) -> None:
    for cell in cells_of(text):
        assert cell.face is None or ord(cell.character) in code_points(font_files()[cell.face])


@given(texts)
def test_marks_pile_up_no_higher_than_four(text: str) -> None:
    assert "\u0301" * 5 not in written(cells_of(text + "a" + "\u0301" * 9))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\x85"])
def test_every_line_end_breaks_once(end: str) -> None:
    assert [written(line.cells) for line in wrap(cells_of(f"a{end}b"), one_em, 99, 9).lines] == ["a", "b"]


@given(words, st.integers(2, 12), st.integers(1, 6))
def test_no_line_is_wider_than_its_limit(text: str, width: int, max_lines: int) -> None:
    wrapped = wrap(cells_of(text), one_em, width, max_lines)
    assert all(len(line.cells) <= width for line in wrapped.lines)
    assert len(wrapped.lines) <= max_lines


@given(words, st.integers(2, 12))
def test_complete_text_loses_nothing_but_spaces(text: str, width: int) -> None:
    wrapped = wrap(cells_of(text), one_em, width, 10**6)
    together = "".join(written(line.cells) for line in wrapped.lines)
    assert wrapped.complete
    assert together.replace(" ", "") == text.replace("\n", "").replace(" ", "")


@given(words, st.integers(2, 12), st.integers(1, 3))
def test_cut_text_ends_in_an_ellipsis(text: str, width: int, max_lines: int) -> None:
    wrapped = wrap(cells_of(text), one_em, width, max_lines)
    assert wrapped.complete or written(wrapped.lines[-1].cells).endswith("…")


def test_words_are_kept_whole_where_they_fit() -> None:
    wrapped = wrap(cells_of("one two three fourteen"), one_em, 9, 9)
    assert [written(line.cells) for line in wrapped.lines] == ["one two", "three", "fourteen"]


def test_a_word_longer_than_the_line_is_broken_but_not_before_a_mark() -> None:
    wrapped = wrap(cells_of("aaae\u0301e"), one_em, 4, 9)
    assert [written(line.cells) for line in wrapped.lines] == ["aaa", "e\u0301e"]


@pytest.mark.parametrize(
    ("text", "expected"), [("שלום a", True), ("a שלום", False), ("12 (الوجه", True), ("12", False), ("", False)]
)
def test_the_first_letter_sets_the_direction(text: str, expected: bool) -> None:
    assert is_right_to_left(cells_of(text)) is expected


def test_each_paragraph_has_its_own_direction() -> None:
    wrapped = wrap(cells_of("שלום\nLatin\nالوجه"), one_em, 99, 9)
    assert [line.right_to_left for line in wrapped.lines] == [True, False, True]


@settings(deadline=None, max_examples=50)
@given(texts, st.integers(1, 400))
def test_a_label_is_written_on_one_line_that_fits(text: str, width: int) -> None:
    lettering = Lettering(12)
    line = lettering.line(text, width)
    ellipsis = sum(lettering.advance(cell) for cell in cells_of("…"))
    assert sum(lettering.advance(cell) for cell in line.cells) <= max(width, ellipsis)


@pytest.mark.parametrize("character", ["a", "\n", "\u200b", "中", " ", "\u0301"])
def test_only_the_first_characters_of_a_very_long_prompt_are_read(character: str) -> None:
    prompts = [character * 5_000, character * 100_000 + "end"]
    pictures = [PictureSpec(64, 64, prompt, (), 0, 1, "model", 1) for prompt in prompts]
    assert draw(pictures[0]) == draw(pictures[1])


@pytest.fixture
def without_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the package with the fonts away."""

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    def forget() -> None:
        for cached in (font_files, text._coverage):  # pyright: ignore[reportPrivateUsage] - its cache is of the fonts
            cached.cache_clear()

    monkeypatch.setattr("importlib.resources.files", missing)
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.mark.usefixtures("without_fonts")
def test_without_the_package_of_fonts_letters_beyond_ascii_are_boxes() -> None:
    assert [cell.face for cell in cells_of("aZ9Ж")] == [0, 0, 0, None]
    assert Lettering(20).line("hat Ж", 500).cells[0].face == 0
    assert Image.open(BytesIO(draw(PictureSpec(256, 256, "a hat Ж", (), 0, 1, "m", 1)))).size == (256, 256)
