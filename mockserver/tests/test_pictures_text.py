"""Text on pictures: fonts, line breaks and cuts."""

import pytest
from bodydouble_mockserver.pictures import PictureSpec, draw
from bodydouble_mockserver.pictures.text import Cell, Lettering, cells_of, is_right_to_left, wrap, wrap_evenly
from hypothesis import given, settings
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=()), max_size=200)
words = st.text("ab -\n中é", max_size=120)


def written(cells: tuple[Cell, ...]) -> str:
    return "".join(cell.text for cell in cells)


@pytest.mark.parametrize(
    "text", ["café naïve", "Сделай фон", "Άλλαξε το φόντο", "الوجه", "שלום", "हिन्दी", "ไทย", "🎉👩‍👩‍👧"]
)
def test_these_scripts_are_written_without_boxes(text: str) -> None:
    assert all(cell.face is not None for cell in cells_of(text))


@pytest.mark.parametrize("character", ["\0", "\x07", "\x7f", "\ud800", "\ue001", "\U0010ffff", "\ue000"])
def test_these_characters_are_boxes(character: str) -> None:
    assert cells_of(character) == (Cell(character, None),)


@pytest.mark.parametrize("character", ["\ufe0f", "\u2067", "\U000e0041"])
def test_invisible_characters_are_not_drawn_as_boxes(character: str) -> None:
    assert all(cell.face is not None for cell in cells_of("a" + character))


def test_a_box_differs_by_code_point() -> None:
    pictures = [PictureSpec(128, 128, prompt, (), 0, 1, "model", 1) for prompt in ("\ue000", "\ue001")]
    assert draw(pictures[0]) != draw(pictures[1])


@given(texts)
def test_marks_pile_up_no_higher_than_four(text: str) -> None:
    assert "\u0301" * 5 not in written(cells_of(text + "a" + "\u0301" * 9))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\x85"])
def test_every_line_end_breaks_once(end: str) -> None:
    assert [written(line.cells) for line in wrap(cells_of(f"a{end}b"), len, 99, 9).lines] == ["a", "b"]


@given(words, st.integers(2, 12), st.integers(1, 6))
def test_no_line_is_wider_than_its_limit(text: str, width: int, max_lines: int) -> None:
    wrapped = wrap(cells_of(text), len, width, max_lines)
    assert all(len(line.cells) <= width for line in wrapped.lines)
    assert len(wrapped.lines) <= max_lines


@given(words, st.integers(2, 12))
def test_complete_text_loses_nothing_but_spaces(text: str, width: int) -> None:
    wrapped = wrap(cells_of(text), len, width, 10**6)
    together = "".join(written(line.cells) for line in wrapped.lines)
    assert wrapped.complete
    assert together.replace(" ", "") == text.replace("\n", "").replace(" ", "")


@given(words, st.integers(2, 12), st.integers(1, 3))
def test_cut_text_ends_in_an_ellipsis(text: str, width: int, max_lines: int) -> None:
    wrapped = wrap(cells_of(text), len, width, max_lines)
    assert wrapped.complete or written(wrapped.lines[-1].cells).endswith("…")


def test_words_are_kept_whole_where_they_fit() -> None:
    wrapped = wrap(cells_of("one two three fourteen"), len, 9, 9)
    assert [written(line.cells) for line in wrapped.lines] == ["one two", "three", "fourteen"]


def test_a_word_longer_than_the_line_is_broken_but_not_before_a_mark() -> None:
    wrapped = wrap(cells_of("aaae\u0301e"), len, 3, 9)
    assert [written(line.cells) for line in wrapped.lines] == ["aaa", "e\u0301e"]


@pytest.mark.parametrize(
    ("text", "expected"), [("שלום a", True), ("a שלום", False), ("12 (الوجه", True), ("12", False), ("", False)]
)
def test_the_first_letter_sets_the_direction(text: str, expected: bool) -> None:
    assert is_right_to_left(cells_of(text)) is expected


