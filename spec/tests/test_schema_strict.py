"""The strict check: faults that the schema allows, and no false alarms."""

from collections import Counter
from typing import Any

import pytest
from bodydouble_spec import Contract, Evidence, Finding
from bodydouble_spec.schema import strict
from bodydouble_spec.schema.evidence import SchemaEvidence
from bodydouble_spec.schema.strict import strict_findings
from bodydouble_spec.schema.validation import SchemaValidator
from hypothesis import given, settings
from hypothesis import strategies as st

URL = {"url": "https://a.example/b.png", "b64_json": None}
META = {"usage": {"credits_used": 84000}}
TEXT = {"type": "string"}
NULL_TEXT = {"type": ["string", "null"]}
NULL = {"type": "null"}
DOCUMENTED = SchemaEvidence({}, "", lambda _: Evidence.DOCUMENTED)


def found(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return sorted((str(item.severity), item.id.removeprefix("response-"), item.pointer) for item in findings)


def read(schema: dict[str, Any], value: Any) -> list[tuple[str, str, str]]:
    validator = SchemaValidator(schema, "response", "GET /a", DOCUMENTED)
    assert validator.is_valid(value)
    return found(strict_findings(validator, value, "GET /a", Evidence.DOCUMENTED))


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


ANSWERS: list[tuple[Any, ...]] = [
        ({"data": [URL], "meta": META}, []),
        ({"data": [{**URL, "url": None, "b64_json": "iVBORw0KGgo="}], "meta": META}, []),
        ({"data": [{"url": URL["url"]}], "meta": META}, [("info", "absent", "/data/0/b64_json")]),
        ({}, [("error", "absent", "/data"), ("error", "absent", "/meta")]),
        ({"data": None, "meta": META}, [("error", "null", "/data")]),
        ({"data": [], "meta": META}, [("error", "empty", "/data")]),
        ({"data": [{}], "meta": META}, [("error", "no-value", "/data/0")]),
        ({"data": [{"url": None, "b64_json": None}], "meta": META}, [("error", "no-value", "/data/0")]),
        ({"data": [{"url": "", "b64_json": None}], "meta": META}, [("error", "no-value", "/data/0")]),
        ({"data": [URL, {}], "meta": META}, [("error", "no-value", "/data/1")]),
        (
            {"pictures": [URL], "meta": META},
            [("error", "absent", "/data"), ("warning", "undocumented", "/pictures")],
        ),
        (
            {"data": [{**URL, "mime_type": "image/png"}], "meta": META},
            [("warning", "undocumented", "/data/0/mime_type")],
        ),
        ({"data": [URL], "meta": None}, [("error", "null", "/meta")]),
        ({"data": [URL], "meta": {}}, [("error", "absent", "/meta/usage")]),
        ({"data": [URL], "meta": {"usage": {}}}, [("error", "required", "/meta/usage/credits_used")]),
        ({"data": [URL], "meta": {"usage": {"credits_used": "1"}}}, [("error", "type", "/meta/usage/credits_used")]),
        ({"data": {}, "meta": META}, [("error", "type", "/data")]),
        ([], [("error", "type", "")]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    ANSWERS,
)  # fmt: skip
def test_an_answer_of_this_model_is_checked_strictly(
    vendored: Contract, body: Any, expected: list[tuple[str, str, str]]
) -> None:
    assert found(vendored.operation().validate_response(200, "application/json", body)) == sorted(expected)


NAMED_BODIES: list[tuple[Any, ...]] = [
    ("documented", set()),
    ("quick-example", {"absent", "undocumented"}),
    ("transition", {"required", "absent", "undocumented"}),
    ("observed-2026", {"undocumented"}),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    NAMED_BODIES,
)
def test_a_named_success_body_has_its_known_deviations(vendored: Contract, name: str, expected: set[str]) -> None:
    body = vendored.operation().responses["200"].examples[name]
    findings = vendored.operation().validate_response(200, "application/json", body)
    assert {rule for _, rule, _ in found(findings)} == expected


@pytest.mark.parametrize("name", ["documented", "quick-example", "observed-2026"])
def test_a_named_success_body_conforms_to_the_schema(vendored: Contract, name: str) -> None:
    body = vendored.operation().responses["200"].examples[name]
    assert vendored.operation().validate_response(200, "application/json", body, strict=False) == []


def test_the_transition_body_breaks_the_contract_only_where_it_was_renamed_later(vendored: Contract) -> None:
    body = vendored.operation().responses["200"].examples["transition"]
    findings = vendored.operation().validate_response(200, "application/json", body, strict=False)
    assert found(findings) == [("error", "required", "/meta/usage/credits_used")]


SHAPES: list[tuple[Any, ...]] = [
        ({"allOf": [an_object(a=TEXT), an_object(b=TEXT)]}, {"a": "1", "b": "2"}, []),
        ({"allOf": [an_object(a=TEXT), an_object(b=TEXT)]}, {"a": "1"}, [("error", "absent", "/b")]),
        ({"allOf": [an_object(a=TEXT), an_object(b=TEXT)]}, {"a": "1", "b": "2", "c": 3}, [("warning", "undocumented", "/c")]),
        ({**an_object(a=TEXT), "allOf": [an_object(b=TEXT)]}, {"a": "1", "b": "2"}, []),
        ({"allOf": [an_object(a=an_object(b=TEXT)), an_object(a=an_object(c=TEXT))]}, {"a": {"b": "1", "c": "2"}}, []),
        ({"allOf": [an_object(a=an_object(b=TEXT)), an_object(a=an_object(c=TEXT))]}, {"a": {"b": "1"}}, [("error", "absent", "/a/c")]),
        ({"oneOf": [{**an_object(a=TEXT), "required": ["a"]}, {**an_object(b=TEXT), "required": ["b"]}]}, {"b": "1"}, []),
        ({"anyOf": [an_object(url=TEXT), an_object(data=TEXT)]}, {"data": "1"}, []),
        ({"anyOf": [an_object(url=TEXT), an_object(data=TEXT)]}, {"data": "1", "url": "2"}, []),
        ({"anyOf": [an_object(url=TEXT), an_object(data=TEXT)]}, {"data": "1", "c": "2"}, [("warning", "undocumented", "/c")]),
        ({"anyOf": [an_object(url=TEXT), an_object(data=TEXT, size=TEXT)]}, {}, [("error", "absent", "/url")]),
        ({"anyOf": [an_object(a=TEXT), {"type": "object"}]}, {"c": 1}, []),
        ({"anyOf": [an_object(a=TEXT), {"type": "array", "items": an_object(a=TEXT)}]}, [{"b": 1, "a": "1"}], [("warning", "undocumented", "/0/b")]),
        ({"anyOf": [{"type": "array"}, NULL]}, [], [("error", "empty", "")]),
        ({"anyOf": [{"type": "array"}, NULL]}, None, [("error", "null", "")]),
        ({"anyOf": [TEXT, NULL]}, None, []),
        (an_object(url={"anyOf": [TEXT, NULL]}, data=NULL_TEXT), {"url": None}, [("error", "no-value", "")]),
        (an_object(url={"anyOf": [TEXT, NULL]}, data=NULL_TEXT), {"url": "1"}, [("info", "absent", "/data")]),
        (an_object(name=TEXT, note=NULL_TEXT), {"name": "1", "note": None}, []),
        (an_object(name=TEXT, note={"enum": ["a", None]}), {"name": "1"}, [("info", "absent", "/note")]),
        (an_object(always=NULL), {"always": None}, []),
        ({**an_object(a=TEXT), "additionalProperties": TEXT}, {"a": "1", "b": "2"}, []),
        ({**an_object(a=TEXT), "patternProperties": {"^b": TEXT}}, {"a": "1", "b": "2"}, []),
        ({**an_object(a=TEXT), "if": {}, "then": an_object(b=TEXT)}, {"a": "1", "b": "2"}, []),
        ({"type": "array", "prefixItems": [TEXT], "items": an_object(a=TEXT)}, ["1", {}], [("error", "absent", "/1/a")]),
        ({"type": "object"}, {"anything": 1}, []),
        ({}, {"anything": [None, [], {}]}, []),
        ({"$ref": "#/$defs/A", "$defs": {"A": an_object(a=TEXT)}}, {"b": 1, "a": "1"}, [("warning", "undocumented", "/b")]),
        ({"$ref": "#/$defs/A", "properties": {"b": TEXT}, "$defs": {"A": an_object(a=TEXT)}}, {"b": "1", "a": "1"}, []),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, an_object(a=TEXT)]}}}, {"b": 1}, []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    SHAPES,
)  # fmt: skip
def test_shapes_are_checked_by_the_branches_that_apply(
    schema: dict[str, Any], value: Any, expected: list[tuple[str, str, str]]
) -> None:
    assert read(schema, value) == sorted(expected)


