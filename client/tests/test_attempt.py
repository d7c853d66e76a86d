from typing import Any

import httpx
import pytest
from bodydouble_client._attempt import AttemptAborted, BodyReader, ConnectionTrace, FailureKind
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary()), st.integers(0, 50))
def test_a_body_is_read_completely_up_to_the_limit(chunks: list[bytes], limit_bytes: int) -> None:
    reader = BodyReader(limit_bytes, 1.0, lambda: 0.0)
    complete = all(reader.add(chunk) is None for chunk in chunks)
    assert (complete, reader.body) == (True, b"".join(chunks)) or len(b"".join(chunks)) > limit_bytes


def test_a_body_that_is_still_arriving_when_the_time_is_over_is_a_timeout() -> None:
    failure = BodyReader(10, 1.0, lambda: 1.5).add(b"x")
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT


@given(st.text(st.characters(max_codepoint=255)))
def test_any_content_length_is_checked_without_an_exception(length: str) -> None:
    headers = httpx.Headers({"content-length": length}, encoding="latin-1")
    BodyReader(10, 1.0, lambda: 0.0).check_headers(headers)


class _Request:
    def __init__(self, method: bytes) -> None:
        self.method = method


def _info(method: bytes = b"POST") -> dict[str, Any]:
    return {"request": _Request(method)}


def test_without_any_event_it_is_unknown_whether_anything_was_sent() -> None:
    assert ConnectionTrace().abort() is None


def test_connecting_is_not_sending() -> None:
    trace, seen = ConnectionTrace(), list[bool | None]()
    for event in ("connection.connect_tcp.started", "http11.send_request_headers.started"):
        trace.observe(event, _info())
        seen.append(trace.sent)
    assert seen == [False, True]


@pytest.mark.parametrize("event", ["connection.connect_tcp.started", "http11.send_request_headers.started"])
def test_an_aborted_attempt_starts_nothing_new(event: str) -> None:
    trace = ConnectionTrace()
    trace.abort()
    with pytest.raises(AttemptAborted):
        trace.observe(event, _info())
    assert not trace.sent


def test_a_connection_made_after_the_abort_is_closed() -> None:
    class Stream:
        closed = False

        def close(self) -> None:
            self.closed = True

    trace, stream = ConnectionTrace(), Stream()
    trace.abort()
    with pytest.raises(AttemptAborted):
        trace.observe("connection.connect_tcp.complete", {"return_value": stream})
    assert stream.closed
