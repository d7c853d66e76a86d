"""The protocol on a port, with raw sockets, curl and Java: ``Upgrade``, and words for everything that is not HTTP/1.1."""

import asyncio
import contextlib
import json
import logging
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import uvicorn
import yaml
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.protocol import FaultProtocol
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from spec.tests.servers import serve_asgi

Serve = Callable[[MockServer], AbstractContextManager[str]]
MALFORMED: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "data" / "malformed.yaml").read_text())
PATH = "/v1/images/generations"
UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
BODY = json.dumps(
    {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
).encode()
JAVA = shutil.which("java")
CURL = shutil.which("curl")


@pytest.fixture(scope="module")
def server(contract: Contract, serve: Serve) -> Iterator[tuple[MockServer, str]]:
    app = create_app(contract, Settings(log=True))
    with serve(app) as origin:
        yield app, origin


def connect(origin: str) -> socket.socket:
    url = httpx.URL(origin)
    connection = socket.create_connection((url.host, url.port or 0), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(framing: str, extra: str = UPGRADE) -> bytes:
    lines = f"POST {PATH} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n"
    return f"{lines}{extra}{framing}\r\n\r\n".encode()


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read one answer with a Content-Length, and leave the connection open."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part, f"the connection ended after {data!r}"
        data += part
    first, _, body = data.partition(b"\r\n\r\n")
    (length,) = (int(line[15:]) for line in first.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return int(first.split(b" ")[1]), body


DECLARED = head(f"Content-Length: {len(BODY)}")
CHUNKED = head("Transfer-Encoding: chunked")
CHUNKS = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:])


@pytest.mark.parametrize(("sent_head", "body"), [(DECLARED, BODY), (CHUNKED, CHUNKS)], ids=["declared", "chunked"])
def test_a_request_that_offers_h2c_is_answered_with_its_body_wherever_it_is_split(
    server: tuple[MockServer, str], sent_head: bytes, body: bytes
) -> None:
    whole = sent_head + body
    # On one connection, so that each answer also shows that the next request is read.
    splits = [0, 1, 30, *range(len(sent_head) - 5, len(sent_head) + 8), len(whole) - 1]
    with connect(server[1]) as connection:
        for split in splits:
            for segment in filter(None, (whole[:split], whole[split:])):
                connection.sendall(segment)
            status, answer = read_answer(connection)
            assert (status, "data" in json.loads(answer)) == (200, True), f"split at {split}: {answer!r}"
    exchange = server[0].journal.exchanges()[-1]
    assert exchange.body == json.loads(BODY)


def test_requests_after_one_with_upgrade_are_read_in_one_segment_with_it(server: tuple[MockServer, str]) -> None:
    get = b"GET /v1/models HTTP/1.1\r\nHost: mock\r\n%b\r\n" % UPGRADE.encode()
    with connect(server[1]) as connection:
        connection.sendall(get)
        assert read_answer(connection)[0] == 200
        connection.sendall(DECLARED + BODY[:10])
        connection.sendall(BODY[10:])
        assert read_answer(connection)[0] == 200
        connection.sendall(get)
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    ("framing", "body"), [(f"Content-Length: {len(BODY)}", BODY), ("Transfer-Encoding: chunked", CHUNKS)]
)
def test_a_body_that_comes_when_the_server_asks_for_it_arrives_with_upgrade(
    server: tuple[MockServer, str], framing: str, body: bytes
) -> None:
    with connect(server[1]) as connection:
        connection.sendall(head(f"{framing}\r\nExpect: 100-continue"))
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_answer(connection)[0] == 200


