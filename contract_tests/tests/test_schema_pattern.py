"""Patterns: texts that match them, and their alternatives."""

import pytest
from bodydouble_contract_tests.schema.pattern import (
    alternatives,
    in_python,
    matches,
    matching,
    nesting,
    simplest_match,
    stretched_match,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATTERNS = [
    "^https?://",
    "^(?:[A-Z]{2}-\\d{3}|none)$",
    "(?<year>\\d{4})-(?<month>\\d{2})",
    "\\w+@\\w+",
    "^[^$|(]$",
    "^\\$\\d+$",
    "a|b|^c$",
    "",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_made_for_a_pattern_matches_it(pattern: str) -> None:
    strategy = matching(pattern)
    assert strategy is not None

    @settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
    @given(strategy)
    def check(text: str) -> None:
        assert matches(pattern, text)

    check()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_simplest_match_is_a_match(pattern: str) -> None:
    text = simplest_match(pattern)
    assert text is not None
    assert matches(pattern, text)


@pytest.mark.parametrize("pattern", ["^\\p{Script=Thai}+$", "\\u{1F600}"])
def test_a_pattern_that_python_cannot_read_gives_no_strategy(pattern: str) -> None:
    assert matching(pattern) is None


@pytest.mark.parametrize("pattern", [r"^\p{Lu}+$", r"^[^\p{L}]$", r"^\P{Letter}$", r"(?<=a)b", r"^(.)\1$"])
def test_a_pattern_by_category_or_with_a_look_around_gives_matches(pattern: str) -> None:
    text = simplest_match(pattern)
    assert text is not None
    assert matches(pattern, text)


@pytest.mark.parametrize(("pattern", "length"), [("^[a-z]+$", 5_000), ("^a.*z$", 300), ("^(?:ab)+$", 400)])
def test_a_match_is_stretched_to_a_length_that_is_too_long_to_draw(pattern: str, length: int) -> None:
    text = stretched_match(pattern, length)
    assert text is not None
    assert (len(text), matches(pattern, text)) == (length, True)


def test_the_end_of_a_pattern_in_python_is_the_end_of_the_text() -> None:
    assert in_python("^a$[$]\\$") == "^a\\Z[$]\\$"


def test_a_match_of_an_impossible_length_is_none() -> None:
    assert simplest_match("^a{3}$", 5) is None


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("^a$", ["^a$"]),
        ("^(?:a|b)$", ["^(?:a)$", "^(?:b)$"]),
        ("^(a|b)$", ["^(?:a)$", "^(?:b)$"]),
        ("^(?:a|(?:b|c))$", ["^(?:a)$", "^(?:(?:b|c))$"]),
        ("a|b", ["a", "b"]),
        ("^(?:a)(?:b|c)$", ["^(?:a)(?:b|c)$"]),
        ("^[a|b]$", ["^[a|b]$"]),
        ("^(?:a\\||\\)b)$", ["^(?:a\\|)$", "^(?:\\)b)$"]),
        ("^(?=a|b)c$", ["^(?=a|b)c$"]),
    ],
)
def test_a_pattern_is_split_at_its_outermost_bars(pattern: str, parts: list[str]) -> None:
    assert alternatives(pattern) == parts


@given(st.text(st.sampled_from("ab|()[]^$\\?:"), max_size=12))
def test_any_text_can_be_split(pattern: str) -> None:
    assert alternatives(pattern)


@pytest.mark.parametrize(
    ("pattern", "depth"),
    [
        ("abc", 0), ("^a+$", 1), ("^[^,]+(,[^,]+)*$", 2), (r"^\(\d{3}\)[*+]$", 1), ("^(([a-z]+)+)+(x{10,20}){5,9}$", 3),
    ],
)  # fmt: skip
def test_the_depth_of_repetitions_is_that_of_the_deepest_part(pattern: str, depth: int) -> None:
    assert nesting(pattern) == depth


@pytest.mark.parametrize("pattern", ["^(([a-z]+)+)+(x{10,20}){5,9}$", "^(a+)+$"])
def test_a_match_of_a_pattern_that_takes_long_to_search_is_made(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr("bodydouble_contract_tests.schema.pattern.first_of", refuse)
    found = simplest_match(pattern)
    assert found is not None
    assert matches(pattern, found)
