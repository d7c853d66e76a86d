"""A run ends whatever the server does: within its time, its bytes, and a number of calls without an answer."""

import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx
import pytest
from bodydouble_contract_tests.model import OperationProfile, Trouble
from bodydouble_contract_tests.target import RunLimits
from bodydouble_contract_tests.verification import Target, Verification, VerifyOptions, verify
from bodydouble_spec import Contract


def test_a_run_may_take_its_time_and_no_more() -> None:
    moments = iter([100.0, 159.9, 160.0])
    limits = RunLimits(60, 1, lambda: next(moments))
    assert limits.reason_to_stop() is None
    assert "60 s" in (limits.reason_to_stop() or "")


def test_the_bytes_of_answers_and_pictures_count_together() -> None:
    limits = RunLimits(60, 1)
    limits.note_answer(1024 * 1024 // 2, is_late=False)
    limits.note_download(1024 * 1024 // 2, is_late=False)
    assert limits.reason_to_stop() is None
    limits.note_answer(1, is_late=False)
    assert "1 MB" in (limits.reason_to_stop() or "")


@pytest.mark.parametrize(("late", "stops"), [("LLLLL", True), ("LLLL", False), ("LLLL-LLLL", False)])
def test_five_calls_in_a_row_without_an_answer_end_the_run(late: str, stops: bool) -> None:
    limits = RunLimits(60, 1)
    for call in late:
        limits.note_answer(0, is_late=call == "L")
    assert (limits.reason_to_stop() is not None) == stops


def test_pictures_that_take_too_long_end_the_downloads_only() -> None:
    limits = RunLimits(60, 1)
    for _ in range(5):
        limits.note_download(0, is_late=True)
    assert "5 downloads in a row" in (limits.reason_to_skip() or "")
    assert limits.reason_to_stop() is None


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Generator[str]:
    """Yield the address of a server that gives each connection to a function."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=ended, args=(connection,), daemon=True).start()

        def ended(connection: socket.socket) -> None:
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.02)


def endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [endless_headers, endless_body])
def test_an_answer_without_an_end_is_ended(answer: Callable[[socket.socket], None]) -> None:
    with serving(answer) as origin, Target(origin, "a-key-of-nobody", timeout_s=0.3) as target:
        received = target.send("POST", "/v1/images/generations", b"{}")
    assert (received.trouble, received.detail.endswith("within 0.3 s")) == (Trouble.TIMEOUT, True)


def run(options: VerifyOptions, content: bytes = b"{}") -> Verification:
    """Return the verification of a server that gives one body to every call."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=httpx.ByteStream(content))

    with Target("http://127.0.0.1", "a-key-of-nobody", transport=httpx.MockTransport(answer)) as target:
        return verify(OperationProfile(Contract.load()), target, options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (VerifyOptions(max_run_s=0), "the run reached its limit of 0 s"),
        (VerifyOptions(max_received_mb=0.5), "the answers have reached the limit of 0.5 MB"),
    ],
)
def test_a_run_that_reaches_a_limit_is_incomplete_and_keeps_its_findings(options: VerifyOptions, told: str) -> None:
    done = run(options, b" " * 200_000)
    assert told in (done.incomplete or "")
    assert f"({done.requests} of " in (done.incomplete or "")
    assert bool(done.findings) == (done.requests > 0)
    assert done.requests < 5
