"""The rule table, and an example of each rule: an edit, and its rule in a request and in an answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.diff.rules import RULES

PATH = "/pictures"
INFO = {"title": "t", "version": "1"}
HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "diff_cases.yaml").read_text(encoding="utf-8"))
EDITS: list[dict[str, Any]] = yaml.safe_load((HERE / "diff_edits.yaml").read_text(encoding="utf-8"))


def document(**operation: Any) -> dict[str, Any]:
    post = {"responses": {"200": {"description": "done"}}, **operation}
    return {"openapi": "3.1.0", "info": INFO, "paths": {PATH: {"post": post}}}


def asking(schema: Any) -> dict[str, Any]:
    return document(requestBody={"content": {"application/json": {"schema": schema}}})


def answering(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return document(responses={"200": {"description": "done", "content": content}})


# Builders of a document around the part of a case.
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
    return {(item.id, str(item.severity)) for item in changes(old, new)}


def within(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}}


TEXT = {"type": "string"}
NAMES = [f"{case['rule']}-{index}" for index, case in enumerate(EDITS)]


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_an_edit_of_a_request_property_breaks_the_rule(edit: dict[str, Any]) -> None:
    before, after = (asking(within(edit[version])) for version in ("before", "after"))
    assert found(before, after) == {(f"request-property-{edit['rule']}", edit["request"])}


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_an_edit_of_an_answer_property_breaks_the_rule(edit: dict[str, Any]) -> None:
    before, after = (answering(within(edit[version])) for version in ("before", "after"))
    assert found(before, after) == {(f"response-property-{edit['rule']}", edit["answer"])}


@pytest.mark.parametrize("case", CASES, ids=[" and ".join(case["rules"]) for case in CASES])
def test_an_edit_of_a_part_breaks_exactly_these_rules(case: dict[str, Any]) -> None:
    before, after = (PARTS[case["part"]](case[version]) for version in ("before", "after"))
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
def test_schemas_that_promise_the_same_have_no_changes(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert changes(asking(within(before)), asking(within(after))) == []


def test_one_and_true_are_not_the_same_value() -> None:
    assert found(asking({"enum": [1]}), asking({"enum": [True]})) == {
        ("request-body-enum-value-added", "info"),
        ("request-body-enum-value-removed", "error"),
    }


def test_a_path_whose_parameter_has_another_name_is_the_same_path() -> None:
    def reading(name: str) -> dict[str, Any]:
        parameter = {"name": name, "in": "path", "required": True, "schema": TEXT}
        operation = {"parameters": [parameter], "responses": {"200": {"description": ""}}}
        return {**document(), "paths": {f"/batches/{{{name}}}": {"get": operation}}}

    assert changes(reading("id"), reading("batch_id")) == []


def test_two_removed_enum_values_are_two_changes() -> None:
    removed = changes(asking(within({"enum": ["x", "y", "z"]})), asking(within({"enum": ["y"]})))
    assert [item.pointer.rsplit("/", 2)[-2:] for item in removed] == [["enum", "0"], ["enum", "2"]]


def test_every_sentence_can_be_formatted() -> None:
    for rule in RULES.values():
        assert rule.sentence.format(it="it", old="old", new="new").isprintable()


def test_every_rule_has_its_id_as_key() -> None:
    assert all(rule.id == key for key, rule in RULES.items())
