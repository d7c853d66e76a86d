"""OpenAPI schemas as JSON Schema: both accept the same values."""

from typing import Any

import jsonschema_rs
import pytest
from bodydouble_spec.document.repair import repair
from bodydouble_spec.schema.validation import Direction, SchemaConverter
from hypothesis import given, settings
from hypothesis import strategies as st


def conforms(
    schema: Any,
    value: Any,
    *,
    version: str = "3.0.0",
    direction: Direction = "request",
    schemas: dict[str, Any] | None = None,
) -> bool:
    published = {"openapi": version, "paths": {}, "components": {"schemas": {**(schemas or {}), "It": schema}}}
    document = repair(published).document
    converted = SchemaConverter(document, direction).to_json_schema(document["components"]["schemas"]["It"])
    return jsonschema_rs.Draft202012Validator(converted).is_valid(value)


CONVERSIONS: list[tuple[Any, ...]] = [
        ({"type": "string", "nullable": True}, ["a", None], [1]),
        ({"type": "string", "nullable": False}, ["a"], [None]),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, ["a", None], ["b"]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, ["a"], [None, "b"]),
        ({"minimum": 1, "exclusiveMinimum": True}, [1.5, 2], [1, 0]),
        ({"minimum": 1, "exclusiveMinimum": False}, [1, 2], [0]),
        ({"maximum": 1, "exclusiveMaximum": True}, [0], [1, 2]),
        ({"exclusiveMaximum": True}, [0, 10**9], []),
        ({"exclusiveMinimum": 1, "minimum": 0}, [2], [1, 0]),
        ({"type": ["string", "integer", "null"]}, ["a", 1, None], [1.5, []]),
        ({"type": "null"}, [None], [0]),
        ({"const": {"a": 1}}, [{"a": 1}], [{}, None]),
        ({"type": "object", "additionalProperties": False, "properties": {"nullable": {"type": "string"}}}, [{"nullable": "a"}], [{"a": 1}]),
        ({"anyOf": [{"type": "string", "nullable": True}, {"type": "integer"}]}, ["a", None, 1], [[]]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    CONVERSIONS,
)  # fmt: skip
@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_a_converted_schema_accepts_and_refuses_the_same_values(
    schema: Any, version: str, accepted: list[Any], refused: list[Any]
) -> None:
    if version == "3.1.0" and "nullable" in str(schema) and None in accepted:
        return  # OpenAPI 3.1 has no nullable
    assert [conforms(schema, value, version=version) for value in accepted] == [True] * len(accepted)
    assert [conforms(schema, value, version=version) for value in refused] == [False] * len(refused)


@pytest.mark.parametrize(
    ("keyword", "direction", "is_needed"),
    [("readOnly", "request", False), ("readOnly", "response", True), ("writeOnly", "request", True), ("writeOnly", "response", False)],
)  # fmt: skip
def test_a_property_is_required_only_in_its_direction(keyword: str, direction: Direction, is_needed: bool) -> None:
    schema = {"properties": {"id": {keyword: True}}, "required": ["id"]}
    assert conforms(schema, {}, direction=direction) is not is_needed


@given(st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=20), st.booleans())
@settings(deadline=None, max_examples=50)
def test_a_recursion_is_kept(tree: list[Any], broken: bool) -> None:
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/It"}}
    assert conforms(schema, [tree, "leaf"] if broken else [tree]) is not broken


def test_a_chain_of_references_longer_than_the_stack_is_followed() -> None:
    chain = {f"S{n}": {"properties": {"next": {"$ref": f"#/components/schemas/S{n + 1}"}}} for n in range(3000)}
    assert conforms(
        {"$ref": "#/components/schemas/S0"}, {"next": {"next": {}}}, schemas={**chain, "S3000": {"type": "string"}}
    )


@pytest.mark.parametrize("name", ["a b", "a~0b", "a/b", "Größe", "100%", "a.b", "A$", "", "a-1b"])
def test_a_component_may_have_any_name(name: str) -> None:
    pointer = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
    both = {name: {"type": "string"}, "a.1b": {"type": "integer"}}
    schema = {
        "properties": {"x": {"$ref": f"#/components/schemas/{pointer}"}, "y": {"$ref": "#/components/schemas/a.1b"}}
    }
    assert conforms(schema, {"x": "text", "y": 1}, schemas=both)
    assert not conforms(schema, {"x": 1}, schemas=both)


def test_names_that_become_equal_after_escaping_stay_apart() -> None:
    schemas = {"a/b": {"type": "string"}, "a.b": {"type": "integer"}, "a b": {"type": "boolean"}}
    references = ["a~1b", "a.b", "a%20b"]
    schema = {"properties": {reference: {"$ref": f"#/components/schemas/{reference}"} for reference in references}}
    assert conforms(schema, {"a~1b": "text", "a.b": 1, "a%20b": True}, schemas=schemas)


@pytest.mark.parametrize(("version", "is_counted"), [("3.0.0", False), ("3.1.0", True)])
def test_siblings_of_a_reference_count_from_openapi_3_1(version: str, is_counted: bool) -> None:
    schema = {"$ref": "#/components/schemas/Name", "maxLength": 2}
    assert conforms(schema, "long", version=version, schemas={"Name": {"type": "string"}}) is not is_counted


def test_a_schema_somewhere_else_in_the_document_may_be_referred_to() -> None:
    content = {"application/json": {"schema": {"type": "string", "nullable": True}}}
    document = {"openapi": "3.0.0", "paths": {"/a": {"get": {"requestBody": {"content": content}}}}}
    reference = "#/paths/~1a/get/requestBody/content/application~1json/schema"
    converted = SchemaConverter(document, "request").to_json_schema({"$ref": reference})
    assert [jsonschema_rs.Draft202012Validator(converted).is_valid(value) for value in ("a", None, 1)] == [
        True,
        True,
        False,
    ]
