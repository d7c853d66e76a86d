"""What an app sends in vain is told: properties that the contract lacks, inputs that cannot be fetched, and bytes that are no picture."""

import base64
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

Call = Callable[..., httpx.Response]
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "input_mistakes.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def app(contract: Contract) -> MockServer:
    return create_app(contract, Settings(log=True))


def findings_of(app: MockServer, call: Call, body: Any) -> list[dict[str, Any]]:
    call(app, json=body, headers={"host": "testserver"})
    return [{**found} for found in app.journal.exchanges()[-1].findings]


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case["sent"])[:40]) for case in CASES])
def test_the_mistake_in_an_input_is_named_with_what_to_send(app: MockServer, call: Call, edit: Any, case: Any) -> None:
    found = findings_of(app, call, {**edit(), "image_urls": [case["sent"]]})
    rules = case.get("rules", ["request-pattern" if isinstance(case["sent"], str) else "request-type"])
    assert [(one["id"], one["pointer"]) for one in found] == [(rule, "/image_urls/0") for rule in rules]
    assert [word for word in case["words"] if not any(word in one["message"] for one in found)] == []


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "orange").save(file, form)
    return file.getvalue()


BYTES = {
    "is AVIF, which the mock draws": encoded("AVIF"),
    "is TIFF, which the mock draws": encoded("TIFF"),
    "HTML": b"<!doctype html><title>Not found</title>",
    "PDF": b"%PDF-1.7 and so on and so on and so on",
    "JSON": b'{"error": "not found", "status": 404, "x": 1}',
    "HEIC, which the mock does not draw, because Pillow has no decoder": b"\0\0\0\x18ftypheic" + bytes(40),
    "SVG, which the mock does not draw, because it is a vector graphic": b'<?xml version="1.0"?> <svg xmlns="x"></svg>',
    "looks like SVG, which": b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- Created by a program -->\n<svg xmlns="x"/>',
    "is text": b"hello world, how are you this fine day?",
    "like a JPEG, PNG": bytes(range(120, 250)),
    "cut off or damaged": b"\x89PNG\r\n\x1a\n" + bytes(30),
}


@pytest.mark.parametrize("like", BYTES)
def test_bytes_that_are_no_picture_are_told_by_what_they_are(app: MockServer, call: Call, edit: Any, like: str) -> None:
    text = f"data:image/png;base64,{base64.b64encode(BYTES[like]).decode()}"
    (found,) = findings_of(app, call, edit(image_urls=[text]))
    assert (found["id"], found["severity"], like in found["message"]) == ("request-input-not-an-image", "warning", True)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([*BYTES.values(), *(encoded(form) for form in ("PNG", "GIF"))]), st.integers(1, 60))
def test_the_same_bytes_get_the_same_verdict_as_data_uri_and_as_raw_base64(data: bytes, length: int) -> None:
    """Whole and cut: the words may differ, and finding, severity and answer do not."""
    app = create_app(settings=Settings(require_key=False))

    def verdict(text: str) -> tuple[int, list[tuple[str, str]]]:
        body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": [text]}
        with httpx.Client(transport=MockTransport(app), base_url="http://testserver") as client:
            status = client.post("/v1/images/generations", json=body).status_code
        return status, [(found["id"], found["severity"]) for found in app.journal.exchanges()[-1].findings]

    for part in (data, data[:length]):
        text = base64.b64encode(part).decode()
        assert verdict(text) == verdict(f"data:image/png;base64,{text}")


def test_a_picture_is_no_finding(app: MockServer, call: Call, edit: Any, png: bytes) -> None:
    text = base64.b64encode(png).decode()
    assert findings_of(app, call, edit(image_urls=[text, f"data:image/png;base64,{text}"])) == []


