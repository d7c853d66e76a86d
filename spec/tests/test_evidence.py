"""Evidence per keyword: a fault has the evidence for the very keyword that it breaks."""

from typing import Any

import pytest
from bodydouble_spec import Contract, Overlay, Severity

VALID = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "p", "image_urls": ["https://a.example/b.png"]}


def contract_of(schema: Any, *facts: dict[str, Any], **components: Any) -> Contract:
    """Return a contract whose request and answer have a schema, with an overlay of facts."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content, "responses": {"200": {"description": "d", **content}}}
    document = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}}
    overlay = {"overlay": "1.0.0", "info": {"title": "t"}, "actions": list(facts)}
    return Contract.load({**document, "components": {"schemas": components}}, overlay=Overlay.parse(overlay, "t"))


def fact(target: str, evidence: str, **update: Any) -> dict[str, Any]:
    return {"target": target, "update": update, "x-evidence": evidence}


def found(contract: Contract, body: Any) -> dict[tuple[str, str], tuple[str, str]]:
    findings = contract.operation().validate_request(body)
    return {(item.id, item.pointer): (str(item.severity), str(item.evidence)) for item in findings}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (["ftp://a.example/b"], {("request-pattern", "/image_urls/0"): ("info", "assumed")}),
        (["aGVsbG8gd29ybGQ="], {("request-pattern", "/image_urls/0"): ("info", "assumed")}),
        (["not a picture"], {("request-pattern", "/image_urls/0"): ("error", "documented")}),
        ([""], {("request-pattern", "/image_urls/0"): ("error", "documented")}),
        (["hello"], {("request-pattern", "/image_urls/0"): ("error", "documented")}),
        ([5], {("request-type", "/image_urls/0"): ("error", "documented")}),
        ("text", {("request-type", "/image_urls"): ("error", "documented")}),
    ],
)
def test_an_input_picture_is_an_error_below_the_documented_floor_and_information_above_it(
    vendored: Contract, inputs: Any, expected: Any
) -> None:
    assert found(vendored, {**VALID, "image_urls": inputs}) == expected


def test_a_rule_that_is_broken_twice_at_a_place_is_listed_once(vendored: Contract) -> None:
    assert len(vendored.operation().validate_request({**VALID, "image_urls": ["not a picture"]})) == 1


@pytest.mark.parametrize(
    ("evidence", "severity"),
    [("documented", "error"), ("observed", "error"), ("inferred", "warning"), ("assumed", "info")],
)
def test_one_keyword_has_its_own_evidence_beside_documented_ones(evidence: str, severity: str) -> None:
    contract = contract_of({"type": "object"}, fact("$..schema", evidence, minProperties=2))
    assert found(contract, {}) == {("request-min-properties", ""): (severity, evidence)}
    assert found(contract, 5) == {("request-type", ""): ("error", "documented")}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_the_faults_that_a_fault_covers_have_their_own_evidence(keyword: str) -> None:
    branches = {keyword: [{"type": "integer"}, {"type": "string"}]}
    contract = contract_of(branches, fact(f"$..schema.{keyword}[1]", "inferred", maxLength=1))
    (finding,) = contract.operation().validate_request("abc")
    assert (finding.severity, [str(item.evidence) for item in finding.covers]) == (
        Severity.ERROR,
        ["documented", "inferred"],
    )


def test_a_referenced_schema_has_the_evidence_of_its_own_place() -> None:
    contract = contract_of(
        {"$ref": "#/components/schemas/A"},
        fact("$.components.schemas.A", "inferred", maxLength=1),
        A={"type": "string"},
    )
    assert found(contract, "abc") == {("request-max-length", ""): ("warning", "inferred")}
    assert found(contract, 5) == {("request-type", ""): ("error", "documented")}


def test_a_documented_schema_that_is_referred_to_on_an_assumption_is_assumed() -> None:
    reference = {"b": {"$ref": "#/components/schemas/A"}}
    contract = contract_of({"type": "object"}, fact("$..schema", "assumed", properties=reference), A={"type": "string"})
    assert found(contract, {"b": 5}) == {("request-type", "/b"): ("info", "assumed")}


def test_a_property_that_is_called_like_a_reference_is_not_one() -> None:
    contract = contract_of({"properties": {"$ref": {"type": "string"}}}, fact("$.info", "assumed", version="2"))
    assert found(contract, {"$ref": 5}) == {("request-type", "/$ref"): ("error", "documented")}


def test_an_absent_property_has_the_evidence_for_that_property() -> None:
    documented = {"type": "object", "properties": {"a": {"type": "string"}}}
    contract = contract_of(documented, fact("$..schema.properties", "assumed", b={"type": "string"}))
    findings = contract.operation().validate_response(200, "application/json", {})
    assert {(item.pointer, str(item.severity)) for item in findings} == {("/a", "error"), ("/b", "info")}


def test_findings_and_contract_say_the_same_of_every_rule_of_a_request(vendored: Contract) -> None:
    schema = f"{vendored.operation().pointer}/requestBody/content/application~1json/schema"
    places = {"/model": "model/type", "/num_images": "num_images/type", "/image_urls/0": "image_urls/items/type"}
    body = {"model": 5, "prompt": "p", "image_urls": [5], "num_images": "x"}
    findings = {item.pointer: item.evidence for item in vendored.operation().validate_request(body)}
    assert {pointer: findings[pointer] for pointer in places} == {
        pointer: vendored.evidence(f"{schema}/properties/{place}") for pointer, place in places.items()
    }


def test_the_evidence_of_every_place_is_that_of_the_innermost_and_latest_fact(vendored: Contract) -> None:
    facts = vendored.facts
    for pointer in {fact.pointer for fact in facts} | {f"{fact.pointer}/a/b" for fact in facts} | {"", "/info"}:
        above = [fact for fact in facts if f"{pointer}/".startswith(f"{fact.pointer}/")]
        innermost = max(reversed(above), key=lambda item: len(item.pointer)) if above else None
        assert vendored.fact(pointer) == innermost
