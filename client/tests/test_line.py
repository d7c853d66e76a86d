from typing import Any

import pytest
from bodydouble_client._line import AttemptAborted, ConnectionTrace


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
