"""Validation: all faults at once, each in a short sentence, for any value."""

from typing import Any

import pytest
from bodydouble_spec import Contract, Evidence, Finding
from bodydouble_spec.schema.evidence import SchemaEvidence
from bodydouble_spec.schema.validation import SchemaValidator
from hypothesis import given, settings
from hypothesis import strategies as st

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters(exclude_categories=[])), inner, max_size=5)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(["model", "prompt", "image_urls", "num_images", "aspect_ratio", "provider"])
VALID = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "a cat", "image_urls": ["https://a.example/b.png"]}

DOCUMENTED = SchemaEvidence({}, "", lambda _: Evidence.DOCUMENTED)


def validator(schema: dict[str, Any]) -> SchemaValidator:
    return SchemaValidator(schema, "request", "POST /a", DOCUMENTED)


def found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.id, finding.pointer) for finding in findings}


def test_a_valid_request_has_no_finding(vendored: Contract) -> None:
    assert vendored.operation().validate_request(VALID) == []


def test_every_fault_of_a_request_is_found_at_once(vendored: Contract) -> None:
    body = {"model": "another", "image_urls": ["https://", 5], "num_images": 9, "aspect_ratio": "7:5", "provider": []}
    assert found(vendored.operation().validate_request(body)) == {
        ("request-enum", "/model"),
        ("request-required", "/prompt"),
        ("request-pattern", "/image_urls/0"),
        ("request-type", "/image_urls/1"),
        ("request-maximum", "/num_images"),
        ("request-enum", "/aspect_ratio"),
        ("request-type", "/provider"),
    }


def test_an_unlisted_provider_and_an_unknown_key_are_accepted(vendored: Contract) -> None:
    assert vendored.operation().validate_request({**VALID, "provider": "Somebody", "seed": 1}) == []


SENTENCES: list[tuple[Any, ...]] = [
    ({"type": "string"}, 5, "5 is not a string"),
    ({"type": ["string", "null"]}, 5, "5 is not null or a string"),
    ({"type": "number"}, "4", '"4" is a string, not a number; send 4 without quotation marks'),
    ({"type": "object"}, [], "[] is a list, not an object"),
    ({"enum": ["1:1", "2:3"]}, "7:5", '"7:5" is not one of "1:1", "2:3"; did you mean "1:1"?'),
    ({"enum": ["1:1", "16:9"]}, "16x9", '"16x9" is not one of "1:1", "16:9"; did you mean "16:9"?'),
    ({"enum": ["1:1", "3:2", "9:16"]}, "16:10", '"16:10" is not one of "1:1", "3:2", "9:16"; did you mean "3:2"?'),
    ({"enum": ["1:1", "auto"]}, "1.1", '"1.1" is not one of "1:1", "auto"; did you mean "1:1"?'),
    ({"enum": ["one/model"]}, "model", '"model" is not allowed; it must be "one/model"'),
    ({"const": "a"}, "b", '"b" is not allowed; it must be "a"'),
    ({"minimum": 1}, 0, "0 is too small; it must be at least 1"),
    ({"exclusiveMinimum": 1}, 1, "1 is too small; it must be more than 1"),
    ({"maximum": 4}, 4.5, "4.5 is too large; it must be at most 4"),
    ({"exclusiveMaximum": 4}, 4, "4 is too large; it must be less than 4"),
    ({"minItems": 1}, [], "[] is too short; it must have at least 1 item"),
    ({"maxItems": 0}, [1], "[1] is too long; it may have at most 0 items"),
    ({"minLength": 1}, "", '"" is too short; it must have at least 1 character'),
    ({"maxLength": 1}, "ab", '"ab" is too long; it may have at most 1 character'),
    ({"minProperties": 1}, {}, "{} is too short; it must have at least 1 property"),
    ({"maxProperties": 0}, {"a": 1}, '{"a": 1} is too long; it may have at most 0 properties'),
    ({"multipleOf": 2}, 3, "3 is not a multiple of 2"),
    ({"pattern": "^a"}, "b", '"b" does not have the required form'),
    ({"uniqueItems": True}, [1, 1], "[1, 1] has duplicate items"),
    ({"required": ["a"]}, {}, 'required property "a" is missing'),
    ({"properties": {"b": {}}, "additionalProperties": False}, {"a": 1}, 'property "a" is not allowed'),
    ({"properties": {"a": False}}, {"a": 1}, "1 is not allowed"),
    ({"not": {}}, 1, "1 breaks the rule `not`"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "1 matches no allowed shape"),
    ({"oneOf": [{}, True, False]}, 1, "1 matches 2 of the allowed shapes, not exactly one"),
]


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    SENTENCES,
)
def test_a_fault_has_a_message_of_one_sentence(schema: dict[str, Any], value: Any, sentence: str) -> None:
    assert [finding.message for finding in validator(schema).findings(value)] == [sentence]


