"""Bad bodies: never a 5xx, never HTML, always the vendor's envelope."""

import copy
import json
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
JSON = {"content-type": "application/json"}
PROBLEM = "application/problem+json; charset=utf-8"
PATH = "/v1/images/generations"
VALID = b'{"model":"google/gemini-2.5-flash-image-edit","image_urls":[],"prompt":%s}'


def nested(levels: int) -> bytes:
    return (
        VALID % b'"x"' + b"" if levels == 0 else VALID[:-1] % b'"x"' + b',"x":' + b"[" * levels + b"]" * levels + b"}"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" " * 10_000_000, "empty", id="ten megabytes of spaces"),
        pytest.param(b"\n\t\r ", "empty", id="white space"),
        pytest.param(VALID % b"NaN", "line 1, column", id="NaN"),
        pytest.param(VALID % b"Infinity", "line 1, column", id="Infinity"),
        pytest.param(VALID % b"1e400", "line 1, column", id="a number beyond all bounds"),
        pytest.param(VALID % b'"\\ud800"', "line 1, column", id="a lone high surrogate"),
        pytest.param(VALID % b'"\\udc00 x"', "line 1, column", id="a lone low surrogate"),
        pytest.param(VALID % b'"\xff"', f"line 1, column {VALID.index(b'%s') + 2}: byte 0xFF", id="not UTF-8"),
        pytest.param(
            ("{\n" + 'é", "ü":\n "" "é":').encode() + b"\xe9",
            "line 3, column 9: byte 0xE9; as Latin-1 it would be 'é'",
            id="Latin-1",
        ),
        pytest.param('{"prompt": "\u2026"}'.encode("cp1252"), "line 1, column 13", id="Windows-1252"),
        pytest.param('{"prompt": "x"}'.encode("utf-32"), "UTF-32", id="UTF-32"),
        pytest.param(VALID % b'"a\x00b"', "line 1, column", id="a bare NUL"),
        pytest.param((VALID % b'"x"').decode().encode("utf-16"), "UTF-16", id="UTF-16 with a byte order mark"),
        pytest.param((VALID % b'"x"').decode().encode("utf-16-le"), "UTF-16", id="UTF-16 little-endian"),
        pytest.param((VALID % b'"x"').decode().encode("utf-16-be"), "UTF-16", id="UTF-16 big-endian"),
        pytest.param((VALID % b'"x"')[:-1], "line 1, column", id="truncated"),
        pytest.param(VALID % b'"x"' + b"}", "line 1, column", id="more after the end"),
        pytest.param(b"model=x&prompt=y", "it is a form: send JSON", id="a form"),
        pytest.param(b"{'model': 'x'}", "send json.dumps", id="a dict of Python"),
        pytest.param(b"[object Object]", "send JSON.stringify", id="an object of JavaScript"),
    ],
)
def test_an_unreadable_body_is_400_with_the_reason(app: MockServer, call: Call, content: bytes, reason: str) -> None:
    answer = call(app, content=content, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    (issue,) = answer.json()["error"]["data"]
    assert (issue["code"], issue["path"]) == ("custom", [])
    assert reason in issue["message"]


@pytest.mark.parametrize("content", [b"[]", b"null", b"1", b'"text"', b"true", b"{}"])
def test_json_that_is_not_a_request_is_400(app: MockServer, call: Call, content: bytes) -> None:
    answer = call(app, content=content, headers=JSON)
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid payload provided")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "application/jsonx",
        "\u00fc",
    ],
)
def test_a_content_type_that_is_not_json_is_400_and_named(
    app: MockServer, call: Call, edit: Edit, content_type: str
) -> None:
    headers = [(b"content-type", content_type.encode("latin-1"))]
    answer = call(app, content=json.dumps(edit()), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert (content_type.partition(";")[0] or "missing") in answer.json()["error"]["data"][0]["message"]


def test_a_missing_content_type_is_400(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, content=json.dumps(edit()))
    assert (answer.status_code, "missing" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON; charset=UTF-8", "application/vnd.api+json", " application/json "],
)
def test_every_spelling_of_the_json_media_type_is_accepted(
    app: MockServer, call: Call, edit: Edit, content_type: str
) -> None:
    assert call(app, content=json.dumps(edit()), headers={"content-type": content_type}).status_code == 200


@pytest.mark.parametrize(("content_type", "status"), [("application/json", 400), ("application/vnd.api+json", 200)])
def test_json_in_general_is_not_the_json_that_a_contract_names(
    call: Call, edit: Edit, content_type: str, status: int
) -> None:
    document = copy.deepcopy(dict(Contract.load().published))
    content = document["paths"][PATH]["post"]["requestBody"]["content"]
    content["application/vnd.api+json"] = content.pop("application/json")
    app = create_app(Contract.load(document))
    assert call(app, content=json.dumps(edit()), headers={"content-type": content_type}).status_code == status


@pytest.mark.parametrize("levels", [0, 1, 63])
def test_nesting_up_to_the_limit_is_accepted(app: MockServer, call: Call, levels: int) -> None:
    assert call(app, content=nested(levels), headers=JSON).status_code == 200


@pytest.fixture(scope="session")
def keyless(contract: Contract) -> MockServer:
    return create_app(contract, Settings(require_key=False, max_body_bytes=500))


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=600)
    | st.sampled_from([VALID, b"[", b'{"model":']).flatmap(
        lambda head: st.binary(max_size=60).map(lambda tail: head + tail)
    ),
    content_type=st.sampled_from([b"application/json", b"application/json;charset=utf-16", b"text/html"])
    | st.binary(max_size=20).filter(lambda value: not {*value} & {*range(32), 127}),
    path=st.sampled_from(["/v1/images/generations", "/v1/images", "/v2/billing"]),
    method=st.sampled_from(["POST", "PUT", "GET"]),
)
def test_no_body_content_type_route_or_method_crashes_the_mock(
    keyless: MockServer, call: Call, content: bytes, content_type: bytes, path: str, method: str
) -> None:
    answer = call(keyless, path, method=method, content=content, headers=[(b"content-type", content_type)])
    assert answer.status_code < 500
    assert answer.headers["content-type"].partition(";")[0] in {"application/json", "application/problem+json"}
    assert answer.json()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_an_unknown_key_with_any_value_is_tolerated(
    app: MockServer, call: Call, edit: Edit, json_values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    body = edit() | {"x": data.draw(json_values)}
    assert call(app, json=body).status_code == 200


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        pytest.param(b'{"prompt":"lost",' + (VALID % b'"kept"')[1:], ["prompt"], id="plain"),
        pytest.param(b'{"prompt" \n:"lost",' + (VALID % b'"kept"')[1:], ["prompt"], id="white space before the colon"),
        pytest.param((VALID % b'"kept"')[:-1] + b',"x":{"y":1,"y":2}}', ["y"], id="nested"),
        pytest.param((VALID % b'"kept"')[:-1] + b',"x":[{"y":1,"y":' + b"1" * 300 + b"}]}", ["y"], id="a huge number"),
        pytest.param((VALID % b'"kept"')[:-1] + b',"u":"a\\":b \\":"}', [], id="text that looks like keys"),
        pytest.param(VALID % b'"kept"', [], id="none"),
    ],
)
def test_the_last_of_duplicate_keys_wins_and_is_logged(
    contract: Contract, call: Call, caplog: pytest.LogCaptureFixture, content: bytes, keys: list[str]
) -> None:
    app = create_app(contract, Settings(log=True))
    with caplog.at_level(logging.INFO, "bodydouble.mockserver"):
        answer = call(app, content=content, headers=JSON)
    assert answer.status_code == 200
    assert answer.json() == call(app, json=json.loads(content)).json()
    line = caplog.records[0].getMessage()
    assert ("appears twice" in line, all(f"'{key}'" in line for key in keys)) == (bool(keys), True)


