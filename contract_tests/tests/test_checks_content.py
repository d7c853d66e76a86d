"""Bodies that are no JSON: they are there, a text can be decoded, a file begins as its media type says; and the mock's are real."""

import io
import zipfile
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from bodydouble_contract_tests.checks import check_observation
from bodydouble_contract_tests.model import Case, ExpectedOutcome, Observation, OperationProfile
from bodydouble_mockserver import MockServer, Settings
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Evidence, Severity
from PIL import Image

TEXT, FILE = {"type": "string"}, {"type": "string", "format": "binary"}
CASE = Case("a-case", "valid-accepted", None, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)


def contract_of(media_type: str, schema: dict[str, Any] | None) -> Contract:
    content = {media_type: {} if schema is None else {"schema": schema}}
    operation = {"responses": {"200": {"description": "", "content": content}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "files", "version": "1"},
        "paths": {"/v1/file": {"get": operation}},
    }
    return Contract.load(document)


def found(contract: Contract, content: bytes, content_type: str) -> list[str]:
    observation = Observation(CASE, b"", 200, {"content-type": content_type}, content)
    return [
        one.id
        for one in check_observation(OperationProfile(contract), observation)
        if one.severity is not Severity.INFO
    ]


@pytest.mark.parametrize(
    ("media_type", "schema", "content", "expected"),
    [
        ("text/plain", TEXT, b"", "answer-conforms/empty"),
        ("text/plain", None, b"", "answer-conforms/empty"),
        ("text/csv; charset=utf-8", TEXT, b"\xff\xfe\x81", "answer-conforms/text"),
        ("text/csv; charset=latin-1", TEXT, b"caf\xe9", None),
        ("text/plain", {"enum": ["pong"]}, b"ping", "answer-conforms/schema"),
        ("text/plain", {"type": "integer"}, b"12", None),
        ("application/xml", FILE, b'{"a": 1}', "answer-conforms/text"),
        ("application/x-ndjson", TEXT, b'{"a": 1}\n{"a"\n', "answer-conforms/text"),
        ("audio/mpeg", FILE, b"<html>", "answer-conforms/file"),
        ("audio/wav", FILE, b"RIFF\x04\x00\x00\x00WAVE", None),
        ("application/pdf", FILE, b"PK\x03\x04", "answer-conforms/file"),
        ("image/png", FILE, b"\xff\xd8\xff\xe0", "answer-conforms/file"),
        ("application/octet-stream", FILE, b"\x00", None),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_is_examined(
    media_type: str, schema: dict[str, Any] | None, content: bytes, expected: str | None
) -> None:
    contract = contract_of(media_type.partition(";")[0], schema)
    assert found(contract, content, media_type) == ([] if expected is None else [expected])


def answered(contract: Contract) -> httpx.Response:
    with httpx.Client(transport=MockTransport(MockServer(contract, Settings()))) as client:
        return client.get("http://127.0.0.1/v1/file")


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain", "text/csv", "text/markdown", "application/octet-stream", "application/pdf", "application/zip", "application/xml",
        "application/x-ndjson", "application/yaml", "audio/mpeg", "audio/wav", "image/gif", "image/jpeg", "image/png", "image/svg+xml", "image/webp",
    ],
)  # fmt: skip
def test_the_body_of_the_mock_is_of_its_media_type(media_type: str) -> None:
    contract = contract_of(media_type, FILE)
    answer = answered(contract)
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert found(contract, answer.content, answer.headers["content-type"]) == []


def test_files_of_the_mock_can_be_opened() -> None:
    item = {
        "type": "object",
        "required": ["a b", "c"],
        "properties": {"a b": {"const": "1 < 2"}, "c": {"const": [True]}},
    }
    root = ElementTree.fromstring(answered(contract_of("application/xml", item)).content)
    assert (root[0].tag, root[0].text, root[1][0].text) == ("item", "1 < 2", "true")
    assert zipfile.ZipFile(io.BytesIO(answered(contract_of("application/zip", FILE)).content)).testzip() is None
    assert Image.open(io.BytesIO(answered(contract_of("image/webp", FILE)).content)).size == (64, 64)


def test_a_video_which_cannot_be_made_is_named() -> None:
    server = MockServer(contract_of("video/mp4", FILE), Settings())
    assert any("the mock makes no video/mp4; the body is empty" in notice for notice in server.notices)
