"""Compressed bodies and byte order marks: accepted within the limits, and reported, for there is no evidence that the service takes them."""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_mockserver import Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
Compress = Callable[[bytes], bytes]


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


FORMS: list[tuple[str, Compress]] = [
    ("gzip", gzip.compress), ("deflate, identity, gzip", lambda data: gzip.compress(zlib.compress(data))), ("GZIP", gzip.compress), ("x-gzip", gzip.compress), ("gzip", members), ("deflate", zlib.compress), ("deflate", bare_deflate),
]  # fmt: skip


def send(app: Any, call: Call, content: bytes, coding: str) -> httpx.Response:
    return call(app, content=content, headers={"content-type": "application/json", "content-encoding": coding})


@pytest.mark.parametrize(("coding", "compress"), FORMS)
def test_a_compressed_body_is_read_and_reported(
    contract: Contract, call: Call, edit: Any, coding: str, compress: Compress
) -> None:
    app = create_app(contract, Settings(seed=1))
    plain = call(app, json=edit())
    answer = send(app, call, compress(orjson.dumps(edit())), coding)
    assert (answer.status_code, answer.json()) == (200, plain.json())
    exchange = app.journal.exchanges()[1]
    assert exchange.body == edit()
    assert [(found["id"], found["severity"], found["evidence"]) for found in exchange.findings] == [
        ("request-compressed", "info", "assumed")
    ]


@pytest.mark.parametrize("coding", ["", "identity"])
def test_no_compression_by_name_is_no_compression(app: Any, call: Call, edit: Any, coding: str) -> None:
    assert send(app, call, orjson.dumps(edit()), coding).status_code == 200


@pytest.mark.parametrize(("coding", "compress"), FORMS[:1] + FORMS[4:])
def test_a_bomb_is_413_and_never_unpacked(contract: Contract, call: Call, coding: str, compress: Compress) -> None:
    app = create_app(contract, Settings(max_body_bytes=200_000))
    answer = send(app, call, compress(b" " * 50_000_000), coding)
    assert (answer.status_code, "larger than 200000 bytes" in answer.json()["message"]) == (413, True)


@pytest.mark.parametrize(
    ("coding", "content", "reason"),
    [
        pytest.param("br", b"{}", "'br' is not supported; send gzip, deflate or none", id="brotli"),
        pytest.param("zstd", b"{}", "'zstd' is not supported", id="zstd"),
        pytest.param("gzip, br", gzip.compress(b"{}"), "'br' is not supported", id="one of two"),
        pytest.param("gzip, gzip, gzip, gzip", b"{}", "names 4 codings", id="four times"),
        pytest.param("gzip", b'{"model": 1}', "not valid gzip", id="plain JSON"),
        pytest.param("deflate", b'{"model": 1}', "not valid deflate", id="plain JSON as deflate"),
        pytest.param("gzip", gzip.compress(b"{}")[:-9], "is cut off", id="cut"),
        pytest.param(
            "gzip",
            gzip.compress(b"{}") + gzip.compress(b"") * 60,
            "data follows its end",
            id="sixty empty members",
        ),
        pytest.param("gzip", gzip.compress(b"{}")[:-1] + b"x", "not valid gzip", id="wrong length"),
        pytest.param("gzip", gzip.compress(b'{"a": \n x}'), "line 2, column 2", id="broken JSON"),
    ],
)
def test_what_cannot_be_unpacked_is_400_with_the_reason(
    app: Any, call: Call, coding: str, content: bytes, reason: str
) -> None:
    answer = send(app, call, content, coding)
    assert (answer.status_code, answer.json()["error"]["data"][0]["code"]) == (400, "custom")
    assert reason in answer.json()["error"]["data"][0]["message"]


def test_an_unknown_coding_is_415_where_the_contract_has_that(call: Call) -> None:
    responses: dict[str, Any] = {"200": {"description": "d"}, "415": {"description": "d"}}
    body: dict[str, Any] = {"required": True, "content": {"application/json": {"schema": {}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/p": {"post": {"requestBody": body, "responses": responses}}},
    }
    app = create_app(Contract.load(document))
    headers = {"content-type": "application/json", "content-encoding": "br"}
    assert call(app, "/p", content=b"{}", headers=headers).status_code == 415


def test_a_byte_order_mark_is_skipped_and_reported(contract: Contract, call: Call, edit: Any) -> None:
    app = create_app(contract)
    content = orjson.dumps(edit()).decode().encode("utf-8-sig")
    assert call(app, content=content, headers={"content-type": "application/json"}).status_code == 200
    (exchange,) = app.journal.exchanges()
    assert exchange.body == edit()
    assert [(found["id"], found["severity"], found["evidence"]) for found in exchange.findings] == [
        ("request-byte-order-mark", "info", "assumed")
    ]


def test_a_gzip_file_is_read_as_python_writes_it(app: Any, call: Call, edit: Any) -> None:
    file = io.BytesIO()
    with gzip.GzipFile(filename="body.json", mode="wb", fileobj=file) as stream:
        stream.write(orjson.dumps(edit()))
    assert send(app, call, file.getvalue(), "gzip").status_code == 200


@pytest.mark.parametrize(
    ("options", "key", "content", "status"),
    [
        pytest.param({}, None, gzip.compress(b"{}"), 401, id="without a key"),
        pytest.param({}, "a", gzip.compress(b"{}"), 400, id="against the contract"),
        pytest.param({}, "a", gzip.compress(b"{"), 400, id="broken JSON"),
        pytest.param({}, "a", b"{}", 400, id="not compressed"),
        pytest.param({"max_body_bytes": 99}, "a", gzip.compress(b" " * 10_000), 413, id="a bomb"),
        pytest.param({"max_body_bytes": 9}, "a", gzip.compress(b"{}"), 413, id="too large"),
        pytest.param({}, "a", b"[" * 100, 400, id="nested"),
    ],
)
def test_the_compression_of_a_refused_body_is_told_too(
    contract: Contract, call: Call, options: Any, key: str | None, content: bytes, status: int
) -> None:
    app = create_app(contract, Settings(**options))
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert call(app, content=content, headers=headers, key=key).status_code == status
    (exchange,) = app.journal.exchanges()
    assert "request-compressed" in [found["id"] for found in exchange.findings]
