"""Valid request bodies: they conform, and they cover the important values."""

import base64
import io
import unicodedata
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests import UnsupportedSchema, requests
from bodydouble_spec import Contract, UnknownOperation
from bodydouble_spec.oracle import Oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

Collect = Callable[[st.SearchStrategy[Any], int], list[Any]]
Plainest = Callable[[st.SearchStrategy[Any], Callable[[Any], bool]], Any]
ContractOf = Callable[..., Contract]

MODEL = "google/gemini-2.5-flash-image-edit"
RATIOS = {"21:9", "1:1", "4:3", "3:2", "2:3", "5:4", "4:5", "3:4", "16:9", "9:16"}
HABITS = {"n", "size", "response_format", "image_size", "seed", "enable_safety_checker"}
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def bodies(vendored: Contract, collect: Collect) -> list[dict[str, Any]]:
    return collect(requests(vendored), 1000)


@pytest.fixture(scope="module")
def prompts(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["prompt"] for body in bodies]


@pytest.fixture(scope="module")
def pictures(bodies: list[dict[str, Any]]) -> list[str]:
    return [text for body in bodies for text in body["image_urls"]]


def test_every_body_conforms(contract: Contract) -> None:
    operation = contract.operation()

    @some
    @given(requests(contract))
    def check(body: Any) -> None:
        assert operation.validate_request(body) == []

    check()


def test_openapi_core_finds_nothing_wrong_either(contract: Contract) -> None:
    operation, oracle = contract.operation(), Oracle(contract)

    @some
    @given(requests(contract))
    def check(body: Any) -> None:
        assert oracle.request_errors(operation, orjson.dumps(body), "application/json") == []

    check()


def test_every_document_of_the_vendor_gives_bodies(published: Contract, collect: Collect) -> None:
    for operation in published.operations:
        if operation.request is not None:
            assert len(collect(requests(published, operation), 10)) == 10


def test_every_value_of_an_enum_is_made(bodies: list[dict[str, Any]]) -> None:
    assert {body["aspect_ratio"] for body in bodies if "aspect_ratio" in body} == RATIOS


@pytest.mark.parametrize("bound", [1, 4])
def test_both_bounds_are_met_exactly(bodies: list[dict[str, Any]], bound: int) -> None:
    assert sum(body.get("num_images") == bound for body in bodies) > 20


@pytest.mark.parametrize("bound", [-1000000.5, 0.125])
def test_a_bound_far_away_is_met_exactly(contract_of: ContractOf, collect: Collect, bound: float) -> None:
    number = {"type": "number", "minimum": -1000000.5, "maximum": 0.125}
    schema = {"type": "object", "required": ["n"], "properties": {"n": number}}
    assert [body["n"] for body in collect(requests(contract_of(schema)), 200)].count(bound) > 15


def test_a_number_can_have_a_fraction(bodies: list[dict[str, Any]]) -> None:
    assert any(body.get("num_images", 1) % 1 for body in bodies)


def test_an_integer_has_no_fraction(contract_of: ContractOf, collect: Collect) -> None:
    made = collect(requests(contract_of({"type": "integer", "minimum": 1, "maximum": 4})), 50)
    assert {(value, type(value)) for value in made} == {(number, int) for number in (1, 2, 3, 4)}


@pytest.mark.parametrize("name", ["num_images", "aspect_ratio", "provider"])
@pytest.mark.parametrize("is_there", [True, False])
def test_an_optional_property_is_there_or_not(bodies: list[dict[str, Any]], name: str, is_there: bool) -> None:
    assert sum((name in body) is is_there for body in bodies) > 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("start", ["data:", ""])
def test_base64_holds_a_real_picture_of_each_kind(pictures: list[str], kind: str, start: str) -> None:
    inline = {text for text in pictures if "://" not in text and text.startswith("data:") == bool(start)}
    decoded = [base64.b64decode(text.rpartition(",")[2], validate=True) for text in inline]
    assert kind in {Image.open(io.BytesIO(data)).format for data in decoded}


@pytest.mark.parametrize(
    "text", ["http://", "https://", "HTTPS://", "@", "[::1]:80", ":8443", "%F0%9F%A6%8A", "?", "#"]
)
def test_urls_come_in_many_spellings(pictures: list[str], text: str) -> None:
    assert any(text in url for url in pictures if "://" in url)


def test_a_picture_is_less_than_a_kilobyte(pictures: list[str]) -> None:
    assert max(map(len, pictures)) < 1000


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_lists_have_no_one_and_several_items(bodies: list[dict[str, Any]], count: int) -> None:
    assert any(len(body["image_urls"]) == count for body in bodies)


