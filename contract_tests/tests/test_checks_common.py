"""What failing requests have in common: the smallest statement that no other request contradicts."""

from typing import Any

import pytest
from bodydouble_contract_tests.checks.common import common_traits, traits
from hypothesis import given
from hypothesis import strategies as st

BODIES = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from([1, 2, None, "x", "two\nlines", ["https://example.com/a"]]), max_size=3
)


@pytest.mark.parametrize(
    ("failing", "others", "found"),
    [
        ([{"n": 4, "r": "1:1"}, {"n": 4, "r": "2:3"}], [{"n": 1, "r": "1:1"}, {"n": 1, "r": "2:3"}], "n = 4"),
        ([{"p": "a\nb"}, {"p": "c\nd"}], [{"p": "a"}], "p with a line break"),
        ([{"p": "门"}, {"p": "漆成红色"}], [{"p": "é"}, {"p": "m"}], "p with CJK characters"),
        ([{"a": 1}, {"a": 2}], [{"a": 1, "b": 1}], "no b"),
        ([{"u": ["data:image/webp;base64,A"]}] * 2, [{"u": ["data:image/png;base64,A"]}], "u with an item that is a data URI of image/webp"),
        ([{"n": 2, "r": "x", "k": 1}, {"n": 2, "r": "x", "k": 2}], [{"n": 2, "r": "y", "k": 1}, {"n": 1, "r": "x", "k": 2}], "n = 2 and r = 'x'"),
        ([{"n": 2}, {"n": 2}], [{"n": 2}], None),
        ([{"n": 2}], [{"n": 1}], None),  # one request shows nothing in common
    ],
)  # fmt: skip
def test_the_trait_that_explains_the_failures_is_found(
    failing: list[Any], others: list[Any], found: str | None
) -> None:
    named = {str(number): body for number, body in enumerate(failing)}
    told = {" and ".join(sorted(trait)) for trait in common_traits(named, others).values()}
    assert told == (set() if found is None else {found})


def test_two_faults_are_two_traits() -> None:
    failing = {"a": {"n": 4, "r": "x"}, "b": {"n": 4, "r": "y"}, "c": {"n": 1, "r": "z"}, "d": {"n": 2, "r": "z"}}
    others = [{"n": 1, "r": "x"}, {"n": 2, "r": "y"}]
    found = {name: next(iter(trait)) for name, trait in common_traits(failing, others).items()}
    assert found == {"a": "n = 4", "b": "n = 4", "c": "r = 'z'", "d": "r = 'z'"}


@given(failing=st.lists(BODIES, max_size=6), others=st.lists(BODIES, max_size=6))
def test_no_other_request_has_a_trait_that_explains_a_failure(failing: list[Any], others: list[Any]) -> None:
    names = frozenset(name for body in (*failing, *others) for name in body)
    for name, trait in common_traits({str(number): body for number, body in enumerate(failing)}, others).items():
        assert trait <= traits(failing[int(name)], names)
        assert not any(trait <= traits(body, names) for body in others)
