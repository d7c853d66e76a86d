"""The format of exchanges: written exchanges are read back, and every bad line is reported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_spec import Exchange, MalformedExchange, RecordedAnswer, Severity, parse_exchange, read_exchanges
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
HEADERS = st.dictionaries(TEXTS, TEXTS, max_size=3)
ANSWERS = st.builds(RecordedAnswer, st.integers(100, 999), HEADERS, JSON)
EXCHANGES = st.builds(
    Exchange,
    id=TEXTS,
    time=st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z"),
    method=TEXTS,
    path=TEXTS,
    operation=st.none() | TEXTS,
    key=st.none() | TEXTS,
    headers=HEADERS,
    body=JSON,
    findings=st.lists(OBJECTS, max_size=2).map(tuple),
    answer=st.none() | ANSWERS,
    duration_s=st.none() | st.floats(0, 1e6),
    matched=st.none() | TEXTS,
    applied=st.lists(TEXTS, max_size=2).map(tuple),
    extra=st.dictionaries(TEXTS.map(lambda name: f"x-{name}"), JSON, max_size=2),
)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(
        "run-1", "2026-06-12T10:00:00.000Z", "POST", "/v1/images", body={"prompt": "café"}, answer=RecordedAnswer(200)
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Any]:
    path = tmp_path_factory.mktemp("exchanges") / "journal.jsonl"

    def write_and_read(data: bytes) -> Any:
        path.write_bytes(data)
        return read_exchanges(path)

    return write_and_read


@settings(deadline=None)
@given(st.lists(EXCHANGES, max_size=3))
def test_written_exchanges_are_read_back(read: Callable[[bytes], Any], exchanges: list[Exchange]) -> None:
    log = read(b"".join(exchange.to_line() for exchange in exchanges))
    assert (log.exchanges, log.findings) == (tuple(exchanges), ())


@settings(deadline=None)
@given(EXCHANGES)
def test_an_exchange_is_one_line(exchange: Exchange) -> None:
    line = exchange.to_line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@settings(deadline=None)
@given(st.binary(max_size=300) | st.lists(st.binary(max_size=40) | EXCHANGES.map(Exchange.to_line)).map(b"".join))
def test_any_bytes_are_read_without_an_exception(read: Callable[[bytes], Any], data: bytes) -> None:
    log = read(data)
    assert len(log.exchanges) + len(log.findings) <= data.count(b"\n") + 1


@settings(deadline=None)
@given(JSON | st.dictionaries(st.sampled_from(list(Exchange("", "", "", "").to_dict())), JSON))
def test_any_json_is_an_exchange_or_refused_with_a_pointer(value: Any) -> None:
    try:
        parse_exchange(value)
    except MalformedExchange as error:
        assert error.pointer == "" or error.pointer.startswith("/")  # noqa: PT017 - most values are refused, not all


@settings(deadline=None)
@given(st.data())
def test_wherever_a_file_is_cut_all_whole_lines_are_read(read: Callable[[bytes], Any], data: st.DataObject) -> None:
    lines = [exchange.to_line() for exchange in data.draw(st.lists(EXCHANGES, min_size=1, max_size=3))]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    log = read(whole[:cut])
    assert len(log.exchanges) >= whole[:cut].count(b"\n")
    assert {finding.id for finding in log.findings} <= {"exchange-torn"}


def test_a_torn_last_line_is_a_warning_with_its_number(read: Callable[[bytes], Any], exchange: Exchange) -> None:
    log = read(exchange.to_line() + exchange.to_line()[:40])
    (finding,) = log.findings
    assert (finding.id, finding.severity, finding.pointer) == ("exchange-torn", Severity.WARNING, "/2")


def test_a_last_line_that_only_lacks_its_newline_is_read(read: Callable[[bytes], Any], exchange: Exchange) -> None:
    assert read(exchange.to_line().rstrip(b"\n")).exchanges == (exchange,)


def test_a_bad_line_in_the_middle_is_reported_and_the_rest_is_read(
    read: Callable[[bytes], Any], exchange: Exchange
) -> None:
    log = read(exchange.to_line() + b"{torn\n" + exchange.to_line())
    assert log.exchanges == (exchange, exchange)
    assert [(finding.id, finding.pointer) for finding in log.findings] == [("exchange-unreadable", "/2")]


def test_two_bad_lines_are_two_different_findings(read: Callable[[bytes], Any]) -> None:
    assert len(set(read(b"x\ny\n").findings)) == 2


def test_a_line_of_a_newer_format_is_reported_as_such(read: Callable[[bytes], Any], exchange: Exchange) -> None:
    (finding,) = read(orjson.dumps({**exchange.to_dict(), "format": 2}) + b"\n").findings
    assert (finding.id, finding.pointer) == ("exchange-format", "/1/format")


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", 42), ("status", "200"), ("headers", {"a": 1})],
)
def test_a_wrong_member_of_the_answer_is_named_by_its_pointer(exchange: Exchange, name: str, value: Any) -> None:
    members = exchange.to_dict()
    members["answer"] = {"status": 200, name: value}
    with pytest.raises(MalformedExchange) as caught:
        parse_exchange(members)
    assert caught.value.pointer == f"/answer/{name}"


@pytest.mark.parametrize("time", ["yesterday", "2026-06-12T10:00:00", "0001-01-01T00:00:00+05:00", 5, None])
def test_a_value_that_is_no_time_with_a_zone_is_refused(exchange: Exchange, time: Any) -> None:
    with pytest.raises(MalformedExchange, match="ISO 8601"):
        parse_exchange({**exchange.to_dict(), "time": time})


def test_unknown_members_are_kept(exchange: Exchange) -> None:
    members = {**exchange.to_dict(), "colour": "blue"}
    assert parse_exchange(members).to_dict() == members


def test_blank_lines_and_a_byte_order_mark_are_skipped(read: Callable[[bytes], Any], exchange: Exchange) -> None:
    log = read(b"\xef\xbb\xbf" + exchange.to_line() + b"\r\n\n" + exchange.to_line())
    assert (log.exchanges, log.findings) == ((exchange, exchange), ())


@pytest.mark.parametrize("odd", ["\ud800", 2**80, float("nan"), {1: "one"}, {"set"}])
def test_a_line_can_hold_any_body(read: Callable[[bytes], Any], odd: object) -> None:
    line = Exchange("a", "2026-06-12T10:00:00Z", "GET", "/", body={"odd": odd}, raw=None).to_line()
    assert len(read(line).exchanges) == 1


def test_a_line_that_is_too_long_is_reported_and_the_next_is_read(
    read: Callable[[bytes], Any], exchange: Exchange
) -> None:
    log = read(b"[" + b" " * (16 * 1024 * 1024) + b"]\n" + exchange.to_line())
    assert (len(log.exchanges), [finding.pointer for finding in log.findings]) == (1, ["/1"])


def test_a_file_that_cannot_be_opened_raises_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_exchanges(tmp_path / "missing.jsonl")