def test_one_prompt_in_ten_is_long(prompts: list[str]) -> None:
    share = sum(3800 <= len(prompt) <= 4000 for prompt in prompts) / len(prompts)
    assert 0.05 < share < 0.2


SORTS: dict[str, Callable[[str], bool]] = {
    "empty": lambda text: text == "",
    "NUL": lambda text: "\0" in text,
    "astral": lambda text: any(ord(character) > 0xFFFF for character in text),
    "right-to-left": lambda text: any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text),
    "combining": lambda text: any(unicodedata.combining(character) for character in text),
    "line break": lambda text: "\n" in text,
}


@pytest.mark.parametrize("sort", SORTS)
def test_prompts_are_of_many_sorts(prompts: list[str], sort: str) -> None:
    # Of a thousand. Hypothesis mixes in constants of the modules that are loaded, so the share differs from run to run.
    assert sum(map(SORTS[sort], prompts)) > 5


@pytest.mark.parametrize("known", ["auto", "google", "fal", "GOOGLE", "Fal", "AUTO"])
def test_known_values_come_in_any_letter_case(bodies: list[dict[str, Any]], known: str) -> None:
    assert any(body.get("provider") == known for body in bodies)


def test_beside_known_values_there_are_others(bodies: list[dict[str, Any]]) -> None:
    assert any(body.get("provider", "auto").lower() not in {"auto", "google", "fal"} for body in bodies)


def test_undocumented_keys_that_apps_often_send_are_made(bodies: list[dict[str, Any]]) -> None:
    assert {name for body in bodies for name in body} >= HABITS


def test_unknown_keys_are_made(bodies: list[dict[str, Any]]) -> None:
    documented = {"model", "prompt", "image_urls", "num_images", "aspect_ratio", "provider"}
    assert {name for body in bodies for name in body} - documented - HABITS


def test_no_unknown_key_is_made_where_they_are_forbidden(contract_of: ContractOf, collect: Collect) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": False}
    assert {name for body in collect(requests(contract_of(schema)), 60) for name in body} == {"a"}


def test_a_documented_key_that_apps_also_send_keeps_its_schema(contract_of: ContractOf, collect: Collect) -> None:
    schema = {"type": "object", "properties": {"seed": {"type": "string"}}}
    assert all(isinstance(body.get("seed", ""), str) for body in collect(requests(contract_of(schema)), 200))


def test_every_alternative_is_made(contract_of: ContractOf, collect: Collect) -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"const": 1}}]}
    assert {type(body).__name__ for body in collect(requests(contract_of(schema)), 100)} == {"str", "int", "list"}


def test_recursion_goes_down_and_ends(contract_of: ContractOf, collect: Collect) -> None:
    tree = {"$ref": "#/components/schemas/Tree"}
    made = collect(requests(contract_of(tree)), 100)
    assert any(child for body in made for child in body.get("children", []))


def test_a_recursion_without_an_end_is_refused_with_its_place(contract_of: ContractOf) -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "array", "minItems": 1, "items": False}},
    }
    with pytest.raises(UnsupportedSchema, match=r"no valid request can be made.*/schema/properties/a"):
        requests(contract_of(schema))


def test_a_pattern_beyond_python_leaves_an_optional_property_out(contract_of: ContractOf, collect: Collect) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^\\p{Script=Thai}+$"}},
        "additionalProperties": False,
    }
    assert collect(requests(contract_of(schema)), 5)[0] == {}


def test_an_operation_without_a_body_is_refused(contract_of: ContractOf) -> None:
    with pytest.raises(UnsupportedSchema, match="POST /things has no JSON request body"):
        requests(contract_of(None))


def test_of_several_operations_one_must_be_chosen(with_operations: Contract) -> None:
    with pytest.raises(UnknownOperation):
        requests(with_operations)


def test_a_body_shrinks_to_the_required_properties(vendored: Contract, plainest: Plainest) -> None:
    found = plainest(requests(vendored), lambda _: True)
    assert found == {"model": MODEL, "prompt": "make it night", "image_urls": []}


def test_a_number_shrinks_to_a_bound(vendored: Contract, plainest: Plainest) -> None:
    assert plainest(requests(vendored), lambda body: "num_images" in body)["num_images"] == 1


def test_a_large_contract_has_a_short_description(with_operations: Contract) -> None:
    described = {repr(requests(with_operations, item)) for item in with_operations.operations if item.request}
    assert described == {"bodies()"}
