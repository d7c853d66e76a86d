"""An answer in one write is the same answer, and leaves the connection as it should be, whatever uvicorn's state."""

import re
import socket
import threading
from collections.abc import Generator

import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.server import Server, bind, server_config

BODY = b'{"model":"google/gemini-2.5-flash-image-edit","prompt":"hi","image_urls":["https://example.com/a.png"]}'
SLOW = b"Prefer: delay=0\r\n"  # with a directive, an answer goes the usual way


def a_request(more: bytes = b"") -> bytes:
    head = b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n"
    return head + more + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def address() -> Generator[tuple[str, int]]:
    app: MockServer = create_app(None, Settings(seed=1))
    listener = bind("127.0.0.1", 0)
    server = Server(server_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


def talk(address: tuple[str, int], sent: bytes, answers: int = 1) -> tuple[bytes, bool]:
    """What comes back, and whether the server ended the connection after that many answers."""
    received = b""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(sent)
        while received.count(b"credits_used") < answers:
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        connection.settimeout(0.2)
        try:
            is_ended = connection.recv(1) == b""
        except TimeoutError:
            is_ended = False
    return received, is_ended


def comparable(received: bytes) -> tuple[list[bytes], bytes]:
    """Header lines in order, without what names one call or one directive, and the body."""
    head, _, body = received.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not re.match(rb"(date|x-request-id|preference-applied)\b", line)]
    return sorted(lines), body


def test_both_ways_send_the_same_answer(address: tuple[str, int]) -> None:
    at_once, _ = talk(address, a_request())
    usual, _ = talk(address, a_request(SLOW))
    assert comparable(at_once) == comparable(usual)
    assert b"\r\ndate: " in at_once


def test_a_connection_is_kept_for_the_next_request(address: tuple[str, int]) -> None:
    received, is_ended = talk(address, a_request() + a_request() + a_request(), answers=3)
    assert received.count(b"HTTP/1.1 200") == 3
    assert not is_ended


def test_a_client_that_wants_the_connection_closed_has_it_closed(address: tuple[str, int]) -> None:
    received, is_ended = talk(address, a_request(b"Connection: close\r\n"))
    assert b"connection: close" in received
    assert is_ended


def test_a_client_that_waits_for_permission_to_send_gets_it(address: tuple[str, int]) -> None:
    head, _, body = a_request(b"Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
