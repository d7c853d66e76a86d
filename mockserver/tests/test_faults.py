"""Faults below the contract: the view of four clients over a real socket, and the health of the server afterwards."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import requests
import trustme
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.server import Server, server_config

from spec.tests.servers import serve_asgi

Edit = Callable[..., dict[str, Any]]
PATH = "/v1/images/generations"
# Shorter than the time between two bytes of slow-drip; used only for answers that never come.
SILENT_FAULTS = {"slow-drip", "hang"}
SHORT_READ_S = 0.09
BROKEN_JSON = json.JSONDecodeError

# The result in each client, by fault: httpx, requests, openai (the exception and its cause), and fetch of Node.
RESULTS: dict[str, tuple[type[Exception], type[Exception], tuple[type[Exception], str], str]] = {
    "reset-before-headers": (
        httpx.ReadError,
        requests.ConnectionError,
        (openai.APIConnectionError, "ReadError"),
        "TypeError ECONNRESET",
    ),
    "reset-mid-body": (
        httpx.ReadError,
        requests.exceptions.ChunkedEncodingError,
        (openai.APIConnectionError, "ReadError"),
        "TypeError ECONNRESET",
    ),
    "truncated-json": (BROKEN_JSON, requests.JSONDecodeError, (BROKEN_JSON, "NoneType"), "SyntaxError"),
    "wrong-length": (
        httpx.RemoteProtocolError,
        requests.exceptions.ChunkedEncodingError,
        (openai.APIConnectionError, "RemoteProtocolError"),
        "TypeError UND_ERR_SOCKET",
    ),
    "empty": (BROKEN_JSON, requests.JSONDecodeError, (BROKEN_JSON, "NoneType"), "SyntaxError"),
    "garbage": (
        httpx.RemoteProtocolError,
        requests.ConnectionError,
        (openai.APIConnectionError, "RemoteProtocolError"),
        "TypeError HPE_INVALID_CONSTANT",
    ),
    "slow-drip": (
        httpx.ReadTimeout,
        requests.ConnectionError,
        (openai.APITimeoutError, "ReadTimeout"),
        "TimeoutError",
    ),
    "broken-gzip": (
        httpx.DecodingError,
        requests.exceptions.ContentDecodingError,
        (openai.APIConnectionError, "DecodingError"),
        "TypeError Z_DATA_ERROR",
    ),
    "hang": (httpx.ReadTimeout, requests.ReadTimeout, (openai.APITimeoutError, "ReadTimeout"), "TimeoutError"),
}
each_fault = pytest.mark.parametrize("fault", RESULTS)


def headers(fault: str | None) -> dict[str, str]:
    return {"authorization": "Bearer a-key"} | ({} if fault is None else {"prefer": f"fault={fault}"})


def patience(fault: str) -> httpx.Timeout:
    return httpx.Timeout(30, read=SHORT_READ_S if fault in SILENT_FAULTS else 30)


@pytest.fixture
def healthy(origin: str, edit: Edit, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check after the test that the server answers as usual and has logged nothing."""
    caplog.set_level(logging.INFO)
    yield
    assert httpx.post(f"{origin}{PATH}", json=edit(), headers=headers(None)).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))] == []


def test_the_table_has_every_fault() -> None:
    assert RESULTS.keys() == FAULTS.keys()


@pytest.mark.usefixtures("healthy")
@each_fault
def test_httpx_sees_the_fault(origin: str, edit: Edit, fault: str) -> None:
    with pytest.raises(RESULTS[fault][0]) as seen:
        httpx.post(f"{origin}{PATH}", json=edit(), headers=headers(fault), timeout=patience(fault)).json()
    assert seen.type is RESULTS[fault][0]


@pytest.mark.usefixtures("healthy")
@each_fault
def test_httpx_sees_the_fault_on_a_connection_that_was_used_before(origin: str, edit: Edit, fault: str) -> None:
    with httpx.Client(base_url=origin, timeout=patience(fault)) as client:
        client.post(PATH, json=edit(), headers=headers(None), timeout=30).raise_for_status()
        with pytest.raises(RESULTS[fault][0]):
            client.post(PATH, json=edit(), headers=headers(fault)).json()
        client.post(PATH, json=edit(), headers=headers(None), timeout=30).raise_for_status()


@pytest.mark.usefixtures("healthy")
@each_fault
def test_asynchronous_httpx_sees_the_fault(origin: str, edit: Edit, loop: asyncio.Runner, fault: str) -> None:
    async def ask() -> Any:
        async with httpx.AsyncClient(base_url=origin, timeout=patience(fault)) as client:
            return (await client.post(PATH, json=edit(), headers=headers(fault))).json()

    with pytest.raises(RESULTS[fault][0]) as seen:
        loop.run(ask())
    assert seen.type is RESULTS[fault][0]


@pytest.mark.usefixtures("healthy")
@each_fault
def test_requests_sees_the_fault(origin: str, edit: Edit, fault: str) -> None:
    wait_s = SHORT_READ_S if fault in SILENT_FAULTS else 30
    with requests.Session() as session, pytest.raises(RESULTS[fault][1]) as seen:
        session.post(f"{origin}{PATH}", json=edit(), headers=headers(fault), timeout=(30, wait_s)).json()
    assert seen.type is RESULTS[fault][1]


@pytest.mark.usefixtures("healthy")
@each_fault
def test_openai_sees_the_fault(origin: str, edit: Edit, fault: str) -> None:
    kind, cause = RESULTS[fault][2]
    body = edit()
    wait_s = SHORT_READ_S if fault in SILENT_FAULTS else 30
    with openai.OpenAI(base_url=f"{origin}/v1", api_key="a-key", max_retries=0) as client, pytest.raises(kind) as seen:
        client.images.generate(
            model=body["model"],
            prompt=body["prompt"],
            extra_body={"image_urls": body["image_urls"]},
            extra_headers={"prefer": f"fault={fault}"},
            timeout=wait_s,
        )
    assert (seen.type, type(seen.value.__cause__).__name__) == (kind, cause)


