"""Samples from a schema alone: they conform, and sampling always ends."""

from typing import Any

import jsonschema_rs
import pytest
from bodydouble_mockserver.answer.sample import sample
from hypothesis import example, given, settings
from hypothesis import strategies as st

Schemas = st.SearchStrategy[dict[str, Any]]


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
        pytest.param({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, None, id="a reference to itself"),
        pytest.param(
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}},
            [],
            id="a list of itself",
        ),
        pytest.param({"$ref": "#/$defs/Gone"}, None, id="a reference to nothing"),
    ],
)
def test_a_recursive_schema_is_expanded_once(schema: dict[str, Any], value: Any) -> None:
    assert sample(schema) == value


@pytest.mark.parametrize("keyword", ["example", "default"])
def test_the_published_examples_are_used(keyword: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    published = {"properties": {"a": {"items": {keyword: "as published"}}}}
    assert sample(schema, published) == {"a": ["as published"]}
