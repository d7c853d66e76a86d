"""Samples from a schema alone: they conform, and sampling always ends."""

from functools import reduce
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from bodydouble_mockserver.answer.sample import NoSample
from bodydouble_mockserver.answer.sample import sample as sample_of
from bodydouble_spec import Evidence
from bodydouble_spec.schema import SchemaEvidence, SchemaValidator
from hypothesis import example, given, settings
from hypothesis import strategies as st

EVIDENCE = SchemaEvidence({}, "", lambda _pointer: Evidence.DOCUMENTED)
DATA = Path(__file__).parent / "data"
Schemas = st.SearchStrategy[dict[str, Any]]


def sample(schema: dict[str, Any]) -> Any:
    return sample_of(SchemaValidator(schema, "response", "", EVIDENCE))


def numbers(least: int, most: int) -> st.SearchStrategy[float]:
    return st.integers(least, most) | st.floats(least, most)


def with_keywords(required: dict[str, st.SearchStrategy[Any]], /, **optional: st.SearchStrategy[Any]) -> Schemas:
    return st.fixed_dictionaries(required, optional=optional)


NAMES = st.sampled_from("abc")
NUMBER = st.sampled_from(["integer", "number"])
LEAVES: Schemas = st.one_of(
    with_keywords({"type": st.just("string")}, minLength=st.integers(0, 5), maxLength=st.integers(5, 9)),
    with_keywords({"type": NUMBER}, minimum=numbers(-5, 5), maximum=numbers(6, 9)),
    with_keywords({"type": NUMBER}, exclusiveMinimum=numbers(-5, 5), exclusiveMaximum=numbers(8, 10)),
    with_keywords({"type": NUMBER, "multipleOf": st.integers(1, 3)}, minimum=numbers(-5, 5)),
    st.sampled_from(
        [{}, {"type": "boolean"}, {"type": ["null", "string"]}, {"enum": [3, "a"]}, {"const": None}, {"type": "null"}]
    ),
)
OBJECTS: Schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, LEAVES, max_size=2)}
)


def containers(inner: Schemas) -> Schemas:
    properties = st.dictionaries(NAMES, inner, max_size=3)
    return st.one_of(
        with_keywords(
            {"type": st.just("array"), "items": inner}, minItems=st.integers(0, 3), maxItems=st.integers(3, 4)
        ),
        with_keywords({"properties": properties}, required=st.lists(NAMES, unique=True), type=st.just("object")),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(OBJECTS, min_size=1, max_size=1)}),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, containers, max_leaves=8))
@example(
    {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
)
@example({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})
def test_a_sample_conforms_to_its_schema(schema: dict[str, Any]) -> None:
    assert jsonschema_rs.is_valid(schema, sample(schema))


NODE = {
    "type": "object",
    "properties": {"left": {"$ref": "#/$defs/Node"}, "right": {"$ref": "#/$defs/Node"}, "name": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}, {"name": "text"}, id="a tree"),
        pytest.param(
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}},
            [],
            id="a list of itself",
        ),
    ],
)
def test_a_recursive_schema_is_expanded_once(schema: dict[str, Any], value: Any) -> None:
    assert sample(schema) == value


@pytest.mark.parametrize("keyword", ["example", "default"])
def test_the_published_examples_are_used(keyword: str) -> None:
    items = {"type": "string", keyword: "as published"}
    assert sample({"type": "object", "properties": {"a": {"type": "array", "items": items}}}) == {"a": ["as published"]}


@pytest.mark.parametrize(
    "case", yaml.safe_load((DATA / "samples.yaml").read_text("utf-8")), ids=lambda case: case["id"]
)
def test_the_keyword_is_obeyed(case: dict[str, Any]) -> None:
    assert sample(case["schema"]) == case["sample"]


def _lists_of_two(levels: int) -> dict[str, Any]:
    """Return the schema of lists of two lists each, so many levels deep."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema, "minItems": 2}
    return schema


def test_a_long_list_of_different_items_has_as_many_as_it_needs() -> None:
    found = sample({"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2000})
    assert len(found) == len(set(found)) == 2000


def test_a_map_has_as_many_names_as_it_needs() -> None:
    found = sample({"type": "object", "minProperties": 1500, "additionalProperties": {"type": "boolean"}})
    assert [*found.values()] == [True] * 1500


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        pytest.param(
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}},
            "/properties/a",
            id="bounds that cross",
        ),
        pytest.param(
            {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "/$defs/A", id="a reference to itself"
        ),
        pytest.param({"type": "string", "minLength": 10**12}, "", id="a text too long to make"),
        pytest.param({"type": "array", "minItems": 10**12}, "", id="a list too long to make"),
        pytest.param(_lists_of_two(40), "", id="lists of lists with too many values together"),
        pytest.param(
            {"type": "object", "required": ["a"], "additionalProperties": False, "properties": {"a": False}},
            "/properties/a",
            id="a property both required and forbidden",
        ),
    ],
)
def test_a_schema_without_a_value_is_named_by_its_place(schema: dict[str, Any], pointer: str) -> None:
    with pytest.raises(NoSample) as caught:
        sample(schema)
    assert caught.value.pointer == pointer


DEEP: dict[str, Any] = reduce(lambda inner, _: {"type": "array", "items": inner, "minItems": 1}, range(70), {})
WIDE = {"type": "array", "minItems": 9_000, "items": {"type": "array", "minItems": 30}}


@pytest.mark.parametrize(
    ("schema", "limit"),
    [
        ({"type": "array", "items": {}, "minItems": 10_001}, "minItems 10001 is above the limit of 10,000"),
        ({"type": "string", "minLength": 10**7}, "minLength 10000000 is above the limit of 1,000,000"),
        (
            {"type": "object", "minProperties": 10**400},
            "minProperties integer of 1329 bits is above the limit of 10,000",
        ),
        (DEEP, "the value is nested deeper than the limit of 60 levels"),
        (WIDE, "the schema needs more than 200,000 values"),
    ],
    ids=["items", "characters", "properties", "levels", "values"],
)
def test_a_value_beyond_a_limit_of_the_mock_is_named_by_the_limit(schema: dict[str, Any], limit: str) -> None:
    with pytest.raises(NoSample, match=f"^{limit}.* at {'' if schema is WIDE else '/properties/a'}"):
        sample({"type": "object", "required": ["a"], "properties": {"a": schema}})


def test_an_example_outside_of_the_range_of_its_format_is_not_used() -> None:
    large = {"type": "integer", "format": "int32", "example": 2**31}
    assert -(2**31) <= sample(large) < 2**31
    assert sample({**large, "format": "int64"}) == 2**31


def test_a_schema_that_contains_itself_ends_with_null_where_it_may() -> None:
    node = {
        "type": ["object", "null"],
        "required": ["v", "n"],
        "properties": {"v": {"const": 1}, "n": {"$ref": "#/$defs/Node"}},
    }
    assert sample({"$defs": {"Node": node}, "$ref": "#/$defs/Node"}) == {"v": 1, "n": None}
