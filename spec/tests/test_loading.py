"""Work of loading a large document: schemas are converted and compiled when first used, and each component once."""
# pyright: reportPrivateUsage=false

from typing import Any

import jsonschema_rs
import pytest
from bodydouble_spec import Contract, Evidence
from bodydouble_spec.schema import SchemaConverter, SchemaEvidence, SchemaValidator, validation

Counts = dict[str, int]


def operation_of(schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"content": content}, "responses": {"200": {"description": "done", "content": content}}}


def document_of(operations: int, components: int) -> dict[str, Any]:
    """Return a document with components that all refer to each other, and operations that take and answer one of them."""
    names = [f"Part{number}" for number in range(components)]
    properties = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": properties} for name in names}
    paths = {
        f"/{number}": {"post": operation_of(properties[names[number % components]])} for number in range(operations)
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": "a", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Count the compiled validators and the converted schema objects."""
    counted = {"compiled": 0, "converted": 0}
    compile_schema, convert = validation._compile, SchemaConverter._convert_object

    def counting_compile(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        counted["compiled"] += 1
        return compile_schema(schema)

    def counting_convert(self: SchemaConverter, schema: dict[str, Any]) -> dict[str, Any]:
        counted["converted"] += 1
        return convert(self, schema)

    monkeypatch.setattr(validation, "_compile", counting_compile)
    monkeypatch.setattr(SchemaConverter, "_convert_object", counting_convert)
    return counted


def test_loading_converts_and_compiles_nothing(counts: Counts) -> None:
    assert len(Contract.load(document_of(50, 10)).operations) == 50
    assert counts == {"compiled": 0, "converted": 0}


def test_only_the_schema_that_is_used_is_compiled(counts: Counts) -> None:
    operation = Contract.load(document_of(50, 10)).operation("POST /3")
    assert operation.validate_request({"Part1": {"Part2": {}}}) == []
    assert [finding.id for finding in operation.validate_request({"Part1": 1})] == ["request-type"]
    assert counts["compiled"] == 1


def test_a_component_is_converted_once_for_all_schemas_that_refer_to_it(counts: Counts) -> None:
    contract = Contract.load(document_of(40, 20))
    schemas = [operation.request_schema or {} for operation in contract.operations]
    assert all(len(schema["$defs"]) == 20 for schema in schemas)
    assert counts["converted"] == 20 * (20 + 1) + len(schemas)


def test_the_check_of_all_schemas_compiles_each_component_once(counts: Counts) -> None:
    contract = Contract.load(document_of(40, 20))
    assert contract.unusable == ()
    assert counts["compiled"] == 2 * (40 + 20)


def test_a_schema_that_cannot_be_compiled_is_reported_by_the_check_and_accepts_any_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compile_schema = validation._compile

    def failing(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        if schema.get("title") == "bad":
            raise ValueError("it is bad\nand more")
        return compile_schema(schema)

    monkeypatch.setattr(validation, "_compile", failing)
    document = document_of(1, 1)
    content = {"application/json": {"schema": {"title": "bad"}}}
    document["paths"]["/0"]["post"]["requestBody"] = {"content": content}
    contract = Contract.load(document)
    assert [(found.id, found.pointer, found.severity) for found in contract.unusable] == [
        ("schema-not-usable", "/paths/~10/post/requestBody/content/application~1json/schema", "error")
    ]
    assert contract.operation().validate_request({"any": "value"}) == []
    assert [record.getMessage() for record in caplog.records] == [
        "a request schema of POST /0 cannot be compiled: it is bad; any value is accepted"
    ]


def test_of_many_large_schemas_only_the_last_ones_stay_compiled() -> None:
    evidence = SchemaEvidence({}, "", lambda _pointer: Evidence.DOCUMENTED)
    schemas = [{"enum": ["x" * 700_000, number]} for number in range(6)]
    validators = [SchemaValidator(schema, "response", "", evidence) for schema in schemas]
    assert [validator.is_valid(number) for number, validator in enumerate(validators)] == [True] * 6
    assert ["_validator" in vars(validator) for validator in validators] == [False, False, True, True, True, True]
    assert validators[0].is_valid(0)