SENT_IN_VAIN: list[tuple[dict[str, Any], str | None]] = [
    ({"n": 2}, "num_images"),
    ({"numImages": 2}, "num_images"),
    ({"size": "1024x1024"}, "aspect_ratio"),
    ({"image_size": "square"}, "aspect_ratio"),
    ({"aspectRatio": "1:1"}, "aspect_ratio"),
    ({"image": "https://a.example/b.png"}, "image_urls"),
    ({"image_url": "https://a.example/b.png"}, "image_urls"),
    ({"promt": "x"}, "prompt"),
    ({"quality": "hd"}, None),
    ({"stream": True}, None),
    ({"seed": 1}, None),
]


@pytest.mark.parametrize(("extra", "meant"), SENT_IN_VAIN)
def test_a_property_that_the_contract_lacks_is_told_with_the_one_that_is_meant(
    app: MockServer, call: Call, edit: Any, extra: dict[str, Any], meant: str | None
) -> None:
    (found,) = findings_of(app, call, edit(**extra))
    (name,) = extra
    assert (found["id"], found["severity"], found["pointer"]) == (
        "request-undocumented-property",
        "warning",
        f"/{name}",
    )
    assert found["message"].endswith("likely to ignore it" if meant is None else f"; did you mean {meant}?")


def test_properties_that_are_nested_by_mistake_are_named(app: MockServer, call: Call, edit: Any) -> None:
    nested = {"num_images": 2, "image_urls": ["https://a.example/b.png"]}
    *_, found = findings_of(app, call, {**edit(), "extra_body": nested})
    assert found["message"].endswith("; its num_images, image_urls belong at the top level of the body")


def test_a_refused_request_tells_what_was_sent_in_vain_too(app: MockServer, call: Call, edit: Any) -> None:
    found = findings_of(app, call, edit(num_images=9, n=2))
    assert [one["id"] for one in found] == ["request-maximum", "request-undocumented-property"]


def document(schema: dict[str, Any]) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    post: dict[str, Any] = {"requestBody": body, "responses": {"200": {"description": "done"}}, "security": []}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/p": {"post": post}}}


A = {"type": "object", "properties": {"kind": {"const": "a"}, "size": {}}, "required": ["kind"]}
B = {"type": "object", "properties": {"kind": {"const": "b"}, "n": {}, "of": A}, "required": ["kind"]}


SHAPES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
        (B, {"kind": "b", "of": {"kind": "a", "x": 1}, "y": 1}, ["/y", "/of/x"]),
        ({"anyOf": [A, B]}, {"kind": "a", "n": 1}, ["/n"]),
        ({"anyOf": [A, B]}, {"kind": "b", "n": 1, "size": 2}, ["/size"]),
        ({"allOf": [{"properties": {"x": {}}}, A]}, {"kind": "a", "x": 1, "z": 1}, ["/z"]),
        ({"type": "object", "properties": {"list": {"items": A}}}, {"list": [{"kind": "a"}, {"kind": "a", "b": 1}]}, ["/list/1/b"]),
        ({**A, "additionalProperties": {"type": "string"}}, {"kind": "a", "x": "1"}, []),
        ({**A, "additionalProperties": False}, {"kind": "a"}, []),
        ({"type": "object"}, {"x": 1}, []),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "body", "pointers"), SHAPES)
def test_what_a_contract_has_is_read_with_its_alternatives_and_nested_objects(
    call: Call, schema: Any, body: Any, pointers: list[str]
) -> None:
    app = create_app(Contract.load(document(schema)))
    call(app, "/p", json=body)
    assert [found["pointer"] for found in app.journal.exchanges()[-1].findings] == pointers


def test_the_log_has_the_warning_and_no_secret_of_a_url(
    app: MockServer, call: Call, edit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bodydouble.mockserver"):
        call(app, json=edit(image_urls=["http://user:s3cret@localhost/a.png?token=t0ken"]))
    assert "request.image_urls[0]: " in caplog.text
    assert "(request-input-unreachable)" in caplog.text
    assert ("s3cret" in caplog.text, "t0ken" in caplog.text) == (False, False)
