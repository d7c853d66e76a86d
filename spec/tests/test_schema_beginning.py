"""The faults of the beginning of a value are faults of the value, and a large value has them without a search for all."""

from typing import Any

import jsonschema_rs
import pytest
from bodydouble_spec import Evidence
from bodydouble_spec.schema.beginning import beginning_of
from bodydouble_spec.schema.evidence import SchemaEvidence
from bodydouble_spec.schema.validation import SchemaValidator
from hypothesis import event, example, given
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "items", "anyOf", "x"])
LEAVES = st.none() | st.integers(0, 3) | st.sampled_from(["", "a", "bb"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=12,
)
LARGE_VALUES = st.lists(VALUES, min_size=2, max_size=4) | st.dictionaries(NAMES, VALUES, min_size=2, max_size=4)
Schemas = st.SearchStrategy[dict[str, Any]]
LEAF_SCHEMAS: Schemas = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "array"},
        {"minLength": 1},
        {"maximum": 1},
        {"enum": [0, "a", [1]]},
    ]
)
# Keywords whose outcome changes when items or members are left out.
OF_THE_WHOLE: list[dict[str, Any]] = [
    {"minItems": 2}, {"maxItems": 1}, {"uniqueItems": True}, {"minProperties": 2}, {"maxProperties": 1}, {"const": [1, "a"]},
    {"required": ["a", "items"]}, {"unevaluatedItems": False}, {"unevaluatedProperties": False}, {"additionalProperties": False},
]  # fmt: skip
WHOLE: Schemas = st.sampled_from(OF_THE_WHOLE)


def _around(inner: Schemas) -> Schemas:
    """Return schemas that apply ``inner`` to the parts of a value, in any case or under a condition."""
    one = st.sampled_from(
        ["items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedItems"]
    )
    many = st.sampled_from(["allOf", "anyOf", "oneOf", "prefixItems"])
    named = st.sampled_from(["properties", "patternProperties", "dependentSchemas"])
    applied: st.SearchStrategy[tuple[str, Any]] = st.one_of(
        st.tuples(one, inner),
        st.tuples(many, st.lists(inner, min_size=1, max_size=2)),
        st.tuples(named, st.dictionaries(NAMES, inner, min_size=1, max_size=2)),
        st.just(("$ref", "#/$defs/a")),
    )
    return st.tuples(st.lists(applied, min_size=1, max_size=3), st.sampled_from([{}, *OF_THE_WHOLE])).map(_merged)


def _merged(parts: tuple[list[tuple[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return {**dict(parts[0]), **parts[1]}


def _everywhere(schema: dict[str, Any]) -> dict[str, Any]:
    return {"items": schema, "additionalProperties": schema}


def _under_condition(parts: tuple[dict[str, Any], str, dict[str, Any]]) -> dict[str, Any]:
    return {"if": parts[0], parts[1]: parts[2]}


PARTS: Schemas = st.recursive(LEAF_SCHEMAS | WHOLE, _around, max_leaves=3)
# Parts of the value are faulty in most cases, some of them only because of what was cut.
EVERY_PART: Schemas = PARTS.map(_everywhere)
CONDITIONAL: Schemas = st.tuples(PARTS, st.sampled_from(["then", "else"]), EVERY_PART).map(_under_condition)
SCHEMAS: Schemas = EVERY_PART | CONDITIONAL | _around(PARTS)


Fault = tuple[tuple[str | int, ...], tuple[str | int, ...], str]


def faults(validator: jsonschema_rs.Draft202012Validator, value: Any) -> list[Fault]:
    return [
        (tuple(error.instance_path), tuple(error.evaluation_path), error.kind.name)
        for error in validator.iter_errors(value)
    ]


@example({"if": {"maxItems": 1}, "then": {"items": {"type": "string"}}}, {}, [0, 0])
@example({"items": {"anyOf": [{"maxItems": 1}]}, "unevaluatedItems": {"type": "string"}}, {}, [[0, 0], 0])
@given(SCHEMAS, LEAF_SCHEMAS | WHOLE, LARGE_VALUES)
def test_each_fault_that_the_beginning_shows_is_one_of_the_whole_value(schema: Any, component: Any, value: Any) -> None:
    validator = jsonschema_rs.Draft202012Validator({**schema, "$defs": {"a": component}})
    beginning = beginning_of(value, 1)
    assert beginning is not None
    shown = [fault for fault in faults(validator, beginning.value) if beginning.shows(*fault)]
    event("faults" if shown else "none")
    assert {*shown} <= {*faults(validator, value)}


def test_a_short_value_has_no_beginning() -> None:
    assert beginning_of({"a": [1, 2], "b": {"c": 1}}, 2) is None


@pytest.mark.parametrize("item", [0, {"b": 0}, ["x"]])
def test_a_large_value_lists_a_hundred_faults_and_says_that_there_are_more(item: Any) -> None:
    schema = {"properties": {"a": {"items": {"type": "string"}, "maxItems": 5}}, "required": ["c"]}
    validator = SchemaValidator(schema, "request", "POST /a", SchemaEvidence({}, "", lambda _: Evidence.DOCUMENTED))
    findings = validator.findings({"a": [item] * 50_000})
    assert len(findings) == 101
    assert findings[-1].id == "request-more-faults"
    assert ("request-required", "/c") in {(finding.id, finding.pointer) for finding in findings}


def test_faults_behind_the_beginning_are_found() -> None:
    validator = SchemaValidator(
        {"items": {"type": "integer"}, "maxItems": 5},
        "request",
        "POST /a",
        SchemaEvidence({}, "", lambda _: Evidence.DOCUMENTED),
    )
    found = {(finding.id, finding.pointer) for finding in validator.findings([1] * 1000 + ["x"])}
    assert found == {("request-max-items", ""), ("request-type", "/1000")}
