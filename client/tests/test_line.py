from typing import Any

import pytest
from bodydouble_client._line import HungUp, Line


class _Request:
    def __init__(self, method: bytes) -> None:
        self.method = method


def _info(method: bytes = b"POST") -> dict[str, Any]:
    return {"request": _Request(method)}


def test_a_line_that_nobody_watched_does_not_know_whether_anything_was_sent() -> None:
    assert Line().hang_up() is None


def test_a_line_knows_that_it_is_connecting_and_then_sending() -> None:
    line, seen = Line(), list[bool | None]()
    for event in ("connection.connect_tcp.started", "http11.send_request_headers.started"):
        line.observe(event, _info())
        seen.append(line.sent)
    assert seen == [False, True]


@pytest.mark.parametrize("event", ["connection.connect_tcp.started", "http11.send_request_headers.started"])
def test_after_hanging_up_nothing_is_begun_any_more(event: str) -> None:
    line = Line()
    line.hang_up()
    with pytest.raises(HungUp):
        line.observe(event, _info())
    assert not line.sent


def test_a_connection_that_comes_after_hanging_up_is_closed() -> None:
    class Stream:
        closed = False

        def close(self) -> None:
            self.closed = True

    line, stream = Line(), Stream()
    line.hang_up()
    with pytest.raises(HungUp):
        line.observe("connection.connect_tcp.complete", {"return_value": stream})
    assert stream.closed
