"""The table of rules, and each rule by an example: what is edited, and what that is called in a request and in an answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract
from bodydouble_spec._change import Change
from bodydouble_spec._diff import diff
from bodydouble_spec._diff_rules import RULES

PATH = "/pictures"
INFO = {"title": "t", "version": "1"}
CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "diff_cases.yaml").read_text(encoding="utf-8"))


def document(**operation: Any) -> dict[str, Any]:
    post = {"responses": {"200": {"description": "done"}}, **operation}
    return {"openapi": "3.1.0", "info": INFO, "paths": {PATH: {"post": post}}}


def asking(schema: Any) -> dict[str, Any]:
    return document(requestBody={"content": {"application/json": {"schema": schema}}})


def answering(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return document(responses={"200": {"description": "done", "content": content}})


# How a document is made of a part that a case is about.
PARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "request": asking,
    "answer": answering,
    "parameter": lambda part: document(parameters=[{"name": "limit", "in": "query", **part}]),
    "operation": lambda part: document(**part),
    "document": lambda part: {**document(), **part},
}


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return diff(Contract.load(old, overlay=None), Contract.load(new, overlay=None))


def found(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item.id, str(item.severity)[0]) for item in changes(old, new)}


def within(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}}


TEXT = {"type": "string"}
# A schema before and after; the end of the rule, its severity in a request and its severity in an answer.
EDITS: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    ({"type": "integer"}, {"type": "number"}, "type-generalized", "i", "e"),
    ({"type": "string"}, {"type": "object"}, "type-changed", "e", "e"),
    ({"type": "string"}, {}, "type-generalized", "i", "e"),
    ({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, "type-generalized", "i", "e"),
    ({**TEXT, "format": "uri"}, TEXT, "type-generalized", "i", "e"),
    ({**TEXT, "format": "uri"}, {**TEXT, "format": "uuid"}, "type-changed", "e", "e"),
    (TEXT, {"type": ["string", "null"]}, "became-nullable", "i", "e"),
    ({"type": ["string", "null"]}, TEXT, "became-not-nullable", "e", "i"),
    (TEXT, {"oneOf": [TEXT, {"type": "number"}]}, "list-of-types-widened", "i", "e"),
    ({"anyOf": [TEXT, {"type": "number"}]}, TEXT, "list-of-types-narrowed", "e", "i"),
    ({"enum": ["x"]}, {"enum": ["x", "y"]}, "enum-value-added", "i", "w"),
    ({"enum": ["x", "y"]}, {"enum": ["x"]}, "enum-value-removed", "e", "i"),
    (TEXT, {**TEXT, "default": "x"}, "default-value-added", "i", "i"),
    ({"default": 1}, {"default": 2}, "default-value-changed", "i", "i"),
    ({"default": None}, {}, "default-value-removed", "i", "i"),
    ({}, {"const": 1}, "const-added", "e", "i"),
    ({"const": 1}, {"const": 2}, "const-changed", "e", "e"),
    ({"maximum": 4}, {"maximum": 3}, "max-decreased", "e", "i"),
    ({"maximum": 4}, {"maximum": 5}, "max-increased", "i", "e"),
    ({}, {"maximum": 5}, "max-set", "w", "i"),
    ({"minimum": 1}, {"minimum": 2}, "min-increased", "e", "i"),
    ({"minimum": 1}, {}, "min-unset", "i", "e"),
    ({}, {"exclusiveMinimum": 0}, "exclusive-min-set", "w", "i"),
    ({}, {"minLength": 1}, "min-length-increased", "e", "i"),
    ({"minLength": 10}, {}, "min-length-decreased", "i", "e"),
    ({"maxLength": 10}, {"maxLength": 9}, "max-length-decreased", "e", "i"),
    ({}, {"maxLength": 9}, "max-length-set", "w", "i"),
    ({}, {"maxItems": 3}, "max-items-set", "w", "i"),
    ({"minItems": 1}, {"minItems": 2}, "min-items-increased", "e", "i"),
    ({"maxProperties": 1}, {"maxProperties": 2}, "max-properties-increased", "i", "e"),
    ({"minProperties": 1}, {"minProperties": 2}, "min-properties-increased", "e", "i"),
    ({}, {"pattern": "^a"}, "pattern-added", "e", "i"),
    ({"pattern": "^a"}, {"pattern": "^b"}, "pattern-changed", "w", "i"),
    ({"pattern": "^a"}, {}, "pattern-removed", "i", "i"),
    ({}, {"uniqueItems": True}, "unique-items-set", "e", "i"),
    ({}, {"multipleOf": 2}, "multiple-of-set", "w", "i"),
    ({"multipleOf": 2}, {"multipleOf": 3}, "multiple-of-changed", "e", "e"),
    ({}, {"additionalProperties": False}, "additional-properties-forbidden", "e", "i"),
    ({}, {"additionalProperties": TEXT}, "additional-properties-restricted", "e", "i"),
    ({"additionalProperties": False}, {}, "additional-properties-allowed", "i", "i"),
    ({"oneOf": [{"const": 1}]}, {"oneOf": [{"const": 1}, {"const": 2}]}, "one-of-added", "i", "e"),
    ({"oneOf": [{"const": 1}, {"const": 2}]}, {"oneOf": [{"const": 2}]}, "one-of-removed", "e", "i"),
    ({"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 2}]}, "any-of-removed", "e", "i"),
    ({}, {"allOf": [{"minimum": 1}]}, "all-of-added", "e", "i"),
    ({"allOf": [{"minimum": 1}]}, {}, "all-of-removed", "w", "e"),
    ({"not": {"const": 1}}, {"not": {"const": 2}}, "not-changed", "w", "w"),
    ({}, {"if": {"const": 1}}, "if-added", "e", "i"),
    ({}, {"propertyNames": {"maxLength": 1}}, "property-names-added", "e", "i"),
    ({}, {"patternProperties": {"^a": TEXT}}, "pattern-property-added", "e", "i"),
    ({}, {"dependentRequired": {"a": ["b"]}}, "dependent-required-added", "e", "i"),
    ({"contentEncoding": "base64"}, {"contentEncoding": "base32"}, "content-encoding-changed", "e", "e"),
    ({}, {"discriminator": {"propertyName": "kind"}}, "discriminator-added", "i", "i"),
    ({}, {"deprecated": True}, "deprecated", "i", "i"),
    ({}, {"$anchorless": 1}, "keyword-changed", "i", "i"),
]  # fmt: skip
NAMES = [f"{suffix}-{index}" for index, (*_, suffix, _request, _answer) in enumerate(EDITS)]


@pytest.mark.parametrize(("before", "after", "suffix", "request_level", "_"), EDITS, ids=NAMES)
def test_an_edit_of_a_request_property_breaks_the_rule(
    before: dict[str, Any], after: dict[str, Any], suffix: str, request_level: str, _: str
) -> None:
    assert found(asking(within(before)), asking(within(after))) == {(f"request-property-{suffix}", request_level)}


@pytest.mark.parametrize(("before", "after", "suffix", "_", "answer_level"), EDITS, ids=NAMES)
def test_an_edit_of_an_answer_property_breaks_the_rule(
    before: dict[str, Any], after: dict[str, Any], suffix: str, _: str, answer_level: str
) -> None:
    assert found(answering(within(before)), answering(within(after))) == {(f"response-property-{suffix}", answer_level)}


@pytest.mark.parametrize("case", CASES, ids=[" and ".join(case["rules"]) for case in CASES])
def test_an_edit_of_a_part_breaks_exactly_these_rules(case: dict[str, Any]) -> None:
    before, after = (PARTS[case["part"]](case[side]) for side in ("before", "after"))
    assert {item.id: str(item.severity) for item in changes(before, after)} == case["rules"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"minLength": 0}, {}),
        ({"additionalProperties": True}, {}),
        ({"required": []}, {}),
        ({"uniqueItems": False}, {}),
        ({"type": ["string"]}, {"type": "string"}),
        ({"maximum": 1.0}, {"maximum": 1}),
        ({"enum": [1, 2]}, {"enum": [2, 1]}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"oneOf": [{"const": 2}, {"const": 1}]}),
        ({"examples": [1]}, {"title": "another"}),
    ],
)
def test_what_promises_the_same_gives_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert changes(asking(within(before)), asking(within(after))) == []


def test_one_and_true_are_not_the_same_value() -> None:
    assert found(asking({"enum": [1]}), asking({"enum": [True]})) == {
        ("request-body-enum-value-added", "i"),
        ("request-body-enum-value-removed", "e"),
    }


def test_a_path_whose_parameter_has_another_name_is_the_same_path() -> None:
    def reading(name: str) -> dict[str, Any]:
        parameter = {"name": name, "in": "path", "required": True, "schema": TEXT}
        operation = {"parameters": [parameter], "responses": {"200": {"description": ""}}}
        return {**document(), "paths": {f"/batches/{{{name}}}": {"get": operation}}}

    assert changes(reading("id"), reading("batch_id")) == []


def test_a_value_is_at_its_own_place_so_that_two_removed_values_are_two_changes() -> None:
    removed = changes(asking(within({"enum": ["x", "y", "z"]})), asking(within({"enum": ["y"]})))
    assert [item.pointer.rsplit("/", 2)[-2:] for item in removed] == [["enum", "0"], ["enum", "2"]]


def test_every_sentence_can_be_said() -> None:
    for rule in RULES.values():
        assert rule.sentence.format(it="it", old="old", new="new").isprintable()


def test_every_rule_is_known_by_its_own_id() -> None:
    assert all(rule.id == key for key, rule in RULES.items())
