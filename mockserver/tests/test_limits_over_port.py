"""Limits on connections and on clients that stop, over a real port; and answers to clients that are still sending."""

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract

from spec.tests.servers import serve_asgi

Serve = Callable[[MockServer], contextlib.AbstractContextManager[str]]
PATH = "/v1/images/generations"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n"


def connect(origin: str) -> socket.socket:
    url = httpx.URL(origin)
    return socket.create_connection((url.host, url.port or 0), timeout=30)


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/_bodydouble/scenarios", 413),
        ("POST", "/_bodydouble/requests/verify", 413),
        ("POST", "/_bodydouble/nothing", 404),
        ("POST", "/v1/chat/completions", 404),
        ("POST", PATH, 413),
        ("POST", "/_bodydouble/script", 413),
    ],
)
def test_a_client_that_closes_the_connection_reads_the_answer_to_what_it_is_still_sending(
    contract: Contract, serve: Serve, method: str, path: str, status: int
) -> None:
    app = create_app(contract, Settings(max_body_bytes=1_000_000))
    with serve(app) as origin:
        # urllib asks for the end of the connection, and reads after it has sent everything.
        request = urllib.request.Request(f"{origin}{path}", b" " * 20_000_000, method=method)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=30)
    with raised.value as error:
        assert (error.code, bool(error.read())) == (status, True)


def test_a_client_that_asks_first_is_refused_before_it_sends(contract: Contract, serve: Serve) -> None:
    with serve(create_app(contract)) as origin, connect(origin) as connection:
        connection.sendall(f"{HEAD}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n".encode())
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_a_body_that_stops_coming_is_refused_and_recorded(contract: Contract, serve: Serve) -> None:
    app = create_app(contract, Settings(idle_timeout_s=0.2))
    with serve(app) as origin, connect(origin) as connection:
        connection.sendall(f"{HEAD}Content-Length: 9\r\n\r\n[".encode())
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    (exchange,) = app.journal.exchanges()
    assert (exchange.method, exchange.path, exchange.status) == ("POST", PATH, 408)
    assert [item["id"] for item in exchange.findings] == ["request-body-too-late"]


def test_a_client_that_reads_nothing_is_cut_off(contract: Contract) -> None:
    app = create_app(contract, Settings(idle_timeout_s=0.2))
    app.play({"answers": [{"path": "/big", "body": "x" * 30_000_000}]})
    server = Server(server_config(app))
    with serve_asgi(server) as origin, connect(origin) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: mock\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        while server.server_state.connections:
            time.sleep(0.01)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += len(part)
    assert received < 30_000_000


def leave_after(server: Server, origin: str, requests: bytes) -> None:
    """Send requests, leave as soon as one of them is being answered, and wait until none is."""
    with connect(origin) as connection:
        connection.sendall(requests)
        while not server.server_state.tasks:
            time.sleep(0.01)
    for _ in range(500):
        if not server.server_state.tasks:
            break
        time.sleep(0.01)
    assert not server.server_state.tasks


def test_a_request_before_another_one_ends_with_the_connection(contract: Contract) -> None:
    server = Server(server_config(create_app(contract)))
    request = f"{HEAD}Prefer: fault=hang\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    with serve_asgi(server) as origin:
        leave_after(server, origin, request * 3)


def test_a_malformed_body_behind_a_request_that_is_being_answered_is_refused_after_it(
    contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(server_config(create_app(contract)))
    first = f"{HEAD}Prefer: delay=0.2\r\nContent-Length: 2\r\n\r\n{{}}"
    second = "POST /_bodydouble/scenarios HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n"
    with serve_asgi(server) as origin, connect(origin) as connection:
        connection.sendall((first + second).encode())
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 400 ") == 2
    assert 0 < answers.find(b"image_urls") < answers.find(b"The body is not in the chunks")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_server_that_ends_does_not_wait_for_the_rest_of_a_body(contract: Contract) -> None:
    config = server_config(create_app(contract))
    config.timeout_graceful_shutdown = None  # what it waits for, it waits for without end
    server = Server(config)
    # `serve_asgi` asserts that the server ends.
    with serve_asgi(server) as origin, connect(origin) as connection:
        connection.sendall(f"{HEAD}Content-Length: 9000000\r\n\r\n[".encode() + b" " * 100_000)
        while not server.server_state.tasks:
            time.sleep(0.01)
        server.should_exit = True
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


@pytest.mark.parametrize("fault", [*FAULTS])
def test_a_client_that_leaves_before_a_fault_is_no_error(
    contract: Contract, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    server = Server(server_config(create_app(contract)))
    request = f"{HEAD}Prefer: fault={fault}, delay=0.1\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    with serve_asgi(server) as origin:
        leave_after(server, origin, request * 2)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_connections_beyond_the_limit_are_answered_recorded_and_closed(contract: Contract, serve: Serve) -> None:
    app = create_app(contract, Settings(max_connections=2))
    body = json.dumps({"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": []}).encode()
    with serve(app) as origin, contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(origin)) for _ in range(2)]
        for connection in held:
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert connection.recv(12) == b"HTTP/1.1 200"
        with connect(origin) as third:
            third.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert read_all(third).startswith(b"HTTP/1.1 503 ")
        held[0].close()
        statuses: list[int] = []
        while not statuses or statuses[-1] == 503:
            statuses.append(httpx.post(f"{origin}{PATH}", content=body).status_code)
    assert statuses[-1] == 401
    refused = [exchange for exchange in app.journal.exchanges() if exchange.status == 503]
    assert {item["id"] for exchange in refused for item in exchange.findings} == {"too-many-connections"}


def test_a_client_that_leaves_while_it_sends_to_a_control_route_is_no_error(
    contract: Contract, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(create_app(contract)) as origin:
        for path in ("scenarios", "requests/verify", "reset"):
            with connect(origin) as connection:
                connection.sendall(
                    f"POST /_bodydouble/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n[".encode()
                )
        assert httpx.get(f"{origin}/_bodydouble/health").status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def get(origin: str, head: bytes) -> int:
    with connect(origin) as connection:
        connection.sendall(head)
        return int(read_all(connection)[9:12])


def test_head_and_url_are_accepted_up_to_their_limits_and_refused_beyond(contract: Contract, serve: Serve) -> None:
    start, end = b"GET /v1/models?%b HTTP/1.1\r\nHost: mock\r\nX: %b", b"\r\nConnection: close\r\n\r\n"

    def head(size: int) -> bytes:
        return start % (b"", b"a" * (size - len(start % (b"", b"")) - len(end))) + end

    def url(size: int) -> bytes:
        return start % (b"a" * (size - len("/v1/models?")), b"") + end

    with serve(create_app(contract, Settings(max_head_bytes=20_000))) as origin:
        assert [get(origin, head(size)) for size in (20_000, 20_001)] == [200, 431]
        assert [get(origin, url(size)) for size in (16 * 1024, 16 * 1024 + 1)] == [200, 414]
