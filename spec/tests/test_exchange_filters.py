"""Filters of exchanges: their selection, and their messages about unusable values."""

from datetime import UTC, datetime

import pytest
from bodydouble_spec import BadFilter, Exchange, ExchangeFilter, RecordedAnswer
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ("status", "path", "method", "key", "since", "findings")


def exchange(status: int | None = 200, *, wrong: bool = False, time: str = "2026-06-12T10:00:00.000Z") -> Exchange:
    return Exchange(
        "a-1",
        time,
        "POST",
        "/v1/images/generations?n=1",
        key="0af31234",
        findings=({"id": "x"},) if wrong else (),
        answer=None if status is None else RecordedAnswer(status),
    )


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({}, True),
        ({"status": "200"}, True),
        ({"status": "2xx"}, True),
        ({"status": "2XX"}, True),
        ({"status": "4xx"}, False),
        ({"status": "201"}, False),
        ({"path": "/v1/images/generations"}, True),
        ({"path": "/v1/*"}, True),
        ({"path": "*"}, True),
        ({"path": "/v1"}, False),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"key": "0af31234"}, True),
        ({"key": "0af3"}, False),
        ({"findings": "true"}, False),
        ({"findings": "false"}, True),
        ({"since": "2026-06-12T10:00:00Z"}, True),
        ({"since": "2026-06-12T12:00:00+02:00"}, True),
        ({"since": "2026-06-12T12:00:00 02:00"}, True),
        ({"since": "2026-06-12"}, True),
        ({"since": "2026-06-12T10:00:01"}, False),
        ({"since": "1781258400"}, True),
        ({"since": "1781258401"}, False),
        ({"status": "200", "method": "GET"}, False),
    ],
)
def test_all_conditions_have_to_hold(filters: dict[str, str], matches: bool) -> None:
    assert ExchangeFilter.parse(filters).matches(exchange()) is matches


def test_an_exchange_without_an_answer_has_no_status() -> None:
    assert not ExchangeFilter.parse({"status": "2xx"}).matches(exchange(None))


def test_with_findings_selects_those_with_findings() -> None:
    right, wrong = exchange(), exchange(400, wrong=True)
    assert ExchangeFilter(findings=True).select([right, wrong]) == [wrong]


def test_since_is_in_utc_without_a_zone() -> None:
    assert ExchangeFilter.parse({"since": "2026-06-12T10:00:00"}).since == datetime(2026, 6, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "bad"),
        ("status", "4x"),
        ("status", "٤00"),
        ("path", "v1"),
        ("since", "soon"),
        ("since", "0001-01-01T00:00:00+05:00"),
        ("findings", "yes"),
        ("colour", "blue"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_a_usable_value(name: str, value: str) -> None:
    with pytest.raises(BadFilter) as caught:
        ExchangeFilter.parse({name: value})
    assert caught.value.name == name
    assert caught.value.good in str(caught.value)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_any_texts_are_filters_or_refused(values: dict[str, str]) -> None:
    try:
        chosen = ExchangeFilter.parse(values)
    except BadFilter:
        return
    assert isinstance(chosen.matches(exchange()), bool)
