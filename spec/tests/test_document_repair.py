"""Repairs: each defect is reported at its place, and everything readable is kept."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract, Severity
from bodydouble_spec.document.repair import repair
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
SCHEMA_POINTER = "/paths/~1a/post/requestBody/content/application~1json/schema"


def document(operation: Any = None, *, version: str = "3.0.0", **parts: Any) -> dict[str, Any]:
    info = {"title": "t", "version": "1"}
    post = {"responses": {"200": {"description": "d"}}} if operation is None else operation
    return {"openapi": version, "info": info, "paths": {"/a": {"post": post}}, **parts}


def with_schema(schema: Any, version: str = "3.0.0") -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    return document({"requestBody": body, "responses": {}}, version=version)


def body_schema(repaired: dict[str, Any]) -> Any:
    return repaired["paths"]["/a"]["post"]["requestBody"]["content"]["application/json"]["schema"]


def cases(name: str) -> list[dict[str, Any]]:
    """Load the cases of a YAML file beside this module."""
    loaded: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text("utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("schema", "rule", "place", "repaired"),
    [
        *(
            pytest.param(case["schema"], case["rule"], case["place"], case["repaired"], id=json.dumps(case["schema"]))
            for case in cases("repair_schemas.yaml")
        ),
        pytest.param({"maxLength": 10**400}, None, "", {"maxLength": 10**400}, id="a limit beyond a float"),
        pytest.param({"maximum": 10**400}, "number-too-large", "/maximum", {}, id="a bound beyond a float"),
    ],
)
def test_a_defect_of_a_schema_is_found_where_it_stands(
    schema: Any, rule: str | None, place: str, repaired: Any
) -> None:
    result = repair(with_schema(schema))
    found = {(finding.id, finding.pointer) for finding in result.findings}
    assert body_schema(result.document) == repaired
    assert ((rule, SCHEMA_POINTER + place) in found) if rule else not found


NEWER: list[dict[str, Any]] = [
    {"type": ["string", "null"], "const": "a"},
    {"exclusiveMinimum": 3, "prefixItems": [{}], "if": {}, "then": {}, "else": True},
    {"$ref": "#/components/schemas/A", "description": "d"},
    {"type": "array"},
]


@pytest.mark.parametrize("schema", NEWER)
def test_what_openapi_3_1_allows_is_no_defect_there(schema: dict[str, Any]) -> None:
    newer = {**with_schema(schema, "3.1.0"), "components": {"schemas": {"A": True}}}
    assert repair(newer).findings == ()


def test_a_boolean_bound_in_openapi_3_1_becomes_a_number() -> None:
    result = repair(with_schema({"minimum": 3, "exclusiveMinimum": True}, "3.1.0"))
    assert body_schema(result.document) == {"exclusiveMinimum": 3}
    assert [finding.id for finding in result.findings] == ["keyword-older"]


def document_of(case: dict[str, Any]) -> Any:
    """Return the whole document of a case of ``repair_documents.yaml``."""
    if "published" in case:
        return case["published"]
    return document(case.get("operation"), **case.get("parts", {}))


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        pytest.param(
            document_of(case),
            {(rule, pointer) for pointer, rule in case["findings"].items()},
            id=json.dumps({key: part for key, part in case.items() if key != "findings"}),
        )
        for case in cases("repair_documents.yaml")
    ],
)
def test_a_defect_of_a_document_is_found_where_it_stands(published: Any, expected: set[tuple[str, str]]) -> None:
    assert {(finding.id, finding.pointer) for finding in repair(published).findings} == expected


def test_a_security_scheme_loses_only_the_keys_foreign_to_its_type() -> None:
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "key", "x-note": "n", "in": "header", "name": "a"}
    repaired = repair(document(components={"securitySchemes": {"a": scheme}})).document["components"]
    kept = {"type": "http", "scheme": "bearer", "bearerFormat": "key", "x-note": "n"}
    assert repaired["securitySchemes"] == {"a": kept}


def test_two_items_of_an_array_of_paths_keep_their_operations_under_one_path() -> None:
    get, post = ({"responses": {"200": {"description": name}}} for name in ("get", "post"))
    result = repair(document(paths=[{"/a": {"get": get}}, {"/a": {"post": post}}]))
    assert set(result.document["paths"]["/a"]) == {"get", "post"}


def test_a_duplicate_operation_is_a_finding_and_the_first_one_is_kept() -> None:
    paths: dict[str, Any] = {
        path: {"get": {"responses": {}, "operationId": name}} for path, name in (("/a", "first"), ("a", "second"))
    }
    result = repair(document(paths=paths))
    assert result.document["paths"]["/a"]["get"]["operationId"] == "first"
    assert ("operation-twice", "/paths/a/get") in {(finding.id, finding.pointer) for finding in result.findings}


def test_a_defect_behind_a_reference_is_found_once_at_its_own_place() -> None:
    reference = {"$ref": "#/components/responses/Done"}
    published = document({"responses": {"200": reference, "201": reference}}, components={"responses": {"Done": {}}})
    assert [(finding.id, finding.pointer) for finding in repair(published).findings] == [
        ("response-description-missing", "/components/responses/Done")
    ]


@pytest.mark.parametrize("pair", [("A", "A"), ("A", "B")])
def test_circular_references_are_one_finding_each(pair: tuple[str, str]) -> None:
    responses = {"A": {"$ref": f"#/components/responses/{pair[1]}"}, "B": {"$ref": "#/components/responses/A"}}
    published = document(
        {"responses": {"200": {"$ref": "#/components/responses/A"}}}, components={"responses": responses}
    )
    assert [finding.id for finding in repair(published).findings] == ["ref-circular"]


def test_a_finding_of_the_review_points_into_the_published_document_where_parts_were_moved() -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    reference = {"$ref": "#/components/responses/Done"}
    published = document(
        paths=[{"/a": {"post": {"responses": {"200": reference}}}}],
        components={"responses": {"Done": {"description": "d", "content": content}}},
    )
    found = {finding.id: finding.pointer for finding in Contract.load(published, overlay=None).findings}
    assert found["response-vacuous"] == "/components/responses/Done/content/application~1json/schema"
    assert found["errors-undocumented"] == "/paths/0/~1a/post/responses"


def test_a_second_repair_loses_nothing_more(own_path: Path, load_real: Callable[[Path], Contract]) -> None:
    once = repair(dict(load_real(own_path).published))
    again = repair(once.document)
    assert again.document == once.document
    assert [finding for finding in again.findings if finding.severity is Severity.ERROR] == []


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_repairing_never_changes_its_argument(small_documents: list[dict[str, Any]], data: st.DataObject) -> None:
    published = data.draw(st.sampled_from(small_documents))
    before = copy.deepcopy(published)
    repair(published)
    assert published == before


def test_the_vendored_overlay_leaves_nothing_to_repair(vendored: Contract) -> None:
    again = repair(dict(vendored.document))
    assert (again.document, again.findings) == (vendored.document, ())
