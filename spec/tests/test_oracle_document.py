"""Faults of documents by openapi-spec-validator, as findings."""

from typing import Any

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.oracle import document_errors
from hypothesis import given, settings
from hypothesis import strategies as st

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def a_document(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a document with one operation whose answer has the schema."""
    response = {"description": "Fine.", "content": {"application/json": {"schema": schema}}}
    operation = {"responses": {"200": response}}
    return {"openapi": "3.0.0", "info": {"title": "One", "version": "1"}, "paths": {"/one": {"post": operation}}}


def test_the_published_document_lacks_one_description_and_the_repaired_one_nothing() -> None:
    contract = Contract.load()
    missing = "/paths/~1v1~1images~1generations/post/responses/200/description"
    verdicts = [(finding.id, finding.pointer) for finding in document_errors(contract.published)]
    assert (verdicts, document_errors(contract.document)) == ([("openapi-required", missing)], [])


@pytest.mark.parametrize(
    ("schema", "rule", "place"),
    [
        ({"type": "nonsense"}, "openapi-enum", "/type"),
        ({"type": "string", "default": 5}, "openapi-type", "/default"),
        ({"properties": {"a": {"minLength": -1}}}, "openapi-minimum", "/properties/a/minLength"),
        ({"type": "object", "typo": 1}, "openapi-additional-properties", ""),
        ({"$ref": "#/components/schemas/Gone"}, "openapi-ref", "/$ref"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "openapi-ref", "/$ref"),
    ],
)
def test_a_fault_of_a_document_is_named_with_its_pointer(schema: dict[str, Any], rule: str, place: str) -> None:
    pointer = f"/paths/~1one/post/responses/200/content/application~1json/schema{place}"
    assert (rule, pointer) in [(finding.id, finding.pointer) for finding in document_errors(a_document(schema))]


def test_a_path_parameter_that_is_not_in_the_path_is_named_at_its_operation() -> None:
    document = a_document({})
    document["paths"]["/one"]["post"]["parameters"] = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    (finding,) = document_errors(document)
    assert (finding.id, finding.pointer) == ("openapi-unresolvable-parameter", "/paths/~1one/post")


def test_a_reference_to_another_document_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("requests.get", asked.append)
    monkeypatch.setattr("jsonschema_path.retrievers.urlopen", asked.append)
    for reference in ("http://127.0.0.1:9/a.json", "file:///etc/hostname", "other.json"):
        document_errors(a_document({"$ref": reference}))
    assert asked == []


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["openapi", "info", "paths", "components", "servers", "security"]), ANY_JSON))
def test_any_object_gets_a_verdict_as_a_document_whose_messages_are_short(document: dict[str, Any]) -> None:
    findings = document_errors(document)
    assert findings
    assert max(len(finding.message) for finding in findings) < 400
