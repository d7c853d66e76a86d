"""The mock in the place of the real hosts: as a proxy, and on a port that begins with TLS."""

import asyncio
import json
import shutil
import socket
import ssl
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import certifi
import httpx
import httpx2
import pytest
import requests
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.interception import Authority, CannotIntercept, ContractHosts, Interception
from bodydouble_mockserver.interception.tunnel import ESTABLISHED, forward
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract

from spec.tests.servers import PATIENCE_S, serve_asgi

HOST = "api.aimlapi.com"
URL = f"https://{HOST}/v1/images/generations"
HEADERS = {"Authorization": "Bearer a-key"}


@pytest.fixture(scope="module")
def mock(contract: Contract) -> MockServer:
    return create_app(contract)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority({}) as authority:
        yield authority


@pytest.fixture(scope="module")
def front(mock: MockServer, authority: Authority) -> Iterator[Interception]:
    with closing(Interception(lambda: ContractHosts.of(mock.contracts), authority, handshake_s=30)) as front:
        yield front


@pytest.fixture
def impatient(front: Interception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give handshakes too little time for those that never end; a busy machine may need more for a good one."""
    monkeypatch.setattr(front, "handshake_s", 0.3)


@pytest.fixture(scope="module")
def proxy(mock: MockServer, front: Interception) -> Iterator[str]:
    server = Server(server_config(mock, protocol=front.protocol))
    with serve_asgi(server, front.listener) as origin:
        front.port = httpx.URL(origin).port or 0
        yield origin


@pytest.fixture
def variables(front: Interception, proxy: str, mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of an intercepted program, and empty the journal."""
    mock.reset()
    for name, value in front.variables(proxy, {}).items():
        monkeypatch.setenv(name, value)


def ids(mock: MockServer, *, least: int = 0) -> list[str]:
    """Return the ids of the findings, once there are as many as ``least``: the server records a connection after it has closed it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = [finding["id"] for exchange in mock.journal.exchanges() for finding in exchange.findings]
        if len(found) >= least or time.monotonic() > deadline:
            return found
        time.sleep(0.005)


def by_httpx(body: Any) -> int:
    return httpx.post(URL, json=body, headers=HEADERS).status_code


def by_httpx2(body: Any) -> int:
    return httpx2.post(URL, json=body, headers=HEADERS).status_code


def by_requests(body: Any) -> int:
    return requests.post(URL, json=body, headers=HEADERS, timeout=30).status_code


@pytest.mark.parametrize("send", [by_httpx, by_httpx2, by_requests])
@pytest.mark.usefixtures("variables")
def test_a_library_that_reads_the_environment_calls_the_mock_at_the_real_address(
    send: Callable[[Any], int], edit: Callable[..., Any], mock: MockServer
) -> None:
    assert (send(edit()), len(mock.journal.exchanges())) == (200, 1)


@pytest.mark.usefixtures("variables")
def test_pictures_are_at_the_mocks_own_address(edit: Callable[..., Any], proxy: str) -> None:
    answer = httpx.post(URL, json=edit(), headers=HEADERS)
    assert answer.json()["data"][0]["url"].startswith(f"{proxy}/generations/")


@pytest.mark.usefixtures("variables")
def test_node_calls_the_mock_at_the_real_address_whatever_its_release(mock: MockServer) -> None:
    script = f"fetch('{URL}', {{ method: 'POST', body: '{{}}' }}).then((answer) => console.log(answer.status))"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert (done.stdout, len(mock.journal.exchanges())) == ("401\n", 1)


@pytest.mark.usefixtures("variables")
def test_curl_keeps_one_tunnel_for_several_requests(mock: MockServer) -> None:
    done = subprocess.run(
        ["curl", "-sS", "-w", "%{num_connects}", URL, URL], capture_output=True, text=True, check=True
    )
    assert (done.stdout[-1], [exchange.status for exchange in mock.journal.exchanges()]) == ("0", [404, 404])


@pytest.mark.usefixtures("variables")
def test_another_host_is_refused_and_reported_but_never_called(mock: MockServer) -> None:
    with pytest.raises(httpx.ProxyError, match="403"):
        httpx.get("https://127.0.0.1.example.org/")
    (exchange,) = mock.journal.exchanges()
    (finding,) = exchange.findings
    assert (finding["id"], finding["severity"], exchange.method) == ("other-host-called", "warning", "CONNECT")
    assert "127.0.0.1.example.org" in finding["message"]


def test_a_whole_url_of_a_host_is_answered_as_its_path(proxy: str, mock: MockServer) -> None:
    mock.reset()
    with httpx.Client(proxy=proxy) as client:
        assert client.get(f"http://{HOST}/v1/models").status_code == 200
        assert client.get("http://example.org/v1/models").status_code == 403
    assert ids(mock) == ["other-host-called"]


@pytest.mark.parametrize(
    ("sent", "status", "rule"),
    [
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", b"403", "other-host-called"),
        (b"CONNECT x.api.aimlapi.com:443 HTTP/1.1\r\n\r\n", b"403", "other-host-called"),
        (b"CONNECT http://api.aimlapi.com/ HTTP/1.1\r\n\r\n", b"", "request-connect"),
        (b"CONNECT " + b"a" * 100_000, b"414", "request-url-too-long"),
        (b"CONNECT api.aimlapi.com:443 HTTP/1.1\r\na: " + b"b" * 100_000, b"431", "request-head-too-long"),
        (b"CONNECT api.aimlapi.com:443 HTTP/1.1\r\n\r\n", b"200", "interception-no-tls"),
        (b"CONNECT api.aimlapi.com:443 HTTP/1.1\r\n\r\n\x16\x03\x01\x02", b"200", "interception-no-tls"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_what_is_no_tunnel_ends_in_time_with_a_finding(
    proxy: str, mock: MockServer, sent: bytes, status: bytes, rule: str
) -> None:
    mock.reset()
    with socket.create_connection(("127.0.0.1", httpx.URL(proxy).port or 0), timeout=30) as connection:
        connection.sendall(sent)
        answered = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answered.split(b" ")[1].startswith(status)
    assert ids(mock, least=1) == [rule]


def test_a_tunnel_ends_where_the_far_host_breaks_off() -> None:
    near, own = socket.socketpair()
    own.setblocking(False)
    with near, socket.create_server(("127.0.0.1", 0)) as far:
        tunnel = threading.Thread(target=lambda: asyncio.run(forward(own, *far.getsockname())))
        tunnel.start()
        connection, _ = far.accept()
        near.settimeout(PATIENCE_S)
        assert near.recv(65536) == ESTABLISHED
        with connection:  # whose end is a reset, because nothing lingers
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert near.recv(65536) == b""
    tunnel.join(PATIENCE_S)
    assert not tunnel.is_alive()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
@pytest.mark.usefixtures("proxy", "impatient")
def test_the_second_port_begins_with_tls_and_nothing_else(front: Interception, mock: MockServer, sent: bytes) -> None:
    mock.reset()
    with socket.create_connection(("127.0.0.1", front.tls_port), timeout=30) as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b""
    assert ids(mock, least=1) == ["interception-no-tls"]


@pytest.mark.parametrize(("name", "roots"), [(HOST, certifi.where()), ("example.org", None)])
@pytest.mark.usefixtures("proxy")
def test_a_client_that_does_not_trust_the_certificate_is_told(
    front: Interception, authority: Authority, mock: MockServer, name: str, roots: str | None
) -> None:
    mock.reset()
    context = ssl.create_default_context(cafile=roots or str(authority.bundle))
    with (
        socket.create_connection(("127.0.0.1", front.tls_port), timeout=30) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(connection, server_hostname=name)
    assert ids(mock, least=1) == ["interception-not-trusted"]


def test_the_files_are_readable_by_this_user_alone_and_go_with_the_authority() -> None:
    with Authority({}) as authority:
        files = [authority.certificate, authority.bundle, authority.node, authority.trust_store]
        files.append(authority.python / "sitecustomize.py")
        folder = authority.bundle.parent
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert {stat.S_IMODE(one.stat().st_mode) for one in (folder, authority.python)} == {0o700}
        assert {file for file in folder.rglob("*") if file.is_file()} == {*files}
        assert not any(b"PRIVATE KEY" in file.read_bytes() for file in files)
    assert not folder.exists()


def test_roots_that_a_user_has_named_stay_trusted(tmp_path: Path, authority: Authority) -> None:
    mine = tmp_path / "mine.pem"
    shutil.copy(authority.certificate, mine)
    named = dict.fromkeys(("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(mine))
    with Authority(named | {"SSL_CERT_FILE": str(tmp_path / "missing")}) as other:
        for file in (other.bundle, other.certificate):
            assert authority.certificate.read_bytes().strip() in file.read_bytes()
        # The system's roots are there too.
        assert other.bundle.read_bytes().count(b"BEGIN CERTIFICATE") > 50


def test_variables_of_the_user_are_kept_but_for_what_would_bypass_the_mock(front: Interception, proxy: str) -> None:
    environ = {
        "no_proxy": f"db,.corp.example,{HOST},.aimlapi.com,aimlapi.com:443",
        "NODE_OPTIONS": "--max-old-space-size=99",
        "JAVA_TOOL_OPTIONS": "-Xmx99m",
    }
    variables = front.variables(proxy, environ)
    assert variables["NO_PROXY"] == variables["no_proxy"] == "db,.corp.example,127.0.0.1,localhost,::1"
    assert variables["NODE_OPTIONS"].startswith("--max-old-space-size=99 --require=")
    assert variables["JAVA_TOOL_OPTIONS"].startswith("-Xmx99m -Dhttps.proxyHost=127.0.0.1 ")
    assert "http.nonProxyHosts=db|*.corp.example|127.0.0.1|localhost|::1" in variables["JAVA_TOOL_OPTIONS"]
    assert front.variables(proxy, {"NO_PROXY": "*"})["NO_PROXY"] == "127.0.0.1,localhost,::1"


SERVERS: list[tuple[Any, tuple[str, ...], tuple[str, ...]]] = [
    ([{"url": "https://API.Example.com/v2/"}], ("api.example.com",), ("/v2",)),
    ([{"url": "https://{region}.example.com", "variables": {"region": {"default": "eu"}}}], ("eu.example.com",), ()),
    ([{"url": "https://{region}.example.com"}], (), ()),
    ([{"url": "/v1"}, {"url": "http://localhost:8080"}, {"url": "http://127.0.0.1"}, {"url": "https://["}], (), ()),
    ([{"url": "wss://a.example.com"}, {"url": "https://*.example.com"}, {"url": 7}, None], (), ()),
    ({"url": "https://a.example.com"}, (), ()),
    ([{"url": "http://a.example.com/x"}, {"url": "https://a.example.com/x/y"}], ("a.example.com",), ("/x/y", "/x")),
]


@pytest.mark.parametrize(("servers", "names", "bases"), SERVERS)
def test_the_hosts_are_those_that_the_contract_names(
    tmp_path: Path, contract: Contract, servers: Any, names: tuple[str, ...], bases: tuple[str, ...]
) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({**contract.document, "servers": servers}), encoding="utf-8")
    hosts = ContractHosts.of([Contract.load(str(file))])
    assert (hosts.names, hosts.bases) == (names, bases)


def test_the_path_of_a_server_is_left_out() -> None:
    hosts = ContractHosts(("a.example.com",), frozenset({"https"}), ("/x/y", "/x"))
    assert [hosts.path_of(path) for path in (b"/x/y/z", b"/x/z?a", b"/x?a", b"/x", b"/xy", b"/z")] == [
        b"/z", b"/z?a", b"/?a", b"/", b"/xy", b"/z",
    ]  # fmt: skip


def test_a_contract_without_a_host_cannot_be_intercepted(authority: Authority) -> None:
    with pytest.raises(CannotIntercept, match="names no host"):
        Interception(lambda: ContractHosts.of([]), authority)