def test_a_value_that_fits_no_branch_is_left_to_the_schema() -> None:
    schema = an_object(a={"anyOf": [an_object(b=TEXT), TEXT]})
    validator = SchemaValidator(schema, "response", "GET /a", DOCUMENTED)
    assert strict_findings(validator, {"a": {"b": 5, "c": 6}}, "GET /a", Evidence.DOCUMENTED) == []


def test_nested_shapes_are_checked_in_bounded_time() -> None:
    branches = [an_object(n={"$ref": "#/$defs/N"}), an_object(n={"$ref": "#/$defs/N"}, m=TEXT)]
    schema = {"$ref": "#/$defs/N", "$defs": {"N": {"anyOf": branches}}}
    value: dict[str, Any] = {}
    for _ in range(50):
        value = {"n": value}
    assert isinstance(read(schema, value), list)


KNOWN = {"a": TEXT, "b": TEXT, "c": {"type": "integer"}, "d": {"type": "integer"}}
PROPERTIES = st.sets(st.sampled_from("abcd"), min_size=1).map(
    lambda names: {name: KNOWN[name] for name in sorted(names)}
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    properties = draw(PROPERTIES)
    required = draw(st.sets(st.sampled_from(sorted(properties))))
    return {"type": "object", "properties": properties, "required": sorted(required)}


def combined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    branches = st.lists(inner, min_size=1, max_size=3)
    return st.dictionaries(st.sampled_from(["allOf", "anyOf"]), branches, min_size=1, max_size=1)


SCHEMAS = st.recursive(objects(), combined, max_leaves=5)


def sample(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: "text" if schema == TEXT else 1 for name, schema in properties.items()}


def choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """List every complete answer that the schema documents: one branch of each anyOf, all of each allOf."""
    if "properties" in schema:
        return [sample(schema["properties"])]
    (keyword, branches) = next(iter(schema.items()))
    if keyword != "allOf":
        return [choice for branch in branches for choice in choices(branch)]
    merged: list[dict[str, Any]] = [{}]
    for branch in branches:
        merged = [{**left, **right} for left in merged for right in choices(branch)]
    return merged


@settings(deadline=None, max_examples=100)
@given(SCHEMAS)
def test_a_complete_answer_of_one_shape_has_no_findings(schema: dict[str, Any]) -> None:
    validator = SchemaValidator(schema, "response", "GET /a", DOCUMENTED)
    for value in choices(schema):
        assert found(strict_findings(validator, value, "GET /a", Evidence.DOCUMENTED)) == []


@settings(deadline=None, max_examples=100)
@given(SCHEMAS)
def test_a_property_outside_every_branch_is_always_reported(schema: dict[str, Any]) -> None:
    validator = SchemaValidator(schema, "response", "GET /a", DOCUMENTED)
    for value in choices(schema):
        findings = strict_findings(validator, {**value, "drift": 1}, "GET /a", Evidence.DOCUMENTED)
        assert found(findings) == [("warning", "undocumented", "/drift")]


NULL_OBJECT = {"type": ["object", "null"], "properties": {"a": TEXT}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(an_object(a={**NULL_OBJECT, "example": None}), {"a": None}, id="an example that is null"),
        pytest.param(
            {**an_object(a=NULL_OBJECT), "example": {"a": None}}, {"a": None}, id="an example with null there"
        ),
        pytest.param(an_object(a=NULL_OBJECT, b=NULL_TEXT), {"a": None, "b": "text"}, id="a nullable text beside it"),
        pytest.param(an_object(error=NULL_OBJECT, a=TEXT), {"error": None, "a": "text"}, id="no error"),
        pytest.param(
            an_object(requestErrors={"type": "array"}, a=TEXT), {"requestErrors": [], "a": ""}, id="no errors"
        ),
        pytest.param(an_object(error=TEXT, a=TEXT), {"a": "text"}, id="an error that is absent"),
    ],
)
def test_a_documented_null_is_no_fault_where_nothing_is_missing(schema: dict[str, Any], value: Any) -> None:
    assert read(schema, value) == []