def test_a_body_of_megabytes_with_upgrade_arrives(server: tuple[MockServer, str]) -> None:
    body = json.dumps(json.loads(BODY) | {"prompt": "x" * 3_000_000}).encode()
    with connect(server[1]) as connection:
        connection.sendall(head(f"Content-Length: {len(body)}\r\nExpect: 100-continue") + body)
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert read_answer(connection)[0] == 200


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@pytest.mark.parametrize("option", ["--http2", "--http1.1", "--http1.0"])
def test_curl_gets_its_picture_by_every_version_that_upgrades(server: tuple[MockServer, str], option: str) -> None:
    command = ["curl", "-sS", "--noproxy", "*", option, f"{server[1]}{PATH}", "-H", "Authorization: Bearer k",
               "-H", "Content-Type: application/json", "--data-binary", "@-"]  # fmt: skip
    done = subprocess.run(command, input=BODY, capture_output=True, check=True, timeout=60)
    assert "data" in json.loads(done.stdout), done


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_with_prior_knowledge_of_http_2_leaves_words_in_the_journal(server: tuple[MockServer, str]) -> None:
    command = ["curl", "-sS", "--noproxy", "*", "--http2-prior-knowledge", f"{server[1]}{PATH}", "-d", "{}"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode
    assert server[0].journal.exchanges()[-1].findings[0]["id"] == "request-is-http2"


@pytest.mark.skipif(JAVA is None, reason="Java is not installed")
def test_the_http_client_of_java_gets_an_answer_to_its_body(server: tuple[MockServer, str], tmp_path: Path) -> None:
    program = tmp_path / "Ask.java"
    program.write_text("""
        import java.net.URI;
        import java.net.http.*;
        public class Ask {
            public static void main(String[] a) throws Exception {
                HttpClient client = HttpClient.newHttpClient();
                for (int i = 0; i < 2; i++) {
                    HttpRequest request = HttpRequest.newBuilder(URI.create(a[0]))
                        .header("Authorization", "Bearer k").header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(a[1])).build();
                    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                    System.out.println(answer.statusCode() + " " + answer.version() + " " + answer.body().contains("data"));
                }
            }
        }
    """)
    command = ["java", str(program), f"{server[1]}{PATH}", BODY.decode()]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    if "source launcher" in done.stderr or "jdk.compiler" in done.stderr:
        pytest.skip("this Java has no compiler")
    assert done.stdout.split("\n")[:2] == ["200 HTTP_1_1 true"] * 2, done.stderr


def exchange_bytes(origin: str, data: bytes) -> bytes:
    """Send bytes and return all of the answer; the server closes the connection."""
    with connect(origin) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in MALFORMED])
def test_what_is_not_http_1_1_gets_its_own_words_in_answer_journal_and_log(
    server: tuple[MockServer, str], caplog: pytest.LogCaptureFixture, case: dict[str, Any]
) -> None:
    app, origin = server
    before = app.journal.numbers().stop
    data = case["bytes"].encode("latin-1")
    with caplog.at_level(logging.INFO, "bodydouble.mockserver"):
        answer = exchange_bytes(origin, data + b"a" * case.get("padding", 0) + case.get("end", "").encode())
    first, _, body = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 %d " % case.get("status", 400)), answer
    message = json.loads(body)["message"]
    assert case["words"] in message
    assert app.journal.numbers().stop == before + 1
    exchange = app.journal.exchanges()[-1]
    assert (exchange.findings[0]["id"], exchange.findings[0]["message"], exchange.status) == (
        case["rule"],
        message,
        case.get("status", 400),
    )
    assert f"{exchange.method} {exchange.path}" == case.get("shown", "- /")
    assert message in caplog.text
    assert "canary" not in f"{answer!r}{exchange}{caplog.text}"