def test_each_paragraph_has_its_own_direction() -> None:
    wrapped = wrap(cells_of("שלום\nLatin\nالوجه"), len, 99, 9)
    assert [line.right_to_left for line in wrapped.lines] == [True, False, True]


@settings(deadline=None, max_examples=50)
@given(texts, st.integers(1, 400))
def test_a_label_is_written_on_one_line_that_fits(text: str, width: int) -> None:
    lettering = Lettering(12)
    line = lettering.line(text, width)
    # Letters that are joined may be wider than they are one by one, by less than one of them.
    assert lettering.measure(line.cells) <= max(width + lettering.size, lettering.measure(cells_of("…")))


@pytest.mark.parametrize("character", ["a", "\n", "\u200b", "中", " ", "\u0301"])
def test_only_the_first_characters_of_a_very_long_prompt_are_read(character: str) -> None:
    prompts = [character * 5_000, character * 100_000 + "end"]
    pictures = [PictureSpec(64, 64, prompt, (), 0, 1, "model", 1) for prompt in prompts]
    assert draw(pictures[0]) == draw(pictures[1])


SCRIPTS = {
    "Hindi": "पृष्ठभूमि को समुद्र तट पर सूर्यास्त में बदलें और व्यक्ति की मुद्रा वैसी ही रखें कृपया विद्यार्थी क्षेत्र ",
    "Thai": "เปลี่ยนพื้นหลังให้เป็นพระอาทิตย์ตกที่ชายทะเลโดยคงท่าทางและเสื้อผ้าของบุคคลไว้เหมือนเดิมแล้วเขียนคำว่าสวัสดี",
    "Arabic": "غير الخلفية إلى غروب الشمس على شاطئ البحر واحتفظ بوضعية الشخص وملابسه كما هي ",
    "Myanmar": "နောက်ခံကို ပင်လယ်ကမ်းခြေတွင် နေဝင်ချိန်အဖြစ် ပြောင်းလဲပြီး လူ၏ ကိုယ်ဟန်နှင့် အဝတ်အစားများကို ",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_lines_of_scripts_with_marks_are_full(script: str) -> None:
    """Letters are measured as they are joined: one by one, Hindi filled 60 % of a line, and Thai was broken at its few spaces."""
    lettering = Lettering(23)
    lines = wrap(cells_of(SCRIPTS[script] * 4), lettering.measure, 700, 99).lines
    assert len(lines) > 3
    assert min(lettering.width(line) for line in lines[:-1]) > 700 * 0.8
    assert max(map(lettering.width, lines)) <= 700


@pytest.mark.parametrize(
    ("text", "parts"),
    [("คำนี้", ["ค", "ำ", "นี้"]), ("क्षेत्र", ["क्षे", "त्र"]), ("👩‍👧x", ["👩‍👧", "x"]), ("일본", ["일", "본"])],
)
def test_what_is_written_in_one_piece_is_one_cell(text: str, parts: list[str]) -> None:
    assert [cell.text for cell in cells_of(text)] == parts


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("背景、海。", ["背", "景、", "海。"]),
        ("「海」a", ["「海", "」a"]),
        ("เที่ยว", ["เที่", "ยว"]),
        ("နေဝင်ချိန်", ["နေ", "ဝင်", "ချိန်"]),
    ],
)
def test_no_line_begins_with_what_belongs_to_the_one_before(text: str, lines: list[str]) -> None:
    assert [written(line.cells) for line in wrap(cells_of(text), len, 2, 9).lines] == lines


def test_lines_of_a_caption_are_of_about_one_length_and_no_word_is_broken_for_it() -> None:
    def lines(text: str, width: int) -> list[str]:
        return [written(line.cells) for line in wrap_evenly(cells_of(text), len, width, 2).lines]

    assert lines("灯台を置いてください", 8) == ["灯台を置い", "てください"]
    assert lines("one two three a", 13) == ["one two", "three a"]
    assert lines("aaaaaaaaaaaaaaaaaaaa bb", 20) == ["a" * 20, "bb"]
    assert lines("one line", 20) == ["one line"]