def test_the_faults_in_each_shape_are_covered() -> None:
    schema = {"anyOf": [{"type": "string"}, {"required": ["a"]}]}
    (finding,) = validator(schema).findings({})
    assert found(list(finding.covers)) == {("request-type", ""), ("request-required", "/a")}


@pytest.mark.parametrize(
    "value",
    [
        "x" * 5_000_000,
        10**4000,
        -(10**4000),
        [0] * 100_000,
        {str(number): number for number in range(20_000)},
        {"x" * 1_000_000: 1},
        {f"key {number} {'y' * 40}": "z" * 60 for number in range(12)},
        ["\x00" * 60] * 24,
        "\U0001f600" * 100_000,
        float("inf"),
        float("nan"),
    ],
    ids=["text", "integer", "negative", "list", "object", "key", "entries", "control", "emoji", "infinity", "nan"],
)
def test_messages_stay_short_whatever_the_value(value: Any) -> None:
    schema: dict[str, Any] = {
        "enum": [["a"], *(f"option {number}" for number in range(100))],
        "anyOf": [{"type": "null", "const": 1}, {"minimum": 10**300}, {"maxLength": 1, "pattern": "^$"}],
        "items": {"minimum": 1},
        "additionalProperties": {"type": "null"},
    }
    findings = validator(schema).findings(value)
    assert findings
    assert [finding.message for finding in findings if len(finding.message) > 300 or "\n" in finding.message] == []
    assert all(len(str(finding.got)) < 10_000 for finding in findings)


def test_beyond_a_hundred_faults_the_rest_is_counted_or_said() -> None:
    findings = validator({"items": {"minimum": 1}}).findings([0] * 1500)
    assert len(findings) == 101
    assert (findings[-1].id, findings[-1].got) == ("request-more-faults", None)
    # Not so long that only its beginning is looked at.
    findings = validator({"items": {"minimum": 1}}).findings([0] * 150)
    assert (findings[-1].id, findings[-1].got) == ("request-more-faults", 50)


@settings(deadline=None, max_examples=150)
@given(ANY_JSON | st.dictionaries(FIELDS, ANY_JSON))
def test_a_request_conforms_exactly_when_it_has_no_finding(vendored: Contract, value: Any) -> None:
    request = vendored.operation().request
    assert request is not None
    findings = request.findings(value)
    assert request.is_valid(value) is (findings == [])
    assert all(len(finding.message) <= 300 and finding.message.encode() for finding in findings)


@pytest.mark.parametrize("value", ["\ud800", {"prompt": "a\udfff"}, {"\ud800": 1}, {1: 2}, b"bytes", object()])
def test_a_value_that_json_does_not_have_is_one_finding(vendored: Contract, value: Any) -> None:
    assert found(vendored.operation().validate_request(value)) == {("request-not-json", "")}


@pytest.mark.parametrize(
    ("status", "content_type", "body", "rule"),
    [
        (418, "application/json", b"{}", "response-status"),
        (200, "text/html; charset=utf-8", b"<html>", "response-content-type"),
        (200, "", b"{}", "response-content-type"),
        (200, "application/json", b"{", "response-not-json"),
        (200, "application/json", b"", "response-not-json"),
        (200, "application/json", b'{"a": NaN}', "response-not-json"),
        (200, "application/json", b'{"a": "\\ud800"}', "response-not-json"),
        (200, "application/json", b"[]", "response-type"),
    ],
)
def test_an_answer_that_cannot_be_read_is_one_finding(
    vendored: Contract, status: int, content_type: str, body: bytes, rule: str
) -> None:
    findings = vendored.operation().validate_response(status, content_type, body, strict=False)
    assert [finding.id for finding in findings] == [rule]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON;charset=UTF-8", " application/json ;q"])
def test_parameters_and_letter_case_of_a_content_type_do_not_matter(vendored: Contract, content_type: str) -> None:
    assert vendored.operation().validate_response(200, content_type, b"{}", strict=False) == []


def test_a_fault_of_an_error_body_has_the_evidence_of_its_status(vendored: Contract) -> None:
    findings = vendored.operation().validate_response(401, "application/problem+json", b"{}", strict=False)
    assert {finding.evidence for finding in findings} == {Evidence.INFERRED}


def test_a_branch_of_a_schema_that_cannot_be_compiled_allows_any_value_like_the_schema() -> None:
    branch = {"$ref": "#/$defs/broken"}
    broken = validator({"anyOf": [branch], "$defs": {"broken": {"type": {"of": "object"}}}})
    assert broken.is_valid(1)
    assert broken.branch_is_valid(branch, 1)
