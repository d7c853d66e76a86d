"""Foreign texts in output: cut to a length that holds, and safe to print."""

import pytest
from bodydouble_spec.oracle import NoFetching
from bodydouble_spec.text import cut, cut_counted, cut_line, visible
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.characters() | st.sampled_from(" \n\x1b\u202e:#["), max_size=80)


@given(TEXTS, st.integers(1, 60))
def test_a_cut_text_is_whole_or_exactly_as_long_as_allowed(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert shown == text if len(text) <= limit else (len(shown), shown[-1]) == (limit, "…")


@given(TEXTS, st.integers(1, 60))
def test_a_cut_line_is_one_visible_line_within_its_limit(text: str, limit: int) -> None:
    shown = cut_line(text, limit)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= limit
    assert visible(shown) == shown


def test_an_emoji_of_several_characters_stays_whole() -> None:
    assert cut_line("a \U0001f469\u200d\U0001f680 draws") == "a \U0001f469\u200d\U0001f680 draws"


def test_the_length_of_a_long_text_is_told() -> None:
    assert (cut_counted("abc", 3), cut_counted("a" * 1200, 2)) == ("abc", "aa… (1,200 characters)")


def test_a_message_of_the_second_validator_is_safe_to_print() -> None:
    with pytest.raises(OSError, match=r"^\\x1b\[2J is another document"):
        NoFetching()["http"]("\x1b[2J")
