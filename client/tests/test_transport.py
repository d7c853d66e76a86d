"""Over a real socket: what a server, a gateway or a network can do to a call."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_client import (
    ArgumentError,
    AsyncClient,
    Client,
    ClientClosed,
    ConnectFailed,
    ConnectionLost,
    ServerError,
    ServiceUnavailable,
    StatusError,
    TimedOut,
    TransportError,
    UnreadableAnswer,
)

SHORT: dict[str, Any] = {"timeout_s": 0.3, "retries": 0}


def test_a_call_arrives_as_json_with_the_key_and_an_id(twin: Any, server: Any, key: str) -> None:
    result = twin.edit(base_url=server.url)
    (request,) = server.requests
    assert {
        "line": request.line,
        "authorization": request.headers["authorization"],
        "content-type": request.headers["content-type"],
        "id": request.headers["x-client-request-id"],
        "body": request.json["prompt"],
    } == {
        "line": "POST /v1/images/generations HTTP/1.1",
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "id": result.client_request_id,
        "body": "prompt",
    }


def test_the_answer_becomes_the_result(twin: Any, server: Any, good_body: Any) -> None:
    server.enqueue(server.answer(200, good_body, X_Request_Id="req-1", X_Aimlapi_Usd_Spent="0.042000000"))
    result = twin.edit(base_url=server.url)
    assert (result.raw, result.request_id, result.cost_usd) == (good_body, "req-1", 0.042)


def test_a_refused_connection_is_retried_and_then_a_failure_to_connect(
    twin: Any, closed_port: str, fake_time: Any
) -> None:
    with pytest.raises(ConnectFailed) as caught:
        twin.edit(base_url=closed_port, _clock=fake_time.clock())
    assert (len(fake_time.waits), caught.value.may_be_charged) == (2, False)


def test_an_unknown_host_is_a_failure_to_connect(twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown_host(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown_host)  # tests use no real name server
    with pytest.raises(ConnectFailed, match=r"nowhere\.invalid"):
        twin.edit(base_url="http://nowhere.invalid", retries=0)


def test_a_server_without_tls_is_a_failure_to_connect(twin: Any, server: Any) -> None:
    server.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with pytest.raises(ConnectFailed):
        twin.edit(base_url=server.url.replace("http:", "https:"), retries=0)


@pytest.mark.parametrize(
    "fault", ["reset before headers", "closed before headers", "reset mid body", "cut short", "garbage"]
)
def test_a_connection_lost_after_sending_is_not_retried(twin: Any, server: Any, fault: str) -> None:
    head = server.head(200, 1000)
    faults = {
        "reset before headers": server.reset(),
        "closed before headers": server.raw(b""),
        "reset mid body": server.reset(head + b'{"data": ['),
        "cut short": server.raw(head + b'{"data": ['),
        "garbage": server.raw(b"\x00\x01 not HTTP\r\n\r\n"),
    }
    server.enqueue(faults[fault])
    with pytest.raises(ConnectionLost) as caught:
        twin.edit(base_url=server.url)
    assert (caught.value.may_be_charged, server.connections) == (True, 1)


def test_an_error_status_with_an_incomplete_body_is_retried_by_its_status(
    twin: Any, server: Any, fake_time: Any
) -> None:
    server.enqueue(server.raw(server.head(503, 1000) + b'{"message": "Ser'))
    twin.edit(base_url=server.url, _clock=fake_time.clock())
    assert len(server.requests) == 2


def test_an_error_status_with_an_incomplete_body_keeps_the_part_that_arrived(twin: Any, server: Any) -> None:
    server.enqueue(server.raw(server.head(503, 1000) + b'{"message": "Ser'))
    with pytest.raises(ServiceUnavailable) as caught:
        twin.edit(base_url=server.url, retries=0)
    assert caught.value.body == '{"message": "Ser'


@pytest.mark.parametrize("place", ["hang", "headers", "body", "chunks"])
def test_a_server_that_is_too_slow_is_a_time_out(twin: Any, server: Any, place: str) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.enqueue(
        {
            "hang": server.hang(),
            "headers": server.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
            "body": server.drip(server.head(200, 10_000)),
            "chunks": server.drip(chunked, b"1\r\n \r\n"),
        }[place]
    )
    with pytest.raises(TimedOut) as caught:
        twin.edit(base_url=server.url, **SHORT)
    assert (caught.value.may_be_charged, server.connections) == (True, 1)


def test_the_deadline_ends_an_attempt_that_has_time_left(twin: Any, server: Any) -> None:
    server.enqueue(server.hang())
    with pytest.raises(TimedOut):
        twin.edit(base_url=server.url, timeout_s=100, deadline_s=0.3)


def test_a_request_body_that_the_server_does_not_read_is_a_time_out(twin: Any, server: Any) -> None:
    server.enqueue(server.hang())
    server.reads_bodies = False
    with pytest.raises(TimedOut):
        twin.call("edit", "x" * 30_000_000, [], base_url=server.url, **SHORT)


def test_a_slow_name_server_is_a_time_out_with_nothing_sent(
    twin: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved, real_lookup = threading.Event(), socket.getaddrinfo

    def slow_lookup(*arguments: Any, **more: Any) -> Any:
        threading.Event().wait(0.8)
        addresses = real_lookup(*arguments, **more)
        resolved.set()
        return addresses

    monkeypatch.setattr("socket.getaddrinfo", slow_lookup)
    with pytest.raises(TimedOut) as caught:
        twin.edit(base_url=server.url.replace("127.0.0.1", "localhost"), **SHORT)
    assert resolved.wait(5)
    _attempts_have_ended()
    assert (caught.value.may_be_charged, server.requests) == (False, [])


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_answer_is_read(twin: Any, server: Any, good_body: Any, coding: str) -> None:
    content = json.dumps(good_body).encode()
    compressed = gzip.compress(content, mtime=0) if coding == "gzip" else zlib.compress(content)
    server.enqueue(server.answer(200, compressed, Content_Encoding=coding))
    assert twin.edit(base_url=server.url).raw == good_body


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b'{"data": []}', "gzip"),
        (gzip.compress(b'{"data": []}', mtime=0)[:-12], "gzip"),
        (b"", "gzip"),
        (b"xx", "deflate"),
        (b'{"data": [{"url": "u"}]}', "br"),
        (gzip.compress(gzip.compress(b'{"data": [{"url": "u"}]}', mtime=0), mtime=0), "gzip, gzip"),
        (b"\xff" * 50, "identity"),
    ],
)
def test_an_answer_that_cannot_be_decompressed_is_unreadable(twin: Any, server: Any, body: bytes, coding: str) -> None:
    server.enqueue(server.answer(200, body, Content_Encoding=coding))
    with pytest.raises(UnreadableAnswer) as caught:
        twin.edit(base_url=server.url)
    assert caught.value.status_code == 200


def test_an_error_status_that_cannot_be_decompressed_keeps_its_status(twin: Any, server: Any) -> None:
    server.enqueue(server.answer(500, b"no gzip", Content_Encoding="gzip"))
    with pytest.raises(ServerError):
        twin.edit(base_url=server.url)


def test_an_answer_that_decompresses_beyond_the_limit_is_unreadable(twin: Any, server: Any) -> None:
    bomb = gzip.compress(bytes(80 * 2**20), 1)
    server.enqueue(server.answer(200, bomb, Content_Encoding="gzip"))
    with pytest.raises(UnreadableAnswer, match="larger than"):
        twin.edit(base_url=server.url)


def test_an_answer_with_a_content_length_beyond_the_limit_is_not_read(twin: Any, server: Any) -> None:
    server.enqueue(server.raw(server.head(200, 10**12)))
    with pytest.raises(UnreadableAnswer, match="larger than"):
        twin.edit(base_url=server.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(twin: Any, server: Any, status: int) -> None:
    server.enqueue(server.answer(status, b"", Location="/elsewhere"))
    with pytest.raises(StatusError) as caught:
        twin.edit(base_url=server.url)
    assert (caught.value.status_code, len(server.requests)) == (status, 1)


@pytest.mark.parametrize("location", ["http://[::1", "", "ftp://host/", "http://host:port/"])
def test_a_redirect_to_an_invalid_url_is_a_status_or_transport_error(twin: Any, server: Any, location: str) -> None:
    server.enqueue(server.answer(302, b"", Location=location))
    with pytest.raises((StatusError, TransportError)):
        twin.edit(base_url=server.url)


def test_redirects_are_not_followed_by_a_callers_client_either(twin: Any, server: Any, key: str) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(307, headers={"Location": "http://elsewhere.test/"})

    def switch_on(client: Any) -> Any:
        client._http.follow_redirects = True
        return client.edit("p", [])

    with pytest.raises(StatusError):
        twin.run(switch_on, handler=handler)
    assert [request.url.host for request in requests] == ["api.test"]


def test_a_callers_client_has_its_authentication_overridden(twin: Any, key: str, good_body: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={**good_body, "description": request.headers["authorization"]})

    def with_own_auth(client: Any) -> Any:
        client._http.auth = ("user", "password")
        client._http.headers["Authorization"] = "Bearer theirs"
        return client.edit("p", [])

    assert twin.run(with_own_auth, handler=handler).description == f"Bearer {key}"


def test_a_callers_client_is_not_closed() -> None:
    with httpx.Client() as http:
        Client("key", http_client=http, download_client=http).close()
        assert not http.is_closed


def test_a_callers_asynchronous_client_is_not_closed() -> None:
    async def use() -> bool:
        async with httpx.AsyncClient() as http:
            await AsyncClient("key", http_client=http, download_client=http).close()
            return http.is_closed

    assert not asyncio.run(use())


@pytest.mark.parametrize("method", ["edit", "edit_many", "download", "save"])
def test_a_closed_client_raises_client_closed(twin: Any, method: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "edit": ("p", []), "edit_many": ([],), "download": (None,), "save": (None, "a.png"),
    }  # fmt: skip

    def use_closed(client: Any) -> Any:
        client._closed = True
        return getattr(client, method)(*arguments[method])

    with pytest.raises(ClientClosed):
        twin.run(use_closed)


def test_a_callers_client_that_was_closed_is_a_transport_error(twin: Any) -> None:
    def closed(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("Cannot send a request, as the client has been closed.")

    with pytest.raises(TransportError, match="closed"):
        twin.edit(handler=closed)


@pytest.mark.parametrize(
    "error",
    [ssl.SSLError("x"), OSError("x"), ValueError("x"), RuntimeError(), UnicodeError("x"), httpx.InvalidURL("x"),
     httpx.LocalProtocolError("x"), httpx.UnsupportedProtocol("x"), httpx.DecodingError("x"), httpx.TooManyRedirects("x")],
)  # fmt: skip
def test_any_exception_of_a_transport_becomes_an_error_of_the_package(twin: Any, error: Exception) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises((TransportError, UnreadableAnswer)):
        twin.edit(handler=handler, retries=0)


def test_an_interruption_is_raised_unchanged(twin: Any) -> None:
    class Stop(BaseException):
        pass

    def handler(_: httpx.Request) -> httpx.Response:
        raise Stop

    with pytest.raises(Stop):
        twin.edit(handler=handler)


def test_a_wrong_argument_is_raised_before_anything_is_sent(twin: Any, server: Any) -> None:
    with pytest.raises(ArgumentError):
        twin.edit(base_url=server.url, images=["http://in.test/a.png", b"no picture"])
    assert server.connections == 0


def test_a_connection_is_not_kept_alive_for_the_next_call(twin: Any, server: Any) -> None:
    def answer_and_stay(connection: socket.socket, stopping: threading.Event) -> None:
        server.answer()(connection, stopping)
        server.hang()(connection, stopping)

    server.enqueue(answer_and_stay, answer_and_stay)

    def is_closed() -> bool:
        return bool(server.disconnected.acquire(timeout=5))

    assert _while_open(twin, server, is_closed)


@pytest.mark.parametrize("place", ["hang", "headers", "body"])
def test_after_a_time_out_the_connection_is_closed_while_the_client_stays_open(
    twin: Any, server: Any, place: str
) -> None:
    head = {"hang": None, "headers": b"HTTP/1.1 200 OK\r\nX-Slow: ", "body": server.head(200, 10_000)}[place]
    server.enqueue(server.hang() if head is None else server.drip(head, b"a"))

    def is_closed() -> bool:
        return bool(server.disconnected.acquire(timeout=5))

    assert _while_open(twin, server, is_closed)


def _while_open(twin: Any, server: Any, ask: Callable[[], bool]) -> bool:
    """Return the answer of ``ask`` after one call that may fail, while the client is still open."""

    def use(client: Any) -> bool:
        with contextlib.suppress(TransportError):
            client.edit("p", [])
        return ask()

    async def use_async(client: Any) -> bool:
        with contextlib.suppress(TransportError):
            await client.edit("p", [])
        return await asyncio.to_thread(ask)

    answer = twin.run(use_async if twin.asynchronous else use, base_url=server.url, **SHORT)
    return bool(answer)


def test_no_attempt_outlives_its_time(server: Any) -> None:
    server.enqueue(server.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"))
    with Client("key", server.url, **SHORT) as client:
        with pytest.raises(TimedOut):
            client.edit("p", [])
        _attempts_have_ended()


def _attempts_have_ended() -> None:
    ends = time.monotonic() + 5
    while any(thread.name == "bodydouble-attempt" for thread in threading.enumerate()):
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def test_a_proxy_that_hangs_has_not_forwarded_the_request(server: Any) -> None:
    server.enqueue(server.hang())
    with (
        httpx.Client(proxy=server.url) as http,
        Client("key", "https://api.test", http_client=http, **SHORT) as client,
        pytest.raises(TimedOut) as caught,
    ):
        client.edit("p", [])
    assert (server.requests[0].line, caught.value.may_be_charged) == ("CONNECT api.test:443 HTTP/1.1", False)


def test_a_proxy_that_refuses_is_a_failure_to_connect(server: Any) -> None:
    server.enqueue(server.answer(407))
    with (
        httpx.Client(proxy=server.url) as http,
        Client("key", "https://api.test", http_client=http, **SHORT) as client,
        pytest.raises(ConnectFailed, match="407"),
    ):
        client.edit("p", [])
