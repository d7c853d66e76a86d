"""Structure without the publisher's prose, and our own prose restored to it."""

import copy
import json
from typing import Any

import pytest
from bodydouble_spec import fingerprint
from bodydouble_spec import vendored as _vendored
from bodydouble_spec.document.prose import NEUTRAL_DESCRIPTION, restore_prose, strip_prose
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_document_restores_its_own_prose_to_its_structure(
    small_documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    document = data.draw(st.sampled_from(small_documents))
    stripped = strip_prose(document)
    assert strip_prose(restore_prose(document, stripped)) == stripped


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_prose_of_any_document_leaves_the_structure_of_another_alone(
    small_documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    ours, theirs = (data.draw(st.sampled_from(small_documents)) for _ in range(2))
    assert fingerprint(restore_prose(ours, strip_prose(theirs))) == fingerprint(theirs)


def test_the_vendored_document_is_its_structure_with_its_prose() -> None:
    document = _vendored.published()
    version = document["info"]["version"]
    again = restore_prose(document, strip_prose(document))
    again["info"]["version"] = version
    assert json.dumps(again) == json.dumps(document)


def response(**description: str) -> dict[str, Any]:
    return {"paths": {"/a": {"get": {"responses": {"200": {**description, "content": {}}}}}}}


def test_a_response_without_a_description_of_ours_gets_a_neutral_one() -> None:
    result = restore_prose(response(), strip_prose(response(description="THEIRS")))
    assert result == response(description=NEUTRAL_DESCRIPTION)


def test_a_response_with_a_description_of_ours_keeps_it() -> None:
    result = restore_prose(response(description="Ours."), strip_prose(response(description="THEIRS")))
    assert result == response(description="Ours.")


def schema(**content: Any) -> dict[str, Any]:
    return {"components": {"schemas": {"Size": content}}}


@pytest.mark.parametrize("key", ["example", "title"])
def test_an_example_or_a_title_is_kept_only_where_nothing_has_changed(key: str) -> None:
    ours = schema(type="string", description="Ours.", **{key: "1:1"})
    same, other = strip_prose(schema(type="string")), strip_prose(schema(type="integer"))
    assert restore_prose(ours, same) == ours
    assert restore_prose(ours, other) == schema(type="integer", description="Ours.")


def test_a_property_that_is_called_description_is_structure() -> None:
    document = schema(properties={"description": {"type": "string"}, "example": {"type": "string"}})
    assert strip_prose(document) == document


def test_items_of_a_list_are_recognized_at_any_position() -> None:
    first = {"name": "a", "in": "query", "description": "Ours."}
    second = {"name": "b", "in": "query"}
    ours = {"paths": {"/a": {"get": {"parameters": [first, second]}}}}
    theirs = {"paths": {"/a": {"get": {"parameters": [second, {**first, "description": "THEIRS"}]}}}}
    result = restore_prose(ours, strip_prose(theirs))
    assert result == {"paths": {"/a": {"get": {"parameters": [second, first]}}}}


def test_defaults_and_enumerations_are_data_whatever_their_keys_are_called() -> None:
    document = schema(default={"description": "a", "x-b": 1}, enum=[{"title": "c"}])
    assert strip_prose(copy.deepcopy(document)) == document
    assert restore_prose(schema(default={"summary": "ours"}), strip_prose(document)) == document