LIMIT = 1_000_000


@pytest.fixture(scope="module")
def limited(contract: Contract, serve: Callable[..., Any]) -> Any:
    with serve(create_app(contract, Settings(max_body_bytes=LIMIT))) as origin:
        yield f"{origin}/v1/images/generations"


def test_a_body_of_exactly_the_limit_is_read(limited: str) -> None:
    body = (VALID % b'"x"').ljust(LIMIT)
    answer = httpx.post(limited, content=body, headers={**JSON, "authorization": "Bearer k"})
    assert answer.status_code == 200


@pytest.mark.parametrize("extra", [1, 20 * LIMIT])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_httpx_reads_the_413_for_a_body_over_the_limit(limited: str, extra: int, is_chunked: bool) -> None:
    body = b" " * (LIMIT + extra)
    content = (body[start : start + 65536] for start in range(0, len(body), 65536)) if is_chunked else body
    answer = httpx.post(limited, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    assert answer.json()["error"]["name"] == "PayloadTooLargeException"


def test_requests_reads_the_413_for_a_body_over_the_limit(limited: str) -> None:
    with requests.post(limited, data=b" " * (20 * LIMIT), timeout=30) as answer:
        assert (answer.status_code, answer.json()["status"]) == (413, 413)


@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_a_client_that_reads_only_after_it_has_sent_everything_reads_the_413(limited: str, is_chunked: bool) -> None:
    url = httpx.URL(limited)
    block = b"x" * 65536
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(block) * 300}"
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(f"POST {url.path} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n{framing}\r\n\r\n".encode())
        for _ in range(300):
            connection.sendall(b"%x\r\n%s\r\n" % (len(block), block) if is_chunked else block)
        if is_chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"status":413' in answer


def test_a_client_that_disconnects_is_not_an_error(
    app: MockServer, serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with serve(app) as origin:
        url = httpx.URL(origin)
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(b"POST /images/generations HTTP/1.1\r\nHost: mock\r\nContent-Length: 1000\r\n\r\nxx")
        assert httpx.get(f"{origin}/_bodydouble/health").status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_many_clients_at_once_get_their_own_answers(origin: str, edit: Edit) -> None:
    wanted = [f"prompt {number}" for number in range(16)]
    urls: dict[str, str] = {}

    def ask(prompt: str) -> None:
        answer = httpx.post(
            f"{origin}/images/generations", json=edit(prompt=prompt), headers={"authorization": "Bearer k"}
        )
        urls[prompt] = answer.json()["data"][0]["url"]

    threads = [threading.Thread(target=ask, args=(prompt,)) for prompt in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(urls.values())) == 16
