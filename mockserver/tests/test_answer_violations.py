"""The named violations: each one is found, for any contract."""

import copy
import re
from io import BytesIO
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import create_app
from bodydouble_mockserver.answer.violations import Violation, violations
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Finding, Operation, Severity
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

# Their deviation is in the pictures or relative to the request, so it is not visible in the body alone.
OUTSIDE_THE_BODY = {"fewer-images", "relative-url", "unreachable-url", "wrong-aspect-ratio"}


def success(pictures: list[dict[str, Any]], cost: int) -> dict[str, Any]:
    return {"data": pictures, "meta": {"usage": {"credits_used": cost}}}


PICTURES: list[dict[str, Any]] = [
    {"url": "https://cdn.example.com/a.png?b=1", "b64_json": None},
    {"url": None, "b64_json": "iVBORw0KGgo="},
    {"url": "https://cdn.example.com/a.png", "b64_json": "iVBORw0KGgo="},
]
BODIES = st.builds(success, st.lists(st.sampled_from(PICTURES), min_size=1, max_size=4), st.integers(0, 10**9))

VENDORED = Contract.load().operation()
BY_ID = {violation.id: violation for violation in violations(VENDORED)}


def noticed(operation: Operation, body: Any) -> list[Finding]:
    found = operation.validate_response(operation.success_status, "application/json", body)
    return [finding for finding in found if finding.severity is not Severity.INFO]


def an_operation(success: dict[str, Any]) -> Operation:
    content = {"application/json": {"schema": success}}
    path = {"post": {"responses": {"200": {"description": "Fine.", "content": content}}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/p": path}}
    return Contract.load(document, overlay=None).operation()


@given(BODIES, st.sampled_from([item for item in BY_ID.values() if item.id not in OUTSIDE_THE_BODY]))
def test_a_broken_body_is_found_by_strict_validation(body: dict[str, Any], violation: Violation) -> None:
    assert noticed(VENDORED, violation.apply(body))


def test_what_the_usual_body_leaves_null_is_broken_too() -> None:
    sound = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    message = {"type": "object", "properties": {"audio": {**sound, "nullable": True, "example": None}}}
    operation = an_operation({"type": "object", "properties": {"messages": {"type": "array", "items": message}}})
    usual = {"messages": [{"audio": None}]}
    unnoticed = [item.id for item in violations(operation) if not noticed(operation, item.apply(usual))]
    assert (noticed(operation, usual), unnoticed) == ([], [])


@given(BODIES)
def test_the_unbroken_bodies_have_no_findings(body: dict[str, Any]) -> None:
    assert not noticed(VENDORED, body)


@given(BODIES, st.sampled_from(list(BY_ID.values())))
def test_applying_a_violation_does_not_change_its_argument(body: dict[str, Any], violation: Violation) -> None:
    before = copy.deepcopy(body)
    violation.apply(body)
    assert body == before


def lists_and_objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["data", "meta", "url", "usage", "x"])
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=3) | st.integers(),
        lists_and_objects,
        max_leaves=8,
    ),
    st.sampled_from(list(BY_ID.values())),
)
def test_a_violation_of_any_json_value_is_json(body: Any, violation: Violation) -> None:
    assert isinstance(violation.apply(body), dict | list | str | int | None)


@pytest.mark.parametrize("kind", ["renamed", "missing", "null", "empty", "wrong-type"])
@pytest.mark.parametrize("name", ["data", "data.url", "data.b64_json", "meta", "meta.usage"])
def test_each_documented_property_can_be_broken_in_each_way(kind: str, name: str) -> None:
    assert f"{kind}-{name}" in BY_ID


def test_a_number_cannot_be_empty() -> None:
    assert "empty-meta.usage.credits_used" not in BY_ID


def test_each_contract_has_detectable_violations(any_contract: Contract) -> None:
    operation = any_contract.operation()
    schema = operation.response_schema()
    assert schema is not None
    usage = schema["properties"]["meta"]["properties"]["usage"]["properties"]
    body = {"data": PICTURES, "meta": {"usage": dict.fromkeys(usage, 1)}}
    assert not noticed(operation, body)
    unnoticed = [item.id for item in violations(operation) if not noticed(operation, item.apply(body))]
    assert set(unnoticed) <= OUTSIDE_THE_BODY


def test_every_id_can_be_sent_in_a_header() -> None:
    operation = an_operation({"type": "object", "properties": {"a b/é": {"type": "string"}, "x": {"type": "integer"}}})
    assert [item.id for item in violations(operation) if not re.fullmatch("[A-Za-z0-9._-]+", item.id)] == []


def test_properties_behind_references_and_alternatives_are_broken_too() -> None:
    inner = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    operation = an_operation(
        {"type": "array", "items": {"allOf": [inner, {"type": "object", "properties": {"name": {"type": "string"}}}]}}
    )
    assert {"missing-id", "wrong-type-id", "renamed-name"} <= {item.id for item in violations(operation)}


def test_a_contract_without_pictures_has_no_violations_of_pictures() -> None:
    operation = an_operation({"type": "object", "properties": {"text": {"type": "string"}}})
    assert not {item.id for item in violations(operation)} & OUTSIDE_THE_BODY


def test_a_valid_change_is_not_offered_as_a_violation() -> None:
    operation = an_operation({"type": "object", "properties": {"any": {}}, "additionalProperties": True})
    assert [item.id for item in violations(operation) if item.id.startswith(("null", "wrong-type"))] == []


def test_a_contract_without_a_success_schema_has_no_violations() -> None:
    path = {"post": {"responses": {"200": {"description": "Fine."}}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/p": path}}
    assert violations(Contract.load(document, overlay=None).operation()) == ()


@given(BODIES)
def test_fewer_images_takes_one_picture_away(body: dict[str, Any]) -> None:
    assert BY_ID["fewer-images"].apply(body)["data"] == body["data"][:-1]


def urls(body: dict[str, Any]) -> list[str]:
    return [item["url"] for item in body["data"] if item["url"] is not None]


@given(BODIES)
def test_an_unreachable_url_leads_to_a_host_that_cannot_exist(body: dict[str, Any]) -> None:
    assert all(
        url.startswith("https://unreachable.invalid/a.png") for url in urls(BY_ID["unreachable-url"].apply(body))
    )


@given(BODIES)
def test_a_relative_url_has_a_path_only(body: dict[str, Any]) -> None:
    assert all(url.startswith("/a.png") for url in urls(BY_ID["relative-url"].apply(body)))


def test_a_wrong_aspect_ratio_is_left_to_the_server() -> None:
    assert {item.id: item.effect for item in BY_ID.values() if item.effect} == {
        "wrong-aspect-ratio": "wrong-aspect-ratio"
    }


@pytest.mark.parametrize("ratio", ["16:9", "1:1"])
def test_a_wrong_aspect_ratio_changes_only_its_own_picture(ratio: str) -> None:
    body = {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "hi",
        "image_urls": ["https://example.com/a.png"],
        "aspect_ratio": ratio,
    }
    with httpx.Client(transport=MockTransport(create_app()), base_url="http://localhost") as client:
        client.headers["Authorization"] = "Bearer k"

        def size(prefer: str) -> tuple[int, int]:
            answer = client.post("/v1/images/generations", json=body, headers={"Prefer": prefer}).json()
            return Image.open(BytesIO(client.get(answer["data"][0]["url"]).content)).size

        right = size("")
        assert size("violation=wrong-aspect-ratio") == (right[0], right[1] // 2)
        assert size("") == right