_FETCH = """
const [origin, body, ...faults] = process.argv.slice(1);
const once = (prefer, patience) => fetch(`${origin}/v1/images/generations`, {
  method: "POST", body,
  headers: { authorization: "Bearer a-key", "content-type": "application/json", prefer },
  signal: AbortSignal.timeout(patience),
}).then((answer) => answer.json());
// Node 20 now and then loses the error of a decoder, and its promise never settles: asked again.
const lost = Symbol();
const ask = async (...call) => {
  let answer;
  do {
    answer = await Promise.race([once(...call), new Promise((done) => setTimeout(done, 5000, lost))]);
  } while (answer === lost);
  return answer;
};
for (const fault of faults) {
  let seen;
  try {
    seen = JSON.stringify(await ask(`fault=${fault}`, ["slow-drip", "hang"].includes(fault) ? 300 : 30000));
  } catch (error) {
    seen = error.name + (error.cause?.code ? ` ${error.cause.code}` : "");
  }
  await ask("", 30000);
  console.log(`${fault}: ${seen}`);
}
process.exit();
"""


@pytest.mark.usefixtures("healthy")
def test_fetch_of_node_sees_each_fault(origin: str, edit: Edit) -> None:
    command = ["node", "--input-type=module", "--eval", _FETCH, origin, json.dumps(edit()), *RESULTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [f"{fault}: {seen[3]}" for fault, seen in RESULTS.items()], done.stderr


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("fault", ["truncated-json", "empty", "broken-gzip", "wrong-length", "reset-mid-body"])
@pytest.mark.parametrize("code", [200, 503])
def test_a_fault_keeps_the_status_that_the_answer_has(origin: str, edit: Edit, fault: str, code: int) -> None:
    asked = {**headers(None), "prefer": f"fault={fault}, code={code}"}
    with httpx.stream("POST", f"{origin}{PATH}", json=edit(), headers=asked) as answer:
        assert (answer.status_code, answer.headers["preference-applied"]) == (code, f"code={code}, fault={fault}")


@pytest.mark.usefixtures("healthy")
def test_slow_drip_gives_the_whole_body_in_the_end(origin: str, edit: Edit) -> None:
    asked = {**headers(None), "prefer": "fault=slow-drip, code=429"}
    with httpx.stream("POST", f"{origin}{PATH}", json=edit(), headers=asked) as answer:
        assert [chunk for chunk, _ in zip(answer.iter_raw(), range(3), strict=False)] == [b"{", b'"', b"t"]


@pytest.mark.usefixtures("healthy")
def test_a_large_body_drips_in_pieces_that_end_within_a_minute(app: MockServer, origin: str) -> None:
    app.play({"answers": [{"body": "x" * 6_001, "fault": "slow-drip", "violation": True}]})
    with httpx.stream("POST", f"{origin}{PATH}", json={}, headers=headers(None)) as answer:
        assert [len(chunk) for chunk, _ in zip(answer.iter_raw(), range(2), strict=False)] == [11, 11]


def test_slow_drip_ends_when_the_client_disconnects(app: MockServer, edit: Edit, loop: asyncio.Runner) -> None:
    sent: list[Any] = []
    body = json.dumps(edit()).encode()
    given = iter([{"type": "http.request", "body": body}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(given)

    async def send(message: Any) -> None:
        sent.append(message)

    fields = {**headers("slow-drip"), "content-type": "application/json", "host": "mock"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }
    loop.run(app(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


@pytest.fixture(scope="module")
def secure(app: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Serve over https; provide the origin and a context that trusts it."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with serve_asgi(Server(server_config(app, folder / "certificate.pem", folder / "key.pem"))) as origin:
        yield origin, context


@each_fault
def test_over_tls_each_fault_is_seen_too(
    secure: tuple[str, ssl.SSLContext], edit: Edit, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    origin, context = secure
    with httpx.Client(base_url=origin, verify=context, timeout=patience(fault)) as client:
        client.post(PATH, json=edit(), headers=headers(None), timeout=30).raise_for_status()
        with pytest.raises((httpx.TransportError, httpx.DecodingError, BROKEN_JSON)) as seen:
            client.post(PATH, json=edit(), headers=headers(fault)).json()
        client.post(PATH, json=edit(), headers=headers(None), timeout=30).raise_for_status()
    # Python's ssl reports a reset (ECONNRESET) as an early end.
    assert seen.type is (httpx.RemoteProtocolError if fault.startswith("reset") else RESULTS[fault][0])
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))] == []


@pytest.mark.parametrize("fault", ["reset-before-headers", "reset-mid-body"])
def test_over_tls_a_reset_is_one_on_the_wire(secure: tuple[str, ssl.SSLContext], fault: str) -> None:
    origin, context = secure
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(received, to_send, server_hostname="127.0.0.1")
    request = f"POST {PATH} HTTP/1.1\r\nhost: mock\r\ncontent-length: 0\r\nprefer: fault={fault}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(origin).port or 443)) as wire:
        while session.version() is None or to_send.pending:
            with contextlib.suppress(ssl.SSLWantReadError):
                session.do_handshake()
            wire.sendall(to_send.read())
            if session.version() is None:
                received.write(wire.recv(65536))
        session.write(request.encode())
        wire.sendall(to_send.read())
        # An orderly close would wait for the TLS shutdown of both sides, for which asyncio allows half a minute.
        wire.settimeout(10)
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: wire.recv(65536), b""))
