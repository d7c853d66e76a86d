"""Behaviour that other mock servers get wrong with this contract."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, create_app
from bodydouble_spec import Contract
from PIL import Image

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
SIZES = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}


def size_of(data: bytes) -> tuple[str | None, tuple[int, int]]:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image.format, image.size


def test_the_document_as_published_is_served_and_its_defects_have_pointers(contract: Contract) -> None:
    create_app(contract)
    assert contract.findings
    assert all(finding.pointer.startswith("/") for finding in contract.findings)


def test_every_fault_of_a_request_is_named_at_once(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit(image_urls=None, aspect_ratio="7:7", num_images=9))
    assert answer.status_code == 400
    assert sorted(issue["path"] for issue in answer.json()["error"]["data"]) == [
        ["aspect_ratio"],
        ["image_urls"],
        ["num_images"],
    ]


def test_malformed_json_is_refused_with_its_position(app: MockServer, call: Call) -> None:
    answer = call(app, content=b'{"model": "x",\n "prompt" oops}', headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    (issue,) = answer.json()["error"]["data"]
    assert (issue["code"], issue["path"]) == ("custom", [])
    assert "line 2, column 11" in issue["message"]


@pytest.mark.parametrize(("asked", "given"), [(None, 1), (1, 1), (2, 2), (4, 4), (2.9, 2), (1.0, 1)])
def test_a_request_gets_as_many_items_as_it_asks_for(
    app: MockServer, call: Call, edit: Edit, asked: float | None, given: int
) -> None:
    assert len(call(app, json=edit(num_images=asked)).raise_for_status().json()["data"]) == given


def test_the_ratios_of_the_contract_are_those_with_a_documented_size(contract: Contract) -> None:
    schema = contract.operation().request_schema or {}
    assert set(schema["properties"]["aspect_ratio"]["enum"]) == set(SIZES)


@pytest.mark.parametrize("ratio", SIZES)
def test_the_url_of_every_ratio_downloads_a_png_of_its_documented_size(
    app: MockServer, call: Call, edit: Edit, ratio: str
) -> None:
    (item,) = call(app, json=edit(aspect_ratio=ratio)).json()["data"]
    picture = call(app, item["url"], method="GET", key=None)
    assert picture.headers["content-type"] == "image/png"
    assert size_of(picture.content) == ("PNG", SIZES[ratio])


def test_without_a_ratio_the_picture_is_square(app: MockServer, call: Call, edit: Edit) -> None:
    (item,) = call(app, json=edit()).json()["data"]
    assert size_of(call(app, item["url"], method="GET").content) == ("PNG", (1024, 1024))


def test_base64_is_the_same_bytes_as_the_url(app: MockServer, call: Call, edit: Edit) -> None:
    body = edit(num_images=2, prompt="the same bytes")
    carried = call(app, json={**body, "response_format": "b64_json"}).json()["data"]
    assert [item["url"] for item in carried] == [None, None]
    assert [size_of(base64.b64decode(item["b64_json"])) for item in carried] == [("PNG", (1024, 1024))] * 2


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_401_with_the_vendors_message(
    app: MockServer, call: Call, edit: Edit, key: str | None
) -> None:
    answer = call(app, json=edit(), key=key)
    assert answer.status_code == 401
    assert answer.json()["message"] == (
        "You provided an empty string instead of valid API key. "
        "You can create a new API key on the Billing page: https://aimlapi.com/app/keys"
    )


def test_a_data_uri_of_five_megabytes_is_accepted_and_shown(app: MockServer, call: Call, edit: Edit) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    small = io.BytesIO()
    Image.new("RGB", (64, 64), "#1e90ff").save(small, "PNG")
    head, tail = small.getvalue()[:33], small.getvalue()[33:]
    large = head + chunk(b"teXt", bytes(5_000_000)) + tail
    uri = f"data:image/png;base64,{base64.b64encode(large).decode()}"
    (item,) = call(app, json=edit(image_urls=[uri])).raise_for_status().json()["data"]
    image = Image.open(io.BytesIO(call(app, item["url"], method="GET").content))
    colours = {colour: count for count, colour in image.getcolors(2**20) or []}
    assert colours.get((0x1E, 0x90, 0xFF), 0) > 10_000


@pytest.mark.parametrize(
    ("picture", "status", "severity"),
    [
        pytest.param("ftp://example.org/a.png", 200, "info", id="an assumed rule"),
        pytest.param("no picture", 400, "error", id="the documented floor"),
    ],
)
def test_a_request_that_breaks_only_an_assumed_rule_is_answered_and_reported(
    contract: Contract, call: Call, edit: Edit, picture: str, status: int, severity: str
) -> None:
    mock = create_app(contract)
    assert call(mock, json=edit(image_urls=[picture])).status_code == status
    (entry,) = call(mock, "/_bodydouble/requests", method="GET").json()["requests"]
    assert [(item["id"], item["pointer"], item["severity"]) for item in entry["findings"]] == [
        ("request-pattern", "/image_urls/0", severity)
    ]
