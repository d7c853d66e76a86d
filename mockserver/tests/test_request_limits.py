"""Bounds on values and nesting, counted before a body is parsed, and what does not count."""

import json
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.request.limits import count_names, exceeded_limit
from bodydouble_spec import Contract, is_array, is_object
from hypothesis import given, settings
from hypothesis import strategies as st

JSON = {"content-type": "application/json"}
TEXTS = st.text(st.sampled_from('a[]{},"\\ :é'), max_size=6)
VALUES = st.recursive(
    TEXTS | st.integers(0, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def children(value: Any) -> Iterable[Any]:
    return value.values() if is_object(value) else value if is_array(value) else ()


def count(value: Any) -> int:
    return 1 + sum(map(count, children(value)))


def levels(value: Any) -> int:
    return 0 if not (is_object(value) or is_array(value)) else 1 + max(map(levels, children(value)), default=0)


def names(value: Any) -> int:
    return (len(value) if is_object(value) else 0) + sum(map(names, children(value)))


@settings(max_examples=300, deadline=None)
@given(VALUES, st.sampled_from([None, 1]), st.integers(2, 9) | st.just(1000))
def test_values_levels_and_names_are_counted_exactly_and_what_is_in_strings_is_not(
    value: Any, indent: int | None, block: int
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    values, depth = count(value), levels(value)
    assert exceeded_limit(text, values, depth, block) is None
    assert exceeded_limit(text, values - 1, depth, block) is not None
    assert depth == 0 or exceeded_limit(text, values, depth - 1, block) is not None
    assert count_names(text, block) == names(value)


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        pytest.param(b"[" * 64 + b"]" * 64, 400, "Invalid", id="64 levels"),
        pytest.param(b"[" * 65 + b"]" * 65, 413, "more than 64 levels", id="65 levels"),
        pytest.param(b"[" * 1_000_000, 413, "JSON values", id="a million open brackets"),
        pytest.param(b'{"a":' * 70 + b"1" + b"}" * 70, 413, "more than 64 levels", id="nested objects"),
        pytest.param(b'{"a":' * 70 + b'"', 413, "more than 64 levels", id="broken in a string"),
        pytest.param(b"[" + b"0," * 99_998 + b"0]", 400, "Invalid", id="100,000 values"),
        pytest.param(b"[" + b"0," * 99_999 + b"0]", 413, "more than 100,000 JSON values", id="one more"),
        pytest.param(b"[" + b'"a",' * 5_000_000, 413, "more than 100,000 JSON values", id="five million texts"),
        pytest.param(b"[" * 65 + b"]" * 5_000_000, 413, "more than 64 levels", id="closed too often"),
        pytest.param(b"[" + b"0," * 9_999_999 + b"0]", 413, "more than 100,000 JSON values", id="ten million zeros"),
        pytest.param(
            b'["' + b"[{," * 1_000_000 + b'"]', 400, "Invalid", id="three million brackets and commas in a string"
        ),
        pytest.param(b'["' + b'\\"[,' * 1_000_000 + b'"]', 400, "Invalid", id="escaped quotation marks before them"),
    ],
)
def test_a_body_over_a_limit_is_413_and_says_which(
    contract: Contract, call: Callable[..., httpx.Response], content: bytes, status: int, reason: str
) -> None:
    answer = call(create_app(contract), content=content, headers=JSON)
    assert (answer.status_code, reason in answer.json()["message"]) == (status, True)


def test_the_limits_are_settings(contract: Contract, call: Callable[..., httpx.Response], edit: Any) -> None:
    app = create_app(contract, Settings(max_json_values=8, max_json_levels=3))
    statuses = [call(app, json=edit(x=value)).status_code for value in (1, [1], [[1]], [1, 2])]
    assert statuses == [200, 200, 413, 413]


@pytest.mark.parametrize("item", [b"0,", b'"a",', b"[],", b'{"a":', b'"a" , '])
def test_a_large_body_is_counted_in_little_more_memory_than_its_text(item: bytes) -> None:
    text = b"[" + item * (20_000_000 // len(item))
    tracemalloc.start()
    try:
        assert exceeded_limit(text, 100_000, 64) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(text)
