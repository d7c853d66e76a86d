"""The choice between operations by a property of the body: every body is for one of them, or refused with all known values."""

from typing import Any

import jsonschema_rs
import pytest
from bodydouble_mockserver.endpoints.dispatch import Choice, IndistinguishableOperations
from bodydouble_spec import Contract, Operation
from hypothesis import given
from hypothesis import strategies as st


def operation(properties: dict[str, Any], *required: str) -> Operation:
    schema = {"type": "object", "properties": properties, "required": [*required]}
    body = {"content": {"application/json": {"schema": schema}}}
    post = {"requestBody": body, "responses": {"200": {"description": "done"}}}
    return Contract.load(
        {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"post": post}}}
    ).operation()


def enum(*values: Any) -> dict[str, Any]:
    return {"enum": [*values]}


A = operation({"model": enum("a", "a2"), "size": enum(1, 2)}, "model")
B = operation({"model": {"const": "b"}, "size": enum(1)}, "model")
C = operation({"model": enum("c"), "size": enum(3)})  # with a model that may be left out
BY_KIND = [
    operation({"model": enum("m"), "kind": enum("edit")}),
    operation({"model": enum("m"), "kind": enum("draw")}),
    operation({"model": enum("n"), "kind": enum("draw", "edit")}),
]


def nested(kind: Any, *required: str) -> dict[str, Any]:
    """Return an object whose member `of.kind` has the values."""
    of = {"type": "object", "properties": {"kind": kind, "note": {"type": "string"}}, "required": [*required]}
    return {"type": "object", "properties": {"of": of}, "required": ["of"] if required else []}


DEEP = [
    operation({"model": enum("m"), "input": nested(enum("edit"), "kind")}, "model", "input"),
    operation({"model": enum("m"), "input": nested({"const": "draw"}, "kind")}, "model", "input"),
    operation({"model": enum("m"), "input": nested(enum("paint", "sketch"))}, "model"),  # that may be left out
]
# The first two differ in the model, the last two deeper.
MIXED = [
    operation({"model": enum("a")}, "model"),
    *(
        operation({"model": enum("b"), "input": nested(enum(kind), "kind")}, "model", "input")
        for kind in ("edit", "draw")
    ),
]
HIDDEN = {"anyOf": [{"type": "null"}, nested(enum("edit"), "kind")]}
OPTIONAL = [operation({"input": HIDDEN}, "input"), DEEP[1]]


def deep(kind: Any) -> dict[str, Any]:
    return {"model": "m", "input": {"of": {"kind": kind}}}


@pytest.mark.parametrize(
    ("operations", "body", "expected"),
    [
        ((A, B), {"model": "a"}, 0),
        ((A, B), {"model": "a2", "size": 9}, 0),
        ((A, B), {"model": "b"}, 1),
        ((A, B), {"model": "c"}, None),
        ((A, B), {"model": None}, None),
        ((A, B), {"model": ["a"]}, None),
        ((A, B), {}, None),
        ((A, B), [], None),
        ((A, B), None, None),
        ((A, C), {}, 1),
        ((A, B, C), {"model": "c"}, 2),
        (BY_KIND, {"model": "m", "kind": "edit"}, 0),
        (BY_KIND, {"model": "m", "kind": "draw"}, 1),
        (BY_KIND, {"model": "n", "kind": "edit"}, 2),
        (BY_KIND, {"model": "m", "kind": "paint"}, None),
        (BY_KIND, {"model": "m"}, None),
        (BY_KIND, {}, None),
        (DEEP, deep("edit"), 0),
        (DEEP, deep("draw"), 1),
        (DEEP, deep("sketch"), 2),
        (DEEP, deep("other"), None),
        (DEEP, {"model": "m"}, 2),
        (DEEP, {"model": "m", "input": "x"}, 2),
        (MIXED, {"model": "b", "input": {"of": {"kind": "draw"}}}, 2),
        (MIXED, {"model": "b", "input": {"of": {}}}, None),
        (MIXED, {"model": "a"}, 0),
        (OPTIONAL, {"input": None}, 0),
        (OPTIONAL, deep("edit"), 0),
        (OPTIONAL, deep("draw"), 1),
    ],
)
def test_a_body_is_for_the_operation_whose_values_it_has(operations: Any, body: Any, expected: int | None) -> None:
    assert Choice(operations).choose(body) == expected


def test_the_property_that_every_request_has_decides() -> None:
    one = operation({"size": enum(1), "model": enum("a")}, "model")
    other = operation({"size": enum(2), "model": enum("b")}, "model")
    assert Choice([one, other]).places == (("model",),)
    assert Choice(DEEP).places == (("input", "of", "kind"),)


VALUES = st.sampled_from(["a", "a2", "b", "c", "m", "n", "edit", "draw", 1, 3, None, True, ["a"]])


@pytest.mark.parametrize("operations", [(A, B), (A, B, C), BY_KIND, DEEP, MIXED, OPTIONAL])
@given(
    body=st.dictionaries(
        st.sampled_from(["model", "kind", "size", "input"]),
        VALUES
        | st.dictionaries(st.just("of"), VALUES | st.dictionaries(st.just("kind"), VALUES, min_size=1), min_size=1),
    )
    | st.sampled_from([None, [], "a", 3])
)
def test_the_schema_refuses_every_body_for_which_nothing_is_chosen(operations: Any, body: Any) -> None:
    choice = Choice(operations)
    if choice.choose(body) is None:
        assert not jsonschema_rs.Draft202012Validator(choice.schema).is_valid(body)


def test_the_schema_lists_all_known_values() -> None:
    assert Choice([A, B, C]).schema["properties"]["model"]["enum"] == ["a", "a2", "b", "c"]


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ((A, A), 'both allow model "a", "a2"'),
        ((A, B, operation({"model": enum("z", "b")})), 'both allow model "b"'),
        ((A, operation({"model": {"type": "string"}})), "no property of a request has an enum or const in both"),
        ((DEEP[0], DEEP[0]), 'both allow model "m"'),
        ((operation({}), operation({})), "no property of a request has an enum or const in both"),
    ],
)
def test_operations_with_a_common_value_are_refused(operations: Any, words: str) -> None:
    with pytest.raises(IndistinguishableOperations, match=words):
        Choice(operations)
