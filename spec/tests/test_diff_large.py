"""Changes of large documents: every operation tells its own, and what is not told again is said."""

from typing import Any

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.diff import diff, schemas

LOOP = {"$ref": "#/components/schemas/Loop"}
PART = {"$ref": "#/components/schemas/Part"}


def load(document: dict[str, Any]) -> Contract:
    return Contract.load(document, overlay=None)


def document_of(body: dict[str, Any], operations: int, **components: Any) -> dict[str, Any]:
    operation = {
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "done"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {f"/{number}": {"post": operation} for number in range(operations)},
        "components": {"schemas": components},
    }


def wide(limit: int, *, operations: int) -> dict[str, Any]:
    """Return a document whose operations have many changes when the limit changes."""
    many = {f"p{number}": {"type": "string", "maxLength": limit + number} for number in range(100)}
    body = {"type": "object", "properties": {**many, "last": PART}}
    return document_of(body, operations, Part={"type": "object", "properties": {"size": {"minimum": limit}}})


def shared(limit: int, *, operations: int) -> dict[str, Any]:
    """Return a document whose operations all lead to one component, which leads to itself, and to another one."""
    body = {"type": "object", "properties": {"loop": LOOP, "part": PART}}
    loop = {"type": "object", "properties": {"next": LOOP}, "maxProperties": limit}
    return document_of(body, operations, Loop=loop, Part={"type": "object", "maxProperties": limit})


def test_each_operation_tells_its_own_change_in_a_large_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_MAX_COMPARISONS", 150)
    found = diff(load(wide(1, operations=10)), load(wide(2, operations=10)))
    assert sum("`last.size`" in item.message for item in found) == 10
    assert {item.operation for item in found} == {f"POST /{number}" for number in range(10)}


def test_operations_that_share_a_changed_cycle_each_tell_it() -> None:
    found = diff(load(shared(3, operations=5)), load(shared(2, operations=5)))
    places = [(item.operation, item.message.split("`")[1]) for item in found]
    assert places == [(f"POST /{number}", name) for number in range(5) for name in ("part", "loop")]


@pytest.mark.parametrize("limit", ["_MAX_IN_ALL", "_MAX_CYCLIC_IN_ALL"])
def test_beyond_the_limit_each_operation_says_that_its_changes_are_not_told_again(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(schemas, limit, 0)
    found = diff(load(shared(3, operations=3)), load(shared(2, operations=3)))
    said = [item for item in found if item.id == "comparison-limited"]
    assert [item.operation for item in said] == ["POST /1", "POST /2"]
    assert {item.severity for item in said} == {found[0].severity}
    assert all("listed for the request of POST /0" in item.message for item in said)


def test_the_report_of_what_was_not_compared_again_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_MAX_IN_ALL", 0)
    monkeypatch.setattr(schemas, "_MAX_LIMITED", 3)
    found = diff(load(shared(3, operations=30)), load(shared(2, operations=30)))
    said = [item.message for item in found if item.id == "comparison-limited"]
    assert len(said) == 4
    assert said[-1].startswith("26 more bodies")


def named(count: int, **more: Any) -> dict[str, Any]:
    """Return a document whose one body has so many properties."""
    many = {f"p{number}": {"type": "string"} for number in range(count)}
    return document_of({"type": "object", "properties": {**many, **more}, "required": [*more]}, 1)


@pytest.mark.parametrize("beyond", [1, 900])
def test_a_hundred_changes_of_one_kind_are_listed_and_the_rest_is_counted(beyond: int) -> None:
    found = diff(load(named(0)), load(named(100 + beyond, needed={"type": "string"})))
    added = [item for item in found if item.id == "new-optional-request-property"]
    assert [item.new for item in added] == [{"type": "string"}] * 100
    assert [item.message for item in added if "not listed" in item.message] == [
        f"`p99` in the request is new and optional; {beyond} more changes of this kind are not listed"
    ]
    # Of another kind, and behind all of them.
    assert [item.id for item in found if item not in added] == ["new-required-request-property"]


def test_values_of_a_list_are_counted_too() -> None:
    old, new = (
        load(document_of({"type": "object", "properties": {"a": {"enum": [*range(count)]}}}, 1)) for count in (1, 300)
    )
    found = diff(old, new)
    assert len(found) == 100
    assert found[-1].message.endswith("; 199 more changes of this kind are not listed")