SPLIT = [
    (b"CONNECT api.aimlapi.com:443 HTTP/1.1\r\nHost: api.aimlapi.com\r\n\r\n", b"CONNECT asks a proxy for a tunnel"),
    (b"post /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", b"methods are case-sensitive"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"This is HTTP/2"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 30, b"This is a TLS handshake"),
    (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", b"sent twice"),
]


@pytest.mark.parametrize("split", [1, 2, 5, 20])
@pytest.mark.parametrize(("data", "words"), SPLIT)
def test_what_was_sent_is_recognized_in_two_segments(
    server: tuple[MockServer, str], data: bytes, words: bytes, split: int
) -> None:
    with connect(server[1]) as connection:
        connection.sendall(data[:split])
        connection.sendall(data[split:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert words in answer


def test_a_client_that_stops_in_the_middle_of_a_wrong_line_is_answered(server: tuple[MockServer, str]) -> None:
    with connect(server[1]) as connection:
        connection.sendall(b"HELLO")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"This is not HTTP" in answer


def test_a_tls_client_leaves_words_in_the_journal(server: tuple[MockServer, str]) -> None:
    with pytest.raises((ssl.SSLError, httpx.ConnectError)):
        httpx.get(server[1].replace("http:", "https:"), verify=False)
    assert server[0].journal.exchanges()[-1].findings[0]["id"] == "request-is-tls"


def test_a_proxy_request_is_answered_as_its_path_and_told(server: tuple[MockServer, str]) -> None:
    answer = requests.post(
        f"http://api.example.org{PATH}", data=BODY, proxies={"http": server[1]}, timeout=30,
        headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
    )  # fmt: skip
    found = server[0].journal.exchanges()[-1].findings
    assert (answer.status_code, [item["id"] for item in found]) == (200, ["request-absolute-form"])
    assert "api.example.org" in found[0]["message"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://x.test HTTP/1.1", 404),
        (b"GET http://user:pw@x.test/v1/models?a=b HTTP/1.1", 200),
        (b"GET /v1/models HTTP/1.0", 200),
        (b"OPTIONS * HTTP/1.1", 204),
        (b"GET //v1/models HTTP/1.1", 404),
        (b"\r\nGET /v1/models HTTP/1.1", 200),
        (b"GET /v1/models?" + b"a" * 16_000 + b" HTTP/1.1", 200),
    ],
)
def test_unusual_request_lines_of_http_are_served(server: tuple[MockServer, str], line: bytes, status: int) -> None:
    answer = exchange_bytes(server[1], line + b"\r\nHost: mock\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer


@pytest.mark.parametrize("size", [70_000, 20_000_000])
@pytest.mark.parametrize(
    ("start", "end", "status"), [("GET /", " HTTP/1.1\r\n\r\n", 414), ("GET / HTTP/1.1\r\nX: ", "\r\n\r\n", 431)]
)
def test_a_client_that_reads_after_it_has_sent_a_long_head_gets_the_answer(
    server: tuple[MockServer, str], start: str, end: str, status: int, size: int
) -> None:
    answer = exchange_bytes(server[1], f"{start}{'a' * size}{end}".encode())
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'"status":%d' % status in answer


def test_bytes_after_a_request_do_not_spoil_its_answer(server: tuple[MockServer, str]) -> None:
    answer = exchange_bytes(server[1], head(f"Content-Length: {len(BODY)}", "") + BODY + b"more")
    assert answer.startswith(b"HTTP/1.1 200 ")
    ids = [item["id"] for exchange in server[0].journal.exchanges()[-2:] for item in exchange.findings]
    assert ids == ["request-length-conflict"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_request_that_is_refused_is_answered_after_those_before_it(
    server: tuple[MockServer, str], count: int
) -> None:
    slow = head(f"Content-Length: {len(BODY)}", "Prefer: delay=0.2\r\n") + BODY
    answers = exchange_bytes(server[1], slow * count + b"NONSENSE / HTTP/1.1\r\nHost: mock\r\n\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"200"] * count + [b"400"]
    assert [exchange.status for exchange in server[0].journal.exchanges()[-count - 1 :]].count(400) == 1


def test_a_websocket_handshake_is_refused_in_words(server: tuple[MockServer, str]) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    with connect(server[1]) as connection:
        connection.sendall(head(f"Content-Length: {len(BODY)}", upgrade) + BODY)
        status, body = read_answer(connection)
    assert (status, b"WebSocket" in body) == (400, True)
    assert server[0].journal.exchanges()[-1].findings[0]["id"] == "not-stood-in"


@pytest.mark.parametrize("start", ["", "GET ", "GET / HTTP/1.1\r\nHost: mock\r\n"])
def test_a_head_that_does_not_end_is_refused_in_time(contract: Contract, serve: Serve, start: str) -> None:
    app = create_app(contract, Settings(head_timeout_s=0.2))
    with serve(app) as origin:
        answer = exchange_bytes(origin, start.encode())
        assert answer.startswith(b"HTTP/1.1 408 " if start else b"")
        assert bool(answer) == bool(start)
        found = [item["id"] for exchange in app.journal.exchanges() for item in exchange.findings]
        assert found == (["request-head-too-late"] if start else [])


def test_a_second_request_has_its_own_time(contract: Contract, serve: Serve) -> None:
    whole = head(f"Content-Length: {len(BODY)}", "") + BODY
    with serve(create_app(contract, Settings(head_timeout_s=0.5))) as origin, connect(origin) as connection:
        connection.sendall(whole)
        assert read_answer(connection)[0] == 200
        # Idle for longer than a head may take, which is no unfinished head.
        connection.settimeout(0.8)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(30)
        connection.sendall(whole)
        assert read_answer(connection)[0] == 200
        connection.sendall(whole[:40])
        assert read_answer(connection)[0] == 408


def test_beyond_the_limit_of_connections_the_answer_is_503(contract: Contract) -> None:
    whole = head(f"Content-Length: {len(BODY)}", "") + BODY
    config = server_config(create_app(contract, Settings(max_connections=3)))
    with serve_asgi(Server(config)) as origin, contextlib.ExitStack() as stack:
        statuses: list[int] = []
        for _ in range(4):
            connection = stack.enter_context(connect(origin))
            connection.sendall(whole)
            statuses.append(read_answer(connection)[0])
    assert statuses == [200, 200, 200, 503]


def test_delayed_answers_are_sent_when_the_server_ends(contract: Contract, serve: Serve) -> None:
    app = create_app(contract, Settings(latency_s=(300, 300)))
    statuses: list[int] = []

    def ask(origin: str) -> None:
        with connect(origin) as connection:
            connection.sendall(head(f"Content-Length: {len(BODY)}", "") + BODY)
            statuses.append(read_answer(connection)[0])

    with serve(app) as origin:
        asking = [threading.Thread(target=ask, args=(origin,)) for _ in range(20)]
        for thread in asking:
            thread.start()
        while len(app.journal.numbers()) < 20:
            time.sleep(0.01)
    for thread in asking:
        thread.join()
    assert statuses == [exchange.status for exchange in app.journal.exchanges()] == [200] * 20


def test_uvicorn_still_has_what_the_protocol_builds_on() -> None:
    used = [
        "_start_asgi_task",
        "on_response_complete",
        "_unset_keepalive_if_required",
        "on_message_begin",
        "on_url",
        "on_header",
        "on_headers_complete",
        "on_body",
        "on_message_complete",
    ]
    missing = [name for name in used if not hasattr(HttpToolsProtocol, name)]
    config = uvicorn.Config(lambda: None, ws="none")
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        protocol = FaultProtocol(config, uvicorn.Server(config).server_state, {}, loop)
    state = ["parser", "scope", "headers", "cycle", "config", "loop", "transport", "pipeline", "flow"]
    missing += [name for name in state if not hasattr(protocol, name)]
    missing += [name for name in ("disconnected", "message_event", "keep_alive", "response_complete", "more_body")
                if name not in RequestResponseCycle.__init__.__code__.co_names]  # fmt: skip
    assert not missing, (
        f"uvicorn {uvicorn.__version__} has changed: {missing}; adapt protocol.py, or lower the bound in pyproject.toml"
    )
