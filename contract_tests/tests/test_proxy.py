"""The proxy: calls pass unchanged and byte for byte, are looked at in both directions, and are on disk when they were answered."""

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.proxy import ProxyOptions, ProxyServer
from bodydouble_contract_tests.spending import Budget, DayLedger, SpendingCap
from bodydouble_contract_tests.target import downloads
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract, Exchange, parse_exchange
from bodydouble_spec.recording import CallFacts, RecordingFolder, read_recording_folder

from spec.tests.servers import PATIENCE_S, Quiet, serve_asgi, serve_http

PATH = "/v1/images/generations"
KEY = "sk-real-0123456789"
BODY: dict[str, Any] = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "a dinosaur",
    "image_urls": ["https://example.org/a.png"],
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
# An answer that is to have its findings is held until it is recorded.
HELD = {"x-bodydouble-findings": "1"}
# Spaces and the order of keys that no JSON library writes.
ANSWER = b'{ "meta" : {"usage":{"credits_used": 84000 }},\n "data":[ {"b64_json":null, "url": "%b"} ] }'


class Upstream(ThreadingHTTPServer):
    """A server that answers as a test says, and keeps what it got."""

    daemon_threads = True

    def __init__(self, answer: "Callable[[Handler], None]") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.got: list[tuple[str, list[tuple[str, str]], bytes]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: tests break connections on purpose."""


class Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def upstream(self) -> Upstream:
        assert isinstance(self.server, Upstream)
        return self.server

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        usual = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        for name, value in {**usual, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _do(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.upstream.got.append((self.requestline, self.headers.items(), body))
        self.upstream.answer(self)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recording"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load()


Start = Callable[..., contextlib.AbstractContextManager[tuple[httpx.Client, ProxyServer]]]


@pytest.fixture
def start(folder: Path, contract: Contract) -> Start:
    """Return a function that serves a proxy: ``with start(upstream_url) as (client, proxy)``."""

    @contextlib.contextmanager
    def run(upstream: str, max_usd: float = 1.0, **more: Any) -> Generator[tuple[httpx.Client, ProxyServer]]:
        cap = more.pop("cap", None) or SpendingCap(Budget(max_usd))
        settings = Settings(**more.pop("settings", {}))
        proxy = ProxyServer([contract], settings, ProxyOptions(upstream, folder, cap, **more))
        config = server_config(proxy)
        with (
            serve_asgi(Server(config)) as origin,
            httpx.Client(base_url=origin, headers={"authorization": f"Bearer {KEY}"}, timeout=30) as client,
        ):
            yield client, proxy

    return run


@contextlib.contextmanager
def answering(answer: Callable[[Handler], None]) -> Generator[tuple[str, Upstream]]:
    server = Upstream(answer)
    with serve_http(server) as origin:
        yield origin, server


def calls(folder: Path) -> list[Exchange]:
    return [exchange for exchange in read_recording_folder(folder).exchanges if exchange.kind is None]


def only_call(folder: Path) -> Exchange:
    (exchange,) = calls(folder)
    return exchange


def usual(handler: Handler) -> None:
    if handler.path.endswith(".png"):
        handler.send(PNG, Content_Type="image/png")
    else:
        host, port = handler.upstream.server_address[:2]
        handler.send(ANSWER % f"http://{host!s}:{port}/p/1.png".encode(), Set_Cookie="session=secret", X_Other="kept")


def test_an_answer_comes_back_byte_for_byte_with_its_headers(start: Start) -> None:
    def answer(handler: Handler) -> None:
        body = ANSWER % b"https://example.org/1.png"
        handler.send(body, Set_Cookie="session=secret", X_Other="kept", Connection="keep-alive, X-Hop", X_Hop="1")

    with answering(answer) as (origin, server), start(origin) as (client, _proxy):
        response = client.post(PATH, json=BODY, headers={"connection": "keep-alive, x-own-hop", "x-own-hop": "1"})
        assert response.content == ANSWER % b"https://example.org/1.png"
        assert (response.headers["set-cookie"], response.headers["x-other"]) == ("session=secret", "kept")
        assert {"x-bodydouble-findings", "x-hop"}.isdisjoint(response.headers)
        assert "x-own-hop" not in str(server.got)
        assert len(response.headers.get_list("date")) == 1


def test_a_compressed_answer_stays_compressed_and_is_recorded_decoded(start: Start, folder: Path) -> None:
    packed = gzip.compress(b'{"data": []}', mtime=1)
    with (
        answering(lambda handler: handler.send(packed, Content_Encoding="gzip")) as (origin, _),
        start(origin) as (client, _proxy),
        client.stream("POST", PATH, json=BODY) as response,
    ):
        assert b"".join(response.iter_raw()) == packed
    answer = only_call(folder).answer
    assert answer is not None
    assert (answer.body, "content-encoding" in answer.headers) == ({"data": []}, False)


def test_a_request_is_passed_on_unchanged_once(start: Start) -> None:
    body = b'{ "prompt" : "\\u00e9", "x":1.0 }'
    with answering(lambda handler: handler.send(b"{}", 503)) as (origin, server), start(origin) as (client, _proxy):
        response = client.post(f"{PATH}?a=%2F&b=%C3%A9+", content=body, headers={"X-Own": "1", "accept-encoding": "br"})
        assert response.status_code == 503
        ((line, headers, got),) = server.got
        sent = {name.lower(): value for name, value in headers}
        assert line == f"POST {PATH}?a=%2F&b=%C3%A9+ HTTP/1.1"
        assert got == body
        assert (sent["x-own"], sent["accept-encoding"], sent["authorization"]) == ("1", "br", f"Bearer {KEY}")
        assert sent["host"] == origin.removeprefix("http://")


def test_a_chunked_request_stays_chunked(start: Start) -> None:
    with answering(lambda handler: handler.send(b"{}")) as (origin, server), start(origin) as (client, _proxy):
        client.post(PATH, content=iter([b'{"a":', b"1}"]), headers={"content-type": "application/json"})
        ((_, headers, body),) = server.got
        assert (dict(headers).get("transfer-encoding"), body) == ("chunked", b'{"a":1}')


def test_a_stream_is_passed_on_while_it_comes(start: Start, folder: Path) -> None:
    seen = threading.Event()

    def stream(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"9\r\ndata: 1\n\n\r\n"[:3] + b"data: 1\n\n\r\n")
        assert seen.wait(20)
        handler.wfile.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    with (
        answering(stream) as (origin, _),
        start(origin) as (client, _proxy),
        client.stream("POST", PATH, json={**BODY, "stream": True}) as response,
    ):
        parts = response.iter_raw()
        first = next(parts)
        # The upstream sends the rest only now.
        seen.set()
        assert (first, b"".join(parts)) == (b"data: 1\n\n", b"data: 2\n\n")
    answer = only_call(folder).answer
    assert answer is not None
    assert answer.raw is not None
    assert read_recording_folder(folder).files.get(answer.raw["sha256"]) == b"data: 1\n\ndata: 2\n\n"


def test_findings_in_both_directions_are_in_the_journal_and_never_in_the_answer(start: Start, folder: Path) -> None:
    body = b'{"data":[{"url":"x"}],"surprise":1}'
    with answering(lambda handler: handler.send(body)) as (origin, _), start(origin) as (client, proxy):
        for changes, of_request, of_answer in (
            ({"num_images": 7}, "request-maximum /num_images", "invalid-refused"),
            ({}, "", "answer-strict/undocumented /surprise"),
        ):
            assert client.post(PATH, json={**BODY, **changes}).content == body
            asked = client.post(PATH, json={**BODY, **changes}, headers={"x-bodydouble-findings": "1"})
            assert asked.content == body
            named = asked.headers["x-bodydouble-findings"]
            assert of_request in named
            assert of_answer in named
        journal = str([entry["findings"] for entry in client.get("/_bodydouble/requests").json()["requests"]])
    recorded = str([call.findings for call in calls(folder)])
    for rule in ("request-maximum", "invalid-refused", "answer-strict/undocumented"):
        assert rule in journal
        assert rule in recorded
        assert any(finding.id.startswith(rule) for finding in proxy.findings)


@pytest.mark.parametrize("length", [True, False])
def test_a_call_is_paid_recorded_and_in_the_journal_when_its_answer_ends(
    start: Start, folder: Path, length: bool
) -> None:
    def answer(handler: Handler) -> None:
        if length:
            usual(handler)
            return
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"1e\r\n" + b'{"data":[],"meta":{"usage":{}}}'[:30] + b"\r\n1\r\n}\r\n0\r\n\r\n")

    with answering(answer) as (origin, _), start(origin) as (client, proxy):
        client.post(PATH, json=BODY)
        recorded = [
            line for line in (folder / "exchanges.jsonl").read_bytes().splitlines() if b'"kind":"picture"' not in line
        ]
        state = len(recorded), proxy.cap.run.held_usd, len(proxy.mock.journal.exchanges())
    assert state == (1, 0.0, 1)


def test_the_header_about_findings_is_not_passed_on(start: Start) -> None:
    with answering(usual) as (origin, server), start(origin) as (client, _proxy):
        client.post(PATH, json=BODY, headers={"x-bodydouble-findings": "1"})
        assert "x-bodydouble-findings" not in {name.lower() for name, _ in server.got[0][1]}


def test_a_picture_is_fetched_once_and_without_the_key(start: Start, folder: Path) -> None:
    with answering(usual) as (origin, server), start(origin) as (client, _proxy):
        url = client.post(PATH, json=BODY).json()["data"][0]["url"]
        client.post(PATH, json={**BODY, "prompt": "another"})
    assert url == f"{origin}/p/1.png"
    fetched = [headers for line, headers, _ in server.got if line.startswith("GET")]
    assert len(fetched) == 1
    assert KEY not in str(fetched)
    recording = read_recording_folder(folder)
    assert [exchange.kind for exchange in recording.exchanges].count("picture") == 2
    assert [path.read_bytes() for path in recording.files.path.iterdir()] == [PNG]
    assert recording.findings == ()


def test_the_pictures_that_a_killed_proxy_has_not_fetched_are_fetched_by_the_next(start: Start, folder: Path) -> None:
    with answering(usual) as (origin, _), start(origin) as (client, _proxy):
        client.post(PATH, json=BODY)
        (call,) = calls(folder)
    for path in folder.rglob("*.*"):
        path.unlink()
    with answering(usual) as (origin, server):
        url = call.answer.body["data"][0]["url"] if call.answer else ""
        moved = json.loads(call.to_line().replace(url.encode(), f"{origin}/p/1.png".encode()))
        with RecordingFolder(folder) as killed:
            killed.append(parse_exchange(moved))
        with start(origin, known=[read_recording_folder(folder)]):
            pass
        assert [line for line, _, _ in server.got] == ["GET /p/1.png HTTP/1.1"]
    assert [path.read_bytes() for path in (folder / "files").iterdir()] == [PNG]


def test_no_key_cookie_or_account_id_is_in_a_recording(start: Start, folder: Path) -> None:
    def answer(handler: Handler) -> None:
        handler.send(
            json.dumps({"account_id": "acct_42", "echo": f"Bearer {KEY}", "data": []}).encode(), Set_Cookie=f"a={KEY}"
        )

    with answering(answer) as (origin, _), start(origin) as (client, _proxy):
        client.post(f"{PATH}?api_key={KEY}", json={**BODY, "prompt": f"use {KEY}", "user_id": "u-42"})
        client.post(PATH, content=f"not JSON {KEY}", headers={"cookie": "c=cookie-42"})
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert not [secret for secret in (KEY, "acct_42", "u-42", "cookie-42") if secret in text]


# The charge


@pytest.mark.parametrize("limit", ["run", "key", "day"])
def test_the_cap_is_exact_with_sixteen_clients_at_once(start: Start, folder: Path, tmp_path: Path, limit: str) -> None:
    caps = {
        "run": lambda: SpendingCap(Budget(0.42)),
        "key": lambda: SpendingCap(Budget(100), 0.42),
        "day": lambda: SpendingCap(Budget(100), None, DayLedger(tmp_path / "spent.jsonl", 0.42)),
    }
    # The ten that are affordable are all under way before the first is answered.
    all_ten = threading.Barrier(10, timeout=PATIENCE_S)

    def together(handler: Handler) -> None:
        if handler.command == "POST":
            all_ten.wait()
        usual(handler)

    with answering(together) as (origin, server), start(origin, cap=caps[limit]()) as (client, proxy):

        def ask(number: int) -> int:
            return client.post(PATH, json={**BODY, "prompt": f"picture {number}"}).status_code

        with ThreadPoolExecutor(16) as pool:
            statuses = [*pool.map(ask, range(32))]
        assert (statuses.count(200), statuses.count(403)) == (10, 22)
        assert sum(line.startswith("POST") for line, _, _ in server.got) == 10
        assert proxy.cap.run.spent_usd == pytest.approx(0.42)
    assert sum(facts.usd for call in calls(folder) if (facts := CallFacts.of(call))) == pytest.approx(0.42)


def test_with_a_damaged_ledger_nothing_is_sent_and_a_call_under_way_is_recorded(
    start: Start, folder: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "spent.jsonl"

    def damage(handler: Handler) -> None:
        # Not for a picture, which is fetched while the second call comes: a file that is written anew is empty for a moment.
        if handler.command == "POST":
            ledger.write_text("no entry\n")
        usual(handler)

    cap = SpendingCap(Budget(1.0), None, DayLedger(ledger, 1.0))
    with answering(damage) as (origin, server), start(origin, cap=cap) as (client, proxy):
        bodies = [BODY, {**BODY, "prompt": "another"}]
        statuses = [client.post(PATH, json=body, headers=HELD).status_code for body in bodies]
        assert [line for line, _, _ in server.got if line.startswith("POST")] == [f"POST {PATH} HTTP/1.1"]
        assert "spent.jsonl: line 1 is not an entry of a ledger" in proxy.problems[0]
    assert statuses == [200, 403]
    assert only_call(folder).status == 200


def test_over_the_cap_the_answer_is_the_vendors_403_and_a_finding(start: Start) -> None:
    with answering(usual) as (origin, server), start(origin, max_usd=0.04) as (client, proxy):
        response = client.post(PATH, json=BODY)
        assert (response.status_code, response.json()["error"]["data"]["kind"]) == (403, "err_insufficent_credits")
        assert "You've run out of credits" in response.json()["message"]
        assert len(response.headers.get_list("date")) == 1
        assert server.got == []
        assert [finding.id for finding in proxy.findings] == ["spending-cap-reached"]


def test_over_the_cap_a_recorded_call_gets_its_recorded_answer(start: Start) -> None:
    with answering(usual) as (origin, server), start(origin, max_usd=0.05) as (client, proxy):
        first = client.post(PATH, json=BODY).json()
        second = client.post(PATH, json=BODY).json()
        assert second["meta"] == first["meta"]
        picture = httpx.get(second["data"][0]["url"])
        assert (picture.content, len([line for line, *_ in server.got if line.startswith("POST")])) == (PNG, 1)
        assert "spending-cap-reached" in {finding.id for finding in proxy.findings}


def test_a_refused_call_costs_nothing_and_a_stated_charge_counts(start: Start) -> None:
    answers = iter([(400, b"{}"), (200, b'{"data":[],"meta":{"usage":{"credits_used":400000}}}')])

    def answer(handler: Handler) -> None:
        status, body = next(answers)
        handler.send(body, status)

    with answering(answer) as (origin, _), start(origin) as (client, proxy):
        client.post(PATH, json=BODY, headers=HELD)
        assert proxy.cap.run.spent_usd == 0
        client.post(PATH, json=BODY, headers=HELD)
        assert proxy.cap.run.spent_usd == pytest.approx(0.2)


@pytest.mark.parametrize("path", ["/v1/chat/completions", PATH])
def test_a_call_whose_price_is_unknown_is_not_sent_unless_it_may_be(start: Start, path: str) -> None:
    body = {"model": "some/other-model"}
    with answering(lambda handler: handler.send(b"{}")) as (origin, server):
        with start(origin) as (client, proxy):
            assert client.post(path, json=body).status_code == 403
            assert client.get("/v1/models").status_code == 200
            assert "price-unknown" in {finding.id for finding in proxy.findings}
        with start(origin, passes_unpriced=True) as (client, _proxy):
            assert client.post(path, json=body).status_code == 200
        assert [line.split()[0] for line, *_ in server.got] == ["GET", "POST"]


def test_replay_first_answers_at_no_cost_what_was_recorded_before(start: Start, folder: Path) -> None:
    with answering(usual) as (origin, server):
        with start(origin) as (client, _proxy):
            client.post(PATH, json=BODY)
        known = [read_recording_folder(folder)]
        with start(origin, known=known, replay_first=True) as (client, proxy):
            again = client.post(PATH, json=dict(reversed(BODY.items())))
            assert httpx.get(again.json()["data"][0]["url"]).content == PNG
            client.post(PATH, json={**BODY, "prompt": "new"})
            assert (proxy.replayed, proxy.calls) == (1, 1)
    assert len([line for line, *_ in server.got if line.startswith("POST")]) == 2
    assert [call.body["prompt"] for call in calls(folder)] == ["a dinosaur", "new"]


# What goes wrong


def test_an_upstream_that_is_away_is_a_502_in_words_and_costs_nothing(start: Start, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with start(f"http://127.0.0.1:{port}") as (client, proxy):
        response = client.post(PATH, json=BODY)
        assert (response.status_code, "cannot be reached" in response.json()["message"]) == (502, True)
        assert [finding.id for finding in proxy.findings] == ["upstream-unreachable"]
        assert proxy.cap.run.spent_usd == 0
    assert calls(folder) == []


def test_a_certificate_that_is_not_trusted_is_named(start: Start, tls_upstream: str) -> None:
    with start(tls_upstream) as (client, proxy):
        message = client.post(PATH, json=BODY).json()["message"]
        assert "the TLS connection to https://localhost" in message
        assert "--ca FILE" in message
        assert [finding.id for finding in proxy.findings] == ["upstream-tls"]


@pytest.fixture
def tls_upstream() -> Iterator[str]:
    import trustme

    authority = trustme.CA()
    mock = create_app()
    config = server_config(mock)
    config.load()
    import ssl

    config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = authority.issue_cert("localhost")
    certificate.configure_cert(config.ssl)
    with serve_asgi(Server(config)) as origin:
        yield f"https://localhost:{origin.rpartition(':')[2]}"


def test_half_an_answer_is_half_an_answer_for_the_client_and_is_not_replayed(start: Start, folder: Path) -> None:
    def half(handler: Handler) -> None:
        handler.send(b'{"data":[{"url"', Content_Length="500")
        handler.close_connection = True

    with answering(half) as (origin, _), start(origin) as (client, proxy):
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(PATH, json=BODY)
        assert [finding.id for finding in proxy.findings if finding.id.startswith("upstream")] == ["upstream-broken"]
        # It may have been carried out.
        assert proxy.cap.run.spent_usd == pytest.approx(0.042)
    facts = CallFacts.of(only_call(folder))
    assert facts is not None
    assert (facts.trouble, facts.usd) == ("broken", 0.042)


def test_a_connection_that_ends_without_an_answer_counts_as_paid(start: Start, folder: Path) -> None:
    def nothing(handler: Handler) -> None:
        handler.close_connection = True

    with answering(nothing) as (origin, server), start(origin) as (client, proxy):
        assert client.post(PATH, json=BODY).status_code == 502
        assert len(server.got) == 1
        assert proxy.cap.run.spent_usd == pytest.approx(0.042)
    assert only_call(folder).answer is None


def test_html_is_passed_on_found_and_recorded_whole(start: Start, folder: Path) -> None:
    page = b"<html>" + b"<p>Bad gateway</p>" * 500
    with (
        answering(lambda handler: handler.send(page, 502, Content_Type="text/html")) as (origin, _),
        start(origin) as (client, proxy),
    ):
        assert client.post(PATH, json=BODY).content == page
    assert [finding.id for finding in proxy.findings] == ["valid-accepted/recorded-502"]
    recording = read_recording_folder(folder)
    answer = recording.exchanges[0].answer
    assert answer is not None
    assert answer.raw is not None
    assert recording.files.get(answer.raw["sha256"]) == page


def test_a_body_without_an_end_is_passed_on_and_kept_only_up_to_the_limit(start: Start, folder: Path) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for first in count(0, 1000):
                numbers = b"".join(b"%08d" % number for number in range(first, first + 1000))
                # Large parts and small ones.
                handler.wfile.write(numbers[:-8])
                handler.wfile.write(numbers[-8:])

    with (
        answering(endless) as (origin, _),
        start(origin, max_answer_bytes=1_000_000) as (client, proxy),
    ):
        with client.stream("POST", PATH, json=BODY) as response:
            got = 0
            for part in response.iter_raw():
                got += len(part)
                if got > 5_000_000:
                    break
        client.get("/_bodydouble/health")
    assert "answer-too-large" in {finding.id for finding in proxy.findings}
    (kept,) = (folder / "files").iterdir()
    data = kept.read_bytes()
    assert 800_000 < len(data) <= 1_000_000
    assert data == b"".join(b"%08d" % number for number in range(125_000))[: len(data)]


def test_a_picture_that_is_too_large_is_said_and_the_call_is_kept(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_LARGEST_PICTURE", 32)
    with answering(usual) as (origin, _), start(origin) as (client, proxy):
        client.post(PATH, json=BODY)
    (finding,) = [finding for finding in proxy.findings if finding.id == "picture-not-recorded"]
    assert "/data/0/url" in finding.message
    assert only_call(folder).status == 200


def test_a_request_that_is_too_large_is_refused_in_words(start: Start) -> None:
    with answering(usual) as (origin, server), start(origin, settings={"max_body_bytes": 100}) as (client, _proxy):
        assert client.post(PATH, json={**BODY, "prompt": "x" * 500}).status_code == 413
        assert server.got == []


def test_the_answer_to_a_client_that_went_away_is_recorded_all_the_same(start: Start, folder: Path) -> None:
    asked, gone = threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        asked.set()
        assert gone.wait(20)
        handler.send(b'{"data":[]}')

    with answering(slow) as (origin, _), start(origin) as (client, _proxy):
        url = client.base_url
        with socket.create_connection((url.host, url.port)) as connection:
            body = json.dumps(BODY).encode()
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            assert asked.wait(20)
        gone.set()
    assert only_call(folder).status == 200


def test_a_recording_that_cannot_be_written_is_a_problem_and_the_call_goes_through(start: Start, folder: Path) -> None:
    with answering(lambda handler: handler.send(b'{"data":[]}')) as (origin, _), start(origin) as (client, proxy):
        client.post(PATH, json=BODY, headers=HELD)
        proxy.folder.close()
        assert client.post(PATH, json={**BODY, "prompt": "lost"}).status_code == 200
        client.get("/_bodydouble/health")
    assert len(proxy.problems) == 1
    assert "the earlier exchanges are complete" in proxy.problems[0]
    assert [call.body["prompt"] for call in calls(folder)] == ["a dinosaur"]
