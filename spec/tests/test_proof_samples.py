"""Values of a schema: made within a budget, whatever the schema asks for."""

from typing import Any

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.meaning import Node
from bodydouble_spec.proof import NoValueError, candidates, sample

LIST = {"$ref": "#/components/schemas/List"}


def node_of(schema: dict[str, Any], **schemas: Any) -> Node:
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": operation}},
        "components": {"schemas": schemas},
    }
    meaning = Contract.load(document, overlay=None).meaning
    meaning.build()
    found: Node = (
        meaning.operations["post", "/x"].value["requestBody"].value["content"]["application/json"].value["schema"]
    )
    return found


@pytest.mark.parametrize(
    "schema", [{"type": "array", "minItems": 10**8}, {"type": "string", "minLength": 10**8}, {"type": "string", "pattern": "a{100000}"}]
)  # fmt: skip
def test_a_value_that_must_be_huge_is_not_made(schema: dict[str, Any]) -> None:
    with pytest.raises(NoValueError):
        sample(node_of(schema), is_full=True)


def test_different_items_of_lists_in_lists_are_searched_to_a_depth_only() -> None:
    item = {"type": "object", "properties": {"a": LIST, "b": LIST}}
    node = node_of(LIST, List={"type": "array", "uniqueItems": True, "minItems": 2, "items": item})
    assert len(list(candidates(node, node))) <= 60
