"""The fields of schemas in ``contract show``, and the merge of defects in ``contract check``."""

from typing import Any

import pytest
from bodydouble.commands.contract import merge
from bodydouble_spec import Contract, Evidence, Finding, Severity
from bodydouble_spec.description import Field, describe, fields_of, limits_of
from bodydouble_spec.schema import SchemaConverter, SchemaEvidence, SchemaValidator, SchemaView

POINTER = "/paths/~1a/post/requestBody/content/application~1json/schema"


def fields(schema: dict[str, Any], version: str = "3.0.0", **components: Any) -> list[Field]:
    document = {
        "openapi": version,
        "info": {"title": "A", "version": "1"},
        "paths": {
            "/a": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": schema}}},
                    "responses": {"200": {"description": ""}},
                }
            }
        },
        "components": {"schemas": components},
    }
    return fields_of(Contract.load(document), POINTER)


def names(found: list[Field]) -> list[str]:
    return [field.name for field in found]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"minimum": 1, "maximum": 4}, "1 to 4"),
        ({"minimum": 1}, "at least 1"),
        ({"minimum": 0, "exclusiveMinimum": True}, "more than 0"),
        ({"exclusiveMaximum": 5}, "less than 5"),
        ({"maxItems": 3}, "at most 3 items"),
        ({"minLength": 1, "maxLength": 9}, "1 to 9 characters"),
        ({"enum": ["a", 1, None]}, "one of a, 1, null"),
        ({"const": False}, "always false"),
        ({"pattern": "^a$"}, "pattern ^a$"),
        ({"pattern": "a" * 99}, f"pattern {'a' * 31}…"),
        ({"additionalProperties": False}, "no other properties"),
        ({"x-known-values": ["auto"]}, "known values: auto"),
        ({"uniqueItems": False}, ""),
    ],
)
def test_limits_are_described_in_words(schema: dict[str, Any], words: str) -> None:
    assert "; ".join(limit.text for limit in limits_of(SchemaView.of(schema, schema))) == words


def test_fields_below_a_reference_and_in_all_of_are_found() -> None:
    schema = {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {"type": "string"}}}]}
    assert names(fields(schema, A={"type": "object", "properties": {"a": {"type": "string"}}})) == ["a", "b"]


def test_a_field_of_two_alternatives_is_one_row_with_both_types() -> None:
    branches = [
        {"required": ["role"], "properties": {"role": {"type": "string", "enum": [name]}}} for name in ("user", "tool")
    ]
    (field,) = fields({"oneOf": branches})
    assert (field.name, field.type, field.limits) == ("role", "string", "one of user or one of tool")


def test_a_field_inside_an_alternative_is_named_with_its_parents() -> None:
    item = {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"url": {"type": "string"}}}]}
    schema = {"properties": {"images": {"type": "array", "items": item}}}
    assert names(fields(schema)) == ["images", "images[]", "images[].url"]


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    assert names(fields({"$ref": "#/components/schemas/Node"}, Node=node)) == ["next"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "properties"])
def test_a_chain_of_references_that_doubles_at_each_step_ends(keyword: str) -> None:
    chain: dict[str, Any] = {"Link0": {"type": "string"}}
    for index in range(30):
        link = {"$ref": f"#/components/schemas/Link{index}"}
        chain[f"Link{index + 1}"] = {keyword: {"a": link, "b": link} if keyword == "properties" else [link, link]}
    assert len(fields({"$ref": "#/components/schemas/Link30"}, **chain)) < 5_000


@pytest.mark.parametrize(
    ("version", "schema"), [("3.0.0", {"type": "string", "nullable": True}), ("3.1.0", {"type": ["string", "null"]})]
)
def test_null_is_part_of_the_type_in_every_version(version: str, schema: dict[str, Any]) -> None:
    (field,) = fields({"properties": {"a": schema}}, version)
    assert field.type == "string or null"


@pytest.mark.parametrize(
    ("version", "schema", "words", "accepted", "refused"),
    [
        ("3.0.0", {"type": "string", "nullable": True, "enum": ["1K"]}, ("string", "one of 1K"), "1K", None),
        ("3.0.0", {"nullable": True, "anyOf": [{"type": "string"}]}, ("string", ""), "1K", None),
        ("3.0.0", {"allOf": [{"type": "integer", "minimum": 1}, {"maximum": 4}]}, ("integer", "1 to 4"), 4, 5),
        ("3.1.0", {"$ref": "#/components/schemas/Size", "enum": ["1K"]}, ("string", "one of 1K"), "1K", "2K"),
        ("3.1.0", {"allOf": [{"enum": ["a", None]}, {"enum": ["b", None]}]}, ("null", "one of null"), None, "a"),
    ],
)
def test_a_field_is_described_as_the_validator_reads_it(
    version: str, schema: dict[str, Any], words: tuple[str, str], accepted: Any, refused: Any
) -> None:
    components = {"Size": {"type": "string", "enum": ["1K", "2K"]}}
    (field,) = fields({"properties": {"a": schema}}, version, **components)
    compiled = SchemaConverter({"openapi": version, "components": {"schemas": components}}, "request").to_json_schema(
        schema
    )
    validator = SchemaValidator(compiled, "request", "POST /a", SchemaEvidence({}, "", lambda _: Evidence.DOCUMENTED))
    assert (validator.is_valid(accepted), validator.is_valid(refused)) == (True, False)
    assert (field.type, field.limits) == words


def test_a_required_field_with_a_default_shows_both() -> None:
    (field,) = fields({"required": ["a"], "properties": {"a": {"type": "integer", "default": 0}}})
    assert (field.required, field.default) == (True, 0)


@pytest.mark.parametrize("price", [None, 5, {"credits": "many"}, {"credits": 1, "credits-per-usd": 0}])
def test_an_invalid_price_is_left_out(price: Any) -> None:
    document = {
        "openapi": "3.0.0",
        "info": {"title": "A", "version": "1"},
        "paths": {"/a": {"get": {"x-price": price, "x-sizes": price, "responses": {"200": {"description": ""}}}}},
    }
    (operation,) = describe(Contract.load(document))["operations"]
    assert (operation["price"], operation["sizes"]) == (None, [])


def finding(rule: str, pointer: str, repaired: str | None = None) -> Finding:
    return Finding(rule, Severity.WARNING, Evidence.DOCUMENTED, pointer, "…", repaired=repaired)


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [found.id for found in findings]


def test_a_missing_member_is_at_the_same_place_as_its_parent() -> None:
    ours, theirs = finding("info-missing", "/info", "placeholders"), finding("openapi-required", "/info/title")
    assert ids(merge([ours], [theirs], [])) == ["info-missing"]


def test_an_error_below_a_defect_is_not_merged_with_it() -> None:
    ours, theirs = finding("a-defect", "/a", "left out"), finding("openapi-type", "/a/b")
    assert ids(merge([ours], [theirs], [])) == ["a-defect", "openapi-type"]


def test_a_finding_without_a_repair_hides_no_error() -> None:
    ours, theirs = finding("a-remark", "/a"), finding("openapi-type", "/a")
    assert ids(merge([ours], [theirs], [])) == ["a-remark", "openapi-type"]


def test_an_error_only_in_the_repaired_document_is_marked() -> None:
    assert ids(merge([], [], [finding("openapi-type", "/a")])) == ["repaired-openapi-type"]


def test_an_error_in_both_documents_is_reported_once() -> None:
    theirs = finding("openapi-type", "/a")
    assert ids(merge([], [theirs], [theirs])) == ["openapi-type"]
