"""One call to a server: its bytes, its key, and the failure of an incomplete answer."""

import gzip
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.target.credentials import WRONG_KEY
from bodydouble_contract_tests.target.http import Target, Undecodable, decoded
from bodydouble_contract_tests.verification import CannotVerify, Credential, Trouble
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st

PATH = "/v1/images/generations"
KEY = "canary-4f1c9a7e2b"
BODY = json.dumps(
    {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "make it night",
        "image_urls": ["https://example.com/a.png"],
    }
).encode()
TROUBLES = {
    "reset-before-headers": Trouble.BROKEN,
    "reset-mid-body": Trouble.BROKEN,
    "truncated-json": None,
    "wrong-length": Trouble.WRONG_LENGTH,
    "empty": None,
    "garbage": Trouble.BROKEN,
    "broken-gzip": Trouble.UNDECODABLE,
    "hang": Trouble.TIMEOUT,
}


def answering(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> Target:
    return Target("http://api.test/v1", KEY, transport=httpx.MockTransport(answer), **options)


def noting(seen: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    """Return a server that keeps its requests."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    return answer


def raw(content: bytes, **headers: str) -> httpx.Response:
    """Return an answer with exactly these headers."""
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))


@pytest.mark.parametrize(
    ("base_url", "called"),
    [
        ("https://api.test", "https://api.test/v1/images/generations"),
        ("https://api.test/", "https://api.test/v1/images/generations"),
        ("https://api.test/v1", "https://api.test/v1/images/generations"),
        ("HTTPS://api.test:8443/v1//", "https://api.test:8443/v1/images/generations"),
        (" http://[::1]:80/gateway/v2 ", "http://[::1]/gateway/v1/images/generations"),
    ],
)
def test_every_spelling_of_a_base_url_leads_to_the_operation(base_url: str, called: str) -> None:
    seen: list[httpx.Request] = []
    with Target(base_url, KEY, transport=httpx.MockTransport(noting(seen))) as target:
        target.send("POST", PATH, b"{}")
    assert [str(request.url) for request in seen] == [called]


@pytest.mark.parametrize(
    "base_url",
    ["", "api.test", "ftp://api.test", "https://", "https://user:pass@api.test", "https://api.test?key=1",
     "https://api.test:99999", "https://[::1"],
)  # fmt: skip
def test_a_bad_base_url_is_rejected_before_anything_is_sent(base_url: str) -> None:
    with pytest.raises(CannotVerify):
        Target(base_url, KEY)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel-zum-dienst"])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(CannotVerify) as refused:
        Target("https://api.test", key)
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize(
    ("credential", "sent"),
    [(Credential.KEY, f"Bearer {KEY}"), (Credential.WRONG, f"Bearer {WRONG_KEY}"), (Credential.NONE, None)],
)
def test_a_call_carries_the_key_that_its_case_asks_for(credential: Credential, sent: str | None) -> None:
    seen: list[httpx.Request] = []
    with answering(noting(seen)) as target:
        target.send("POST", PATH, BODY, credential)
    assert (seen[0].headers.get("authorization"), seen[0].content) == (sent, BODY)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(status, headers={"location": "https://elsewhere.test/v1"})

    with answering(answer) as target:
        received = target.send("POST", PATH, BODY)
    assert (seen, received.status) == (["api.test"], status)


@pytest.mark.parametrize(
    ("length", "trouble"), [("3", None), ("2", Trouble.WRONG_LENGTH), ("4", Trouble.WRONG_LENGTH), ("three", None)]
)
def test_the_stated_length_is_compared_with_the_bytes_received(length: str, trouble: Trouble | None) -> None:
    with answering(lambda _: raw(b"abc", **{"content-length": length})) as target:
        assert target.send("POST", PATH, BODY).trouble == trouble


def test_a_compressed_body_is_decoded_and_its_length_is_that_of_the_wire() -> None:
    packed = gzip.compress(b'{"data": []}')
    headers = {"content-encoding": "gzip", "content-length": str(len(packed))}
    with answering(lambda _: raw(packed, **headers)) as target:
        received = target.send("POST", PATH, BODY)
    assert (received.content, received.trouble) == (b'{"data": []}', None)


def test_an_application_that_crashes_is_a_broken_answer() -> None:
    def crash(_request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError("by nothing")

    with answering(crash) as target:
        received = target.send("POST", PATH, BODY)
    assert (received.trouble, received.detail) == (Trouble.BROKEN, "ZeroDivisionError: by nothing")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60), st.data())
def test_gzip_is_decoded_completely_or_reported_as_broken(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    assert decoded(packed + gzip.compress(b"more"), " X-GZIP ", 1000) == content + b"more"
    with pytest.raises(Undecodable):
        decoded(packed[: data.draw(st.integers(0, len(packed) - 1))], "gzip", 1000)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(gzip.compress(bytes(10_000_000)), "gzip"), (b"x", "br"), (gzip.compress(b"a", mtime=0) + b"tail", "gzip")],
)
def test_a_body_that_is_too_long_or_in_another_encoding_is_not_decoded(data: bytes, encoding: str) -> None:
    with pytest.raises(Undecodable):
        decoded(data, encoding, 1_000_000)


def test_without_a_listener_nothing_was_sent() -> None:
    with Target("http://127.0.0.1:1", KEY) as target:
        received = target.send("POST", PATH, BODY)
    assert (received.trouble, received.was_sent, received.status) == (Trouble.UNREACHABLE, False, None)


def test_a_server_without_a_trusted_certificate_never_gets_the_key(app: MockServer, secure: str) -> None:
    app.reset()
    with Target(secure, KEY) as target:
        received = target.send("POST", PATH, BODY)
    assert (received.trouble, len(app.journal.exchanges())) == (Trouble.UNREACHABLE, 0)


@pytest.fixture(scope="module")
def app(vendored: Contract) -> MockServer:
    return create_app(vendored)


@pytest.fixture(scope="module")
def secure(app: MockServer, serve: Callable[[MockServer], AbstractContextManager[str]]) -> Iterator[str]:
    with serve(app) as origin:
        yield origin


@pytest.mark.parametrize("fault", TROUBLES)
@pytest.mark.parametrize("where", ["in process", "over TLS"])
def test_each_fault_of_a_connection_is_told_apart(
    app: MockServer, secure: str, trusted: ssl.SSLContext, where: str, fault: str
) -> None:
    app.reset()
    app.play({"answers": [{"fault": fault}]})
    transport = MockTransport(app) if where == "in process" else None
    with Target(secure, KEY, transport=transport, verify=trusted, timeout_s=0.5 if fault == "hang" else 10) as target:
        received = target.send("POST", PATH, BODY)
        after = target.send("POST", PATH, BODY)
    if transport is not None:
        transport.close()
    # Python's ssl reports a reset as an early end, which leaves the body shorter than stated.
    is_hidden = where == "over TLS" and fault == "reset-mid-body"
    expected = Trouble.WRONG_LENGTH if is_hidden else TROUBLES[fault]
    assert (received.trouble, after.trouble, after.status) == (expected, None, 200)


def test_an_answer_that_drips_is_cut_off_in_time(app: MockServer, secure: str, trusted: ssl.SSLContext) -> None:
    app.reset()
    app.play({"answers": [{"fault": "slow-drip"}]})
    with Target(secure, KEY, verify=trusted, timeout_s=0.4) as target:
        received = target.send("POST", PATH, BODY)
    assert (received.trouble, received.status) == (Trouble.TIMEOUT, 200)


@pytest.mark.parametrize(("method", "trouble"), [("HEAD", None), ("POST", Trouble.WRONG_LENGTH)])
def test_the_answer_to_head_states_the_length_and_encoding_of_a_body_that_it_has_not(
    method: str, trouble: Trouble | None
) -> None:
    headers = {"content-length": "40", "content-encoding": "gzip"}
    transport = httpx.MockTransport(lambda _: httpx.Response(404, headers=headers, stream=httpx.ByteStream(b"")))
    with Target("http://127.0.0.1", "a-key", transport=transport) as target:
        received = target.send(method, "/", b"")
    assert (received.status, received.trouble) == (404, trouble)
