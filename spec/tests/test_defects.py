"""Short forms of values in messages."""

from typing import Any

import pytest
from bodydouble_spec.defects import listed, shorten, show

SHOWN: list[tuple[Any, str]] = [
    ('a "b"', '"a \\"b\\""'),
    ("café", '"café"'),
    ("a\nb", r'"a\nb"'),
    ("x" * 60, f'"{"x" * 60}"'),
    ("x" * 61, f'"{"x" * 60}…" (61 characters)'),
    ("\x00" * 60, '"' + r"\u0000" * 20 + '…" (60 characters)'),
    ("\ud800", '"?"'),
    (2**256, "integer of 257 bits"),
    ([1, None, True], "[1, null, true]"),
    ([[]], "array of 1 items"),
    (list(range(25)), "array of 25 items"),
    ({"a": 1}, '{"a": 1}'),
    ({str(key): "y" * 50 for key in range(9)}, "object of 9 properties"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_a_value_is_shown(value: Any, text: str) -> None:
    assert show(value) == text


def test_a_small_value_is_not_shortened() -> None:
    values: list[Any] = [None, 1.5, "text", [1, 2], {"a": "b"}]
    assert [shorten(value) for value in values] == values


def test_a_list_is_cut_and_the_rest_counted() -> None:
    assert listed(range(1000)) == ", ".join(map(str, range(65))) + " and 935 more"


def test_what_is_only_counted_is_not_formatted() -> None:
    formatted: list[int] = []

    def text_of(number: int) -> str:
        formatted.append(number)
        return str(number)

    listed(range(100_000), text_of)
    assert len(formatted) < 70


def test_a_short_list_is_whole() -> None:
    assert listed(["200", "default"]) == "200, default"
