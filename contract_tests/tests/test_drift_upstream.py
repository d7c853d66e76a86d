"""Fetching of published documents from real servers that misbehave."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from bodydouble_contract_tests.drift.upstream import Fetched, FetchLimits, fetch, read_published
from bodydouble_spec import UnreadableDocument
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.tests.servers import Quiet, serve_http

DOCUMENT = json.dumps({"openapi": "3.0.0", "info": {"title": "Ü", "version": "1"}, "paths": {}}).encode()
QUICK = FetchLimits(deadline_s=5.0, attempts=1, max_bytes=100_000)


class Server(ThreadingHTTPServer):
    """Misbehaves in a different way at each path, and counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.is_ending = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(Quiet, BaseHTTPRequestHandler):
    @property
    def counter(self) -> Server:
        assert isinstance(self.server, Server)
        return self.server

    def do_GET(self) -> None:
        self.counter.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        name = self.path.strip("/").partition("/")[0]
        getattr(self, f"serve_{name}")()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve_fine(self) -> None:
        if self.headers.get("If-None-Match") == '"v1"':
            self.send_response(304)
            self.end_headers()
        else:
            self.answer(200, DOCUMENT, ETag='"v1"', Last_Modified="Fri, 12 Jun 2026 10:00:00 GMT")

    def serve_gone(self) -> None:
        self.answer(404, b"404: Not Found")

    def serve_forbidden(self) -> None:
        self.answer(403)

    def serve_stumbling(self) -> None:
        self.answer(*((503, b"") if len(self.counter.requests) == 1 else (200, DOCUMENT)))

    def serve_busy(self) -> None:
        self.answer(503)

    def serve_html(self) -> None:
        self.answer(200, b"\n<!DOCTYPE html><html><body>Sign in</body></html>", Content_Type="text/html")

    def serve_round(self) -> None:
        self.answer(302, Location="/round")

    def serve_moved(self) -> None:
        self.answer(301, Location="/fine")

    def serve_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(DOCUMENT)))
        self.end_headers()
        self.wfile.write(DOCUMENT[:20])
        self.close_connection = True

    def serve_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while not self.counter.is_ending.is_set():
                self.wfile.write(b" " * 65_536)
        except OSError:
            return

    def serve_bomb(self) -> None:
        self.answer(200, gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")

    def serve_badzip(self) -> None:
        self.answer(200, b"no gzip at all", Content_Encoding="gzip")

    def serve_dripping(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while not self.counter.is_ending.wait(0.02):
                self.wfile.write(b" ")
        except OSError:
            return


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    with serve_http(running):
        yield running
        running.is_ending.set()


@pytest.fixture
def refused() -> str:
    """Return the address of a closed port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def why(run: Callable[[], object]) -> str:
    with pytest.raises(UnreadableDocument) as caught:
        run()
    return str(caught.value)


def test_what_is_published_is_fetched_with_its_validators(server: Server) -> None:
    fetched = fetch(f"{server.address}/fine", limits=QUICK)
    assert (fetched.content, fetched.etag) == (DOCUMENT, '"v1"')


def test_a_second_fetch_asks_for_changes_only_and_keeps_the_content(server: Server) -> None:
    first = fetch(f"{server.address}/fine", limits=QUICK)
    second = fetch(f"{server.address}/fine", {first.address: first}, QUICK)
    assert second == Fetched(first.address, DOCUMENT, first.etag, first.last_modified, is_unchanged=True)


def test_the_cached_content_of_another_address_is_no_condition(server: Server) -> None:
    fetch(f"{server.address}/fine", {"https://example.org": Fetched("https://example.org", b"{}", '"v1"')}, QUICK)
    assert "if-none-match" not in server.requests[0][1]


def test_a_redirect_is_followed(server: Server) -> None:
    assert fetch(f"{server.address}/moved", limits=QUICK).content == DOCUMENT


def test_a_temporary_failure_is_retried(server: Server) -> None:
    assert fetch(f"{server.address}/stumbling").content == DOCUMENT


@pytest.mark.parametrize(
    ("path", "reason", "requests"),
    [
        ("gone", "the server answered 404 Not Found; the file is gone or has moved", 1),
        ("forbidden", "the server answered 403 Forbidden", 1),
        ("busy", "the server answered 503 Service Unavailable; try again later (2 attempts)", 2),
        ("round", "more than 5 redirects", 6),
        ("short", "the connection broke before the answer was complete", 2),
        ("endless", "larger than 0.0953674 MB", 1),
        ("bomb", "larger than 0.0953674 MB", 1),
        ("badzip", "the answer's compression is broken", 2),
    ],
)
def test_a_failed_fetch_gives_the_reason_and_is_retried_only_where_it_may_pass(
    server: Server, path: str, reason: str, requests: int
) -> None:
    said = why(lambda: fetch(f"{server.address}/{path}", limits=FetchLimits(5.0, 2, 100_000)))
    assert (reason in said, len(server.requests)) == (True, requests), said


def test_an_answer_that_drips_is_cut_off_at_the_deadline(server: Server) -> None:
    said = why(lambda: fetch(f"{server.address}/dripping", limits=FetchLimits(0.3, 1, 100_000)))
    assert said.endswith("no complete answer within 0.3 s; try again later")


def test_a_refused_connection_is_reported(refused: str) -> None:
    assert "the connection was refused; check the address and the port (2 attempts)" in why(lambda: fetch(refused))


def test_an_unknown_host_is_reported() -> None:
    said = why(lambda: fetch("http://no-such-host.invalid/openapi.json", limits=QUICK))
    assert "the host name cannot be resolved (DNS)" in said


def test_an_untrusted_certificate_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = tmp_path / "certificate.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    context.load_cert_chain(certificate)
    server = Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    # The server's own handshake errors are not what is tested.
    monkeypatch.setattr(server, "handle_error", print)
    with serve_http(server):
        said = why(lambda: fetch(f"https://127.0.0.1:{server.server_port}/fine", limits=QUICK))
    assert "no secure connection (TLS: unable to get local issuer certificate)" in said


@pytest.mark.parametrize("address", ["http://", "http://[::1", "https://exa mple.org/\x00", "http://a:b:c/"])
def test_an_invalid_address_is_refused(address: str) -> None:
    assert why(lambda: fetch(address, limits=QUICK))


def test_secrets_of_an_address_are_not_repeated(server: Server) -> None:
    address = f"http://user:pa55word@127.0.0.1:{server.server_port}/gone?token=s3cr3t-t0ken"
    said = why(lambda: fetch(address, limits=QUICK))
    assert "pa55word" not in said
    assert "s3cr3t" not in said


def test_a_file_can_be_fetched(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_bytes(DOCUMENT)
    assert fetch(str(file)) == Fetched(str(file), DOCUMENT)


@pytest.mark.parametrize("name", ["missing.json", "", "\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    assert "name a readable file or an http(s) URL" in why(lambda: fetch(str(tmp_path / name)))


def test_an_empty_address_is_refused() -> None:
    assert why(lambda: fetch(" ")) == "the address is empty; name a readable file or an http(s) URL"


def test_a_file_of_50_mb_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as stream:
        stream.truncate(50 * 2**20)
    assert "larger than 20 MB" in why(lambda: fetch(str(file)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"  \n", "the document is empty"),
        (b"\xef\xbb\xbf <!doctype HTML><p>", "an HTML page was returned instead of JSON"),
        (DOCUMENT[:-3], "the JSON is cut off after"),
        ('{"a": "ü'.encode()[:-1], "the JSON is cut off after 8 bytes"),
        (b"openapi: 3.0.0", "it is not JSON (line 1, column"),
        (b"[1]", "it is JSON, but not an object (list)"),
        (b'{"a": 1} {"b": 2}', "it is not JSON (line 1, column 10"),
        (b"\xff\xfe{\x00", "it is not JSON"),
    ],
)
def test_content_that_is_no_document_is_named_for_what_it_is(content: bytes, reason: str) -> None:
    assert reason in why(lambda: read_published(Fetched("here", content)))


def test_a_byte_order_mark_is_read_past() -> None:
    assert read_published(Fetched("here", b"\xef\xbb\xbf" + DOCUMENT))["openapi"] == "3.0.0"


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | st.sampled_from([DOCUMENT]).map(bytes))
def test_any_content_is_an_object_or_a_reason(content: bytes) -> None:
    try:
        document = read_published(Fetched("here", content))
    except UnreadableDocument as error:
        assert str(error).startswith("here: ")  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(document, dict)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, len(DOCUMENT) - 1))
def test_a_document_cut_anywhere_is_called_cut_off(length: int) -> None:
    assert "the JSON is cut off" in why(lambda: read_published(Fetched("here", DOCUMENT[:length])))
