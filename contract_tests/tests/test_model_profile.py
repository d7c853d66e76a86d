"""The profile of an operation, read from its contract."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from bodydouble_contract_tests import boundary_cases
from bodydouble_contract_tests.model.profile import AnswerPicture, OperationProfile
from bodydouble_contract_tests.schema.responses import places
from bodydouble_contract_tests.strategies.texts import LONG
from bodydouble_spec import Contract, Evidence
from bodydouble_spec.image_fields import RequestFields
from bodydouble_spec.schema import SchemaView
from hypothesis import given
from hypothesis import strategies as st

PROFILE = OperationProfile(Contract.load())
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MINIMAL: dict[str, Any] = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "Make it night.",
    "image_urls": ["https://example.com/house.png"],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_the_vendored_operation_has_its_names_sizes_and_price() -> None:
    assert PROFILE.names == RequestFields("prompt", "image_urls", "num_images", "aspect_ratio")
    assert (PROFILE.sizes["21:9"], PROFILE.credits, PROFILE.usd_per_image) == ((1536, 672), 84000, 0.042)


def test_an_operation_without_pictures_has_no_picture_properties(contract_of: Callable[..., Contract]) -> None:
    profile = OperationProfile(
        contract_of({"type": "object"}, {"type": "object", "properties": {"url": {"type": "string"}}})
    )
    assert profile.names == RequestFields(None, None, None, None)
    assert (profile.has_pictures, profile.states_cost, profile.sizes, profile.usd_per_image) == (False, False, {}, None)


def test_the_properties_of_a_request_are_found_through_references_and_all_of() -> None:
    body = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"n": {"$ref": "#/components/schemas/N"}}}]}
    components = {
        "Base": {"type": "object", "properties": {"prompt": {"type": "string"}}},
        "N": {"type": "integer", "default": 2},
        "Body": body,
    }
    operation = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}},
        "responses": {"200": {"description": ""}},
    }
    document = {
        "openapi": "3.0.0",
        "info": {"title": "A", "version": "1"},
        "paths": {"/a": {"post": operation}},
        "components": {"schemas": components},
    }
    profile = OperationProfile(Contract.load(document))
    assert profile.names == RequestFields("prompt", None, "n", None)
    assert (profile.images_asked({}), profile.images_asked({"n": 1})) == (2, 1)


def test_every_operation_of_the_vendor_s_documents_has_a_profile(published: Contract) -> None:
    profiles = [OperationProfile(published, operation) for operation in published.operations]
    assert [profile.operation for profile in profiles] == list(published.operations)


@pytest.mark.parametrize(
    ("more", "asked", "promised"),
    [
        ({}, 1, 1),
        ({"num_images": 4}, 4, 4),
        ({"num_images": 2.0}, 2, 2),
        ({"num_images": 2.9}, 2, None),
        ({"num_images": 0}, 1, None),
        ({"num_images": -3}, 1, None),
        ({"num_images": True}, 1, None),
        ({"num_images": "3"}, 1, None),
        ({"num_images": 1e300}, 1, None),
    ],
)
def test_the_number_of_pictures_is_what_the_request_says(more: Any, asked: int, promised: int | None) -> None:
    body = {**MINIMAL, **more}
    assert (PROFILE.images_asked(body), PROFILE.images_promised(body)) == (asked, promised)


def test_the_ratio_is_the_default_where_the_request_says_none() -> None:
    asked = [PROFILE.ratio_asked(body) for body in (MINIMAL, {**MINIMAL, "aspect_ratio": "3:2"}, {"aspect_ratio": 5})]
    assert asked == ["1:1", "3:2", None]


def test_the_pictures_of_an_answer_are_those_that_the_contract_documents() -> None:
    answer = {"data": [{"url": "u", "b64_json": None}, {"b64_json": "b"}, "no"], "images": [{"url": "other"}]}
    assert PROFILE.pictures(answer) == [AnswerPicture("/data/0", "u", None), AnswerPicture("/data/1", None, "b")]


def test_pictures_are_found_through_references_and_alternatives(contract_of: Callable[..., Contract]) -> None:
    item = {"allOf": [{"type": "object"}, {"properties": {"url": {"type": "string"}}}]}
    schema = {"anyOf": [{"type": "null"}, {"properties": {"out": {"properties": {"shots": {"items": item}}}}}]}
    profile = OperationProfile(contract_of({}, schema))
    assert profile.pictures({"out": {"shots": [{"url": "u"}]}}) == [AnswerPicture("/out/shots/0", "u", None)]


def test_a_schema_that_contains_itself_in_many_ways_is_read_from_the_top_to_an_end() -> None:
    again: dict[str, Any] = {name: {"$ref": "#/$defs/Tree"} for name in ("left", "middle", "right")}
    tree = {"properties": {**again, "last": {"type": "string"}}}
    paths = [path for path, _ in places(SchemaView.of({"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}}))]
    assert ("middle", "last") in paths
    assert len(paths) < 10_000


def test_the_cost_is_read_where_the_contract_documents_it_and_the_charge_wherever_it_stands() -> None:
    usual, elsewhere = ({"meta": {"usage": {"credits_used": 5}}}, {"usage": {"credits_used": 7, "usd_spent": 0.5}})
    assert (PROFILE.cost(usual), PROFILE.cost(elsewhere)) == (("/meta/usage/credits_used", 5), None)
    assert (PROFILE.credits_used(usual), PROFILE.credits_used(elsewhere), PROFILE.usd_spent(elsewhere)) == (5, 7, 0.5)


@pytest.mark.parametrize("used", [None, "5", True, [5], float("nan"), float("inf")])
def test_a_value_that_is_not_a_number_is_not_a_cost(used: Any) -> None:
    answer = {"meta": {"usage": {"credits_used": used}}}
    assert (PROFILE.cost(answer), PROFILE.credits_used(answer)) == (None, None)


def test_evidence_and_source_are_those_of_the_innermost_fact() -> None:
    assert (PROFILE.evidence("responses", "400"), PROFILE.evidence("x-sizes")) == (
        Evidence.INFERRED,
        Evidence.DOCUMENTED,
    )
    assert PROFILE.source("x-sizes") == "the size table of the model's documentation page"
    assert PROFILE.source("requestBody") == "the published contract"


@pytest.mark.parametrize(
    ("more", "is_unspecified"),
    [
        ({}, False),
        ({"num_images": 4, "aspect_ratio": "21:9", "provider": "GOOGLE"}, False),
        ({"prompt": "Café: naïve\n日本語"}, False),
        ({"image_urls": [f"data:image/png;base64,{PNG}"] * 4}, False),
        ({"unknown_key": 1}, False),
        ({"num_images": 1.5}, True),
        ({"provider": "nobody"}, True),
        ({"prompt": ""}, True),
        ({"prompt": " \n"}, True),
        ({"prompt": "x" * LONG}, True),
        ({"prompt": "a\x00b"}, True),
        ({"prompt": "a 🦊"}, False),
        ({"prompt": "שלום"}, False),
        ({"prompt": "a\u202eb\tc\r\n"}, False),
        ({"image_urls": []}, True),
        ({"image_urls": ["https://example.com/house.png"] * 14}, True),
        ({"image_urls": [PNG]}, True),
        ({"image_urls": ["data:image/png;base64,AAAA"]}, True),
        ({"image_urls": ["https://user:secret@example.com/a.png"]}, True),
        ({"image_urls": ["https://[2001:db8::1]/a.png"]}, True),
        ({"image_urls": ["http://127.0.0.1:8000/a.png"]}, True),
        ({"image_urls": ["https://[/a.png"]}, True),
    ],
)
def test_a_request_with_an_unspecified_outcome_is_recognised(more: Any, is_unspecified: bool) -> None:
    assert PROFILE.is_unspecified({**MINIMAL, **more}) is is_unspecified


def test_the_outcome_of_a_long_list_within_the_bound_of_a_contract_is_specified(
    contract_of: Callable[..., Contract],
) -> None:
    urls = {"type": "array", "items": {"type": "string"}, "maxItems": 9}
    profile = OperationProfile(contract_of({"type": "object", "properties": {"image_urls": urls}}))
    assert not profile.is_unspecified({"image_urls": ["https://example.com/a.png"] * 9})


def test_known_values_are_case_sensitive_unless_the_contract_says_otherwise(
    contract_of: Callable[..., Contract],
) -> None:
    quality = {"type": "string", "x-known-values": ["high"]}
    profile = OperationProfile(contract_of({"type": "object", "properties": {"quality": quality}}))
    assert [profile.is_unspecified({"quality": text}) for text in ("high", "HIGH")] == [False, True]


@given(body=JSON, answer=JSON, data=st.data())
def test_any_request_and_any_answer_can_be_read(body: Any, answer: Any, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["prompt", "image_urls", "num_images", "aspect_ratio", "provider"])))
    request = {**MINIMAL, **dict.fromkeys(names, body)}
    wrapped = data.draw(st.sampled_from([answer, {"data": answer}, {"data": [answer]}, {"meta": {"usage": answer}}]))
    assert 1 <= PROFILE.images_asked(request) < 10**9
    assert PROFILE.is_unspecified(request) in {True, False}
    assert len(PROFILE.pictures(wrapped)) <= sum(length for _, length in PROFILE.picture_lists(wrapped))


def test_the_boundary_cases_of_the_contract_include_specified_and_unspecified_outcomes(vendored: Contract) -> None:
    verdicts = {case.id: PROFILE.is_unspecified(case.body) for case in boundary_cases(vendored) if case.valid}
    assert (verdicts["num_images/maximum"], verdicts["num_images/fraction"]) == (False, True)
    assert base64.b64decode(PNG).startswith(b"\x89PNG")
