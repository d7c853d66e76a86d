"""The choice of one operation and one model of a contract."""

from typing import Any

import pytest
from bodydouble_spec import Contract, UnknownOperation
from bodydouble_spec.selection import limited_values, only_operation


def document(*schemas: dict[str, Any]) -> dict[str, Any]:
    paths = {
        f"/{number}": {
            "post": {
                "operationId": f"op{number}",
                "requestBody": {"content": {"application/json": {"schema": schema}}},
                "responses": {"200": {"description": "done"}},
            }
        }
        for number, schema in enumerate(schemas)
    }
    shared = {"Model": {"type": "string", "enum": ["a", "b"]}}
    info = {"title": "t", "version": "1"}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": shared}}


DIRECT = {"type": "object", "properties": {"model": {"type": "string", "enum": ["a", "b"]}}}
BY_REFERENCE = {"type": "object", "properties": {"model": {"$ref": "#/components/schemas/Model"}}}
IN_ALTERNATIVES = {
    "oneOf": [
        {"type": "object", "properties": {"model": {"type": "string", "enum": ["a"]}}},
        {"type": "object", "properties": {"model": {"type": "string", "enum": ["b"]}}},
    ]
}
TOGETHER = {"allOf": [DIRECT, {"properties": {"n": {"type": "integer"}}}]}
FREE = {"type": "object", "properties": {"model": {"type": "string"}}}


@pytest.mark.parametrize("schema", [DIRECT, BY_REFERENCE, TOGETHER])
def test_a_contract_for_one_model_allows_no_other(schema: dict[str, Any]) -> None:
    contract = only_operation(Contract.load(document(schema)), None, "b")
    allowed = [value for value in "abc" if not contract.operation().validate_request({"model": value})]
    assert allowed == ["b"]


@pytest.mark.parametrize("schema", [DIRECT, BY_REFERENCE, IN_ALTERNATIVES, TOGETHER])
def test_the_values_of_a_property_are_those_of_every_way_to_write_them(schema: dict[str, Any]) -> None:
    assert [*limited_values(Contract.load(document(schema)).operation())["model"].values()] == ["a", "b"]


def test_a_free_property_has_no_list_of_values() -> None:
    assert limited_values(Contract.load(document(FREE)).operation()) == {}


@pytest.mark.parametrize("name", ["POST /1", "/1", "op1"])
def test_the_other_operations_of_a_contract_are_left_out(name: str) -> None:
    contract = only_operation(Contract.load(document(DIRECT, FREE)), name)
    assert ([item.key for item in contract.operations], list(contract.published["paths"])) == (["POST /1"], ["/1"])


@pytest.mark.parametrize(
    ("schemas", "operation", "model", "words"),
    [
        ((DIRECT, FREE), None, None, ("2 operations", "POST /0", "POST /1")),
        ((DIRECT, FREE), "GET /0", None, ("POST /0", "POST /1")),
        ((DIRECT,), None, "c", ('"c"', '"a", "b"')),
        ((FREE,), None, "c", ("none by name",)),
    ],
)
def test_an_operation_or_model_that_is_unknown_is_refused_with_the_known_ones(
    schemas: tuple[dict[str, Any], ...], operation: str | None, model: str | None, words: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownOperation) as error:
        only_operation(Contract.load(document(*schemas)), operation, model)
    assert [word for word in words if word not in str(error.value)] == []
