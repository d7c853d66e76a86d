"""Answers: allowed bodies, dialects and violations."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests import ResponseCase, UnsupportedSchema, responses
from bodydouble_mockserver.answer import violations
from bodydouble_spec import Contract, Severity
from bodydouble_spec.oracle import Oracle
from hypothesis import strategies as st

Collect = Callable[[st.SearchStrategy[Any], int], list[Any]]
ContractOf = Callable[..., Contract]
OUTSIDE_THE_BODY = {"fewer-images", "relative-url", "unreachable-url", "wrong-aspect-ratio"}


@pytest.fixture(scope="module")
def made(vendored: Contract, collect: Collect) -> list[ResponseCase]:
    return collect(responses(vendored, 200), 600)


@pytest.fixture(scope="module")
def allowed(made: list[ResponseCase]) -> list[Any]:
    return [case.body for case in made if case.kind == "allowed"]


@pytest.fixture(scope="module")
def items(allowed: list[Any]) -> list[dict[str, Any]]:
    return [item for body in allowed for item in body.get("data") or ()]


@pytest.mark.parametrize("status", [200, 400, 403, 429])
def test_an_allowed_body_conforms(vendored: Contract, collect: Collect, status: int) -> None:
    operation = vendored.operation()
    cases: list[ResponseCase] = collect(responses(vendored, status), 60)
    findings = [
        operation.validate_response(case.status, case.content_type, case.body, strict=False)
        for case in cases
        if case.kind == "allowed"
    ]
    assert findings == [[]] * len(findings)


@pytest.mark.parametrize("status", [200, 400, 403])
def test_openapi_core_allows_an_allowed_body_too(vendored: Contract, collect: Collect, status: int) -> None:
    operation, oracle = vendored.operation(), Oracle(vendored)
    cases: list[ResponseCase] = [case for case in collect(responses(vendored, status), 60) if case.kind == "allowed"]
    errors = [oracle.response_errors(operation, status, case.content_type, orjson.dumps(case.body)) for case in cases]
    assert errors == [[]] * len(errors)


def test_every_document_of_the_vendor_gives_answers(published: Contract, collect: Collect) -> None:
    for operation in published.operations:
        if operation.response_schema(operation.success_status) is not None:
            assert len(collect(responses(published, operation.success_status, operation), 5)) == 5


@pytest.mark.parametrize("name", ["data", "meta"])
@pytest.mark.parametrize("what", ["absent", "null", "there"])
def test_a_property_is_absent_null_and_there(allowed: list[Any], name: str, what: str) -> None:
    seen = {"absent" if name not in body else "null" if body[name] is None else "there" for body in allowed}
    assert what in seen


def test_a_list_can_be_empty(allowed: list[Any]) -> None:
    assert any(body.get("data") == [] for body in allowed)


@pytest.mark.parametrize("name", ["url", "b64_json"])
def test_an_item_has_and_lacks_each_of_its_properties(items: list[dict[str, Any]], name: str) -> None:
    assert {type(item.get(name, ...)) for item in items} == {str, type(None), type(...)}


def test_urls_are_among_the_texts(items: list[dict[str, Any]]) -> None:
    assert any(str(item.get("url")).startswith("https://") for item in items)


def test_there_are_undocumented_properties(allowed: list[Any]) -> None:
    assert any(body.keys() - {"data", "meta"} for body in allowed)


def test_every_dialect_of_the_contract_is_made(vendored: Contract, made: list[ResponseCase]) -> None:
    response = vendored.operation().response(200)
    assert response is not None
    assert {case.name: case.body for case in made if case.kind == "dialect"} == response.examples


def test_every_violation_is_made(vendored: Contract, made: list[ResponseCase]) -> None:
    named = {violation.id for violation in violations(vendored.operation())}
    assert {case.name for case in made if case.kind == "violation"} == named


def test_a_violation_in_the_body_is_noticed_by_the_strict_reading(vendored: Contract, made: list[ResponseCase]) -> None:
    broken = [case for case in made if case.kind == "violation" and case.name not in OUTSIDE_THE_BODY]
    unnoticed = {
        case.name
        for case in broken
        if all(
            finding.severity is Severity.INFO
            for finding in vendored.operation().validate_response(200, case.content_type, case.body)
        )
    }
    assert unnoticed == set()


def test_an_error_comes_in_both_envelopes(vendored: Contract, collect: Collect) -> None:
    kinds = {case.content_type for case in collect(responses(vendored, 400), 60)}
    assert kinds == {"application/problem+json", "application/json"}


def test_an_error_has_no_violations(vendored: Contract, collect: Collect) -> None:
    assert {case.kind for case in collect(responses(vendored, 429), 60)} == {"allowed"}


def test_an_undocumented_status_is_refused_with_the_documented_ones(vendored: Contract) -> None:
    with pytest.raises(UnsupportedSchema, match="no status 418; documented are: 200, 400"):
        responses(vendored, 418)


def test_a_list_at_the_top_is_an_answer_too(contract_of: ContractOf, collect: Collect) -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
    cases: list[ResponseCase] = collect(responses(contract_of(None, schema), 200), 40)
    assert all(isinstance(case.body, list) for case in cases if case.kind == "allowed")
