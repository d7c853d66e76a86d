"""Samples from a schema alone: they conform, and sampling always ends."""

from functools import reduce
from typing import Any

import jsonschema_rs
import pytest
from bodydouble_mockserver.answer.sample import NoSample
from bodydouble_mockserver.answer.sample import sample as sample_of
from bodydouble_spec import Evidence
from bodydouble_spec.schema import SchemaEvidence, SchemaValidator
from hypothesis import example, given, settings
from hypothesis import strategies as st

EVIDENCE = SchemaEvidence({}, "", lambda _pointer: Evidence.DOCUMENTED)
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


REFERENCED = {
    "Circle": {
        "type": "object",
        "required": ["kind", "radius"],
        "properties": {"kind": {"type": "string"}, "radius": {"type": "number"}},
    },
    "Square": {
        "type": "object",
        "required": ["kind", "side"],
        "properties": {"kind": {"type": "string"}, "side": {"type": "number"}},
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"const": {"a": [1]}}, {"a": [1]}, id="const"),
        pytest.param({"enum": ["failed", "queued", "completed"]}, "completed", id="the option that tells of a success"),
        pytest.param({"enum": ["error", "queued", None]}, "queued", id="an option that tells of no failure"),
        pytest.param({"type": "string", "format": "date-time"}, "2026-01-31T12:00:00Z", id="a format"),
        pytest.param({"type": "string", "pattern": "^[a-f]{2}-[0-9]+$"}, "aa-0", id="a pattern"),
        pytest.param(
            {"type": "string", "pattern": "^a", "minLength": 9, "maxLength": 9},
            "aaaaaaaaa",
            id="a pattern with a length",
        ),
        pytest.param(
            {"type": "string", "not": {"enum": ["text", ""]}}, "example", id="a text that is not the usual one"
        ),
        pytest.param({"type": "integer", "not": {"minimum": 0}}, -1, id="a number that is not zero"),
        pytest.param(
            {"type": "object", "properties": {"a": {"const": 1}}, "dependentRequired": {"a": ["b"]}},
            {"a": 1, "b": None},
            id="a property that another one requires",
        ),
        pytest.param(
            {
                "type": "object",
                "properties": {"a": {"const": 1}},
                "dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"const": 2}}}},
            },
            {"a": 1, "b": 2},
            id="a schema beside a property",
        ),
        pytest.param(
            {
                "type": "object",
                "minProperties": 2,
                "propertyNames": {"pattern": "^[A-Z]{2}$"},
                "additionalProperties": {"const": 1},
            },
            {"AA": 1, "AB": 1},
            id="names of a pattern",
        ),
        pytest.param(
            {
                "type": "object",
                "minProperties": 2,
                "patternProperties": {"^x-[0-9]$": {"const": 1}},
                "additionalProperties": False,
            },
            {"x-0": 1, "x-1": 1},
            id="names of a pattern with its own schema",
        ),
        pytest.param({"type": "number", "multipleOf": 0.05, "minimum": 0.12}, 0.15, id="a multiple"),
        pytest.param({"type": "integer", "minimum": 10**30, "maximum": 10**31}, 10**30, id="a number beyond 64 bits"),
        pytest.param(
            {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
            ["a", "b", "c"],
            id="unique items",
        ),
        pytest.param(
            {"type": "array", "prefixItems": [{"const": 1}, {"const": "b"}], "items": False}, [1, "b"], id="first items"
        ),
        pytest.param(
            {"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}}, [7], id="an item to contain"
        ),
        pytest.param(
            {"type": "object", "patternProperties": {"^x[0-9]$": {"const": 1}}, "additionalProperties": False},
            {"x0": 1},
            id="names by a pattern",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 2},
            {"key": True, "key2": True},
            id="any names",
        ),
        pytest.param(
            {"type": "object", "required": ["a"], "additionalProperties": {"const": 1}},
            {"a": 1},
            id="a required name without a schema",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"const": 1}, "b": False}}, {"a": 1}, id="a forbidden property"
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"const": 1}, "b": {"type": "string", "writeOnly": True}}},
            {"a": 1},
            id="write only",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "maxProperties": 1},
            {"a": 1},
            id="at most one property",
        ),
        pytest.param({"allOf": [{"type": "number", "minimum": 2}, {"type": "integer", "maximum": 2}]}, 2, id="all of"),
        pytest.param({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 0.5, id="exactly one of"),
        pytest.param({"type": "string", "not": {"const": "text"}, "minLength": 5}, "text.", id="not"),
        pytest.param(
            {"type": "object", "properties": {"error": {"type": ["object", "null"]}, "ok": {"type": "boolean"}}},
            {"error": None, "ok": True},
            id="no error",
        ),
        pytest.param(
            {
                "type": "object",
                "properties": {"errors": {"type": "array"}, "failed": {"type": "boolean"}, "error": {"type": "string"}},
            },
            {"errors": [], "failed": False},
            id="no errors",
        ),
        pytest.param(
            {
                "type": "object",
                "properties": {"content": {"type": ["string", "null"]}, "audio": {"type": ["object", "null"]}},
            },
            {"content": "text", "audio": None},
            id="a nullable object beside a text",
        ),
        pytest.param(
            {
                "oneOf": [{"$ref": "#/$defs/Circle"}, {"$ref": "#/$defs/Square"}],
                "discriminator": {"propertyName": "kind", "mapping": {"round": "#/components/schemas/Circle"}},
                "$defs": REFERENCED,
            },
            {"kind": "round", "radius": 0},
            id="discriminator",
        ),
        pytest.param(
            {
                "$ref": "#/$defs/Circle",
                "$defs": {
                    "Circle": {"allOf": [{"$ref": "#/$defs/Shape"}]},
                    "Shape": {
                        "type": "object",
                        "properties": {"kind": {"type": "string"}},
                        "discriminator": {"propertyName": "kind", "mapping": {"round": "#/components/schemas/Circle"}},
                    },
                },
            },
            {"kind": "round"},
            id="discriminator of a base",
        ),
    ],
)
def test_the_keyword_is_obeyed(schema: dict[str, Any], value: Any) -> None:
    assert sample(schema) == value


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
        ({"type": "array", "items": {}, "minItems": 10_001}, "minItems 10001 is more than the 10,000 that are made"),
        ({"type": "string", "minLength": 10**7}, "minLength 10000000 is more than the 1,000,000 that are made"),
        ({"type": "object", "minProperties": 10**400}, "minProperties integer of 1329 bits is more than the 10,000"),
        (DEEP, "the value is deeper than the 60 levels that are made"),
        (WIDE, "more than 200,000 values are needed"),
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