@pytest.mark.parametrize(
    "value", [{"a": None, "b": None}, {"a": None, "b": ""}, {"a": None}], ids=["no text", "an empty text", "nothing"]
)
def test_a_null_is_a_fault_where_nothing_beside_it_has_a_value(value: Any) -> None:
    assert ("error", "null", "/a") in read(an_object(a=NULL_OBJECT, b=NULL_TEXT), value)


def test_a_reading_ends_after_a_hundred_findings_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    built = Counter[str]()

    def counted(*arguments: Any, **named: Any) -> Finding:
        built[arguments[0]] += 1
        return Finding(*arguments, **named)

    monkeypatch.setattr(strict, "Finding", counted)
    schema = an_object(items={"type": "array", "items": an_object(a=TEXT)})
    validator = SchemaValidator(schema, "response", "GET /a", DOCUMENTED)
    findings = strict_findings(validator, {"items": [{"b": 1}] * 5_000}, "GET /a", Evidence.DOCUMENTED)
    assert (len(findings), findings[-1].id) == (101, "response-more-faults")
    # Each object of the list has two, and the last of them is not listed.
    assert built.total() <= 104


def test_a_shape_that_fits_is_found_beside_one_with_more_than_a_hundred_findings() -> None:
    lists = [{"type": "array", "items": an_object(**{name: TEXT})} for name in "ab"]
    assert read({"anyOf": lists}, [{"b": "1"}] * 5_000) == []


