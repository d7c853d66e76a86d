"""Texts that match a pattern: made within a budget, whatever the pattern asks for."""

import pytest
from bodydouble_spec.schema import matching_text

HUGE = [
    "a{100000}", "(a{1,100000}){5}", "^(a?){50000}a{50000}$", "[a-z]{99999,}", "(" * 5000 + "a" + ")" * 5000, "(a{50}){4000}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", HUGE, ids=[pattern[:20] for pattern in HUGE])
def test_a_pattern_that_only_a_huge_text_or_much_work_can_match_gets_none(pattern: str) -> None:
    assert matching_text(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "least", "length"),
    [("(a+)+$", 0, 1), ("^(([a-z]+)+)+(x{10,20}){5,9}$", 0, 51), ("a{1,100000}", 500, 500), ("^[a-z]{3,5000}$", 0, 3)],
)
def test_a_pattern_with_a_short_match_gets_it(pattern: str, least: int, length: int) -> None:
    found = matching_text(pattern, least)
    assert found is not None
    assert len(found) == length


def test_no_text_is_made_for_a_length_beyond_the_budget() -> None:
    assert matching_text("^a*$", 100_000_000) is None