NODE = {"$ref": "#/$defs/Node"}
CHAIN = {"$defs": {"Node": {**an_object(v=TEXT, next={"anyOf": [NODE, NULL]}), "required": ["v", "next"]}}, **NODE}
TREE = {"$defs": {"Node": {**an_object(kids={"type": "array", "items": NODE}), "required": ["kids"]}}, **NODE}
EITHER = {**an_object(a=TEXT, b=TEXT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}


REASONS: list[tuple[dict[str, Any], Any]] = [
    (CHAIN, {"v": "x", "next": {"v": "y", "next": None}}),  # the end of what contains itself
    (TREE, {"kids": [{"kids": []}]}),
    (EITHER, {"a": "x"}),  # the other one would be a fault
    (an_object(a=TEXT, b={**TEXT, "writeOnly": True}), {"a": "x"}),
    ({**an_object(a=TEXT), "required": ["a", "z"]}, {"a": "x", "z": 1}),
]


@pytest.mark.parametrize(("schema", "value"), REASONS)
def test_what_a_schema_forbids_ends_or_requires_is_no_fault(schema: dict[str, Any], value: Any) -> None:
    assert read(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (an_object(a={"type": ["object", "null"], "properties": {"b": TEXT}}), {"a": None}, ("error", "null", "/a")),
        (an_object(a={"type": "array", "items": TEXT}), {"a": []}, ("error", "empty", "/a")),
        ({**an_object(a=TEXT, b=TEXT, c=TEXT), "oneOf": EITHER["oneOf"]}, {"a": "x"}, ("error", "absent", "/c")),
    ],
)
def test_what_is_empty_without_such_a_reason_is_a_fault(
    schema: dict[str, Any], value: Any, expected: tuple[str, str, str]
) -> None:
    assert read(schema, value) == [expected]
