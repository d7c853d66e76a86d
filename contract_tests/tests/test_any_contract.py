"""Whatever contract the mock serves, it passes the verification by that contract without a finding above info."""

from pathlib import Path
from typing import Any

import pytest
from bodydouble_contract_tests.verification import (
    CannotVerify,
    OperationProfile,
    Target,
    Verification,
    VerifyOptions,
    verify,
)
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import DUMMY_KEY, Contract, Operation, Severity
from hypothesis import settings

_STRUCTURES = sorted((Path(__file__).parents[2] / "mockserver" / "tests" / "data" / "catalogue").glob("*.json"))
_SHARED = Path(__file__).parents[3] / "shared" / "data"
_BREADTH = [*sorted((_SHARED / "catalogue").glob("*.json")), *sorted((_SHARED / "drift" / "docs").glob("*.json"))]
_IS_LONG = settings.get_current_profile_name() == "long"
# File names are hashes, so every twelfth is chosen by its hash. With --hypothesis-profile=long it is all of them, which takes an hour.
_FIRST, _SHARE = 9, 12
_CHOSEN = [*_STRUCTURES, *_BREADTH] if _IS_LONG else _STRUCTURES[_FIRST::_SHARE]


def verified(contract: Contract, operation: Operation, **options: Any) -> Verification:
    """Verify the mock of a contract in this process."""
    mock = create_app(contract, Settings(seed=1))
    try:
        with Target("http://mock.test", DUMMY_KEY, timeout_s=60, transport=MockTransport(mock)) as target:
            return verify(OperationProfile.select(contract, operation.key), target, VerifyOptions(**options))
    finally:
        mock.close()


def complaints(verification: Verification) -> list[dict[str, Any]]:
    return [finding.to_dict() for finding in verification.findings if finding.severity is not Severity.INFO]


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in _CHOSEN])
def test_the_mock_of_a_document_of_the_catalogue_passes_its_verification(file: Path) -> None:
    contract = Contract.load(file)
    if not contract.operations:
        pytest.skip("the document has no operation")
    for operation in contract.operations:
        result = verified(contract, operation, examples=25 if _IS_LONG else 5)
        assert (complaints(result), result.incomplete) == ([], None), operation.key


_NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
_PROBLEM = {
    "type": "object",
    "required": ["instance", "error"],
    "properties": {"instance": {"type": "string"}, "error": {"type": "object"}},
}
_KEY = {
    "type": "object",
    "required": ["name", "scopes"],
    "properties": {
        "name": {"type": "string", "nullable": True},
        "scopes": {"type": "array", "nullable": True, "items": {"type": "string"}},
        "limit": {"type": "object", "nullable": True, "properties": {"most": {"type": "number"}}},
    },
}


def _operation(**more: Any) -> dict[str, Any]:
    answer = {"description": "Fine.", "content": {"application/json": {"schema": _KEY}}}
    refusal = {"description": "Wrong.", "content": {"application/json": {"schema": _PROBLEM}}}
    return {"responses": {"200": answer, "400": refusal}, **more}


_BODY = {"content": {"application/json": {"schema": _NAMED}}}
_WITH_METHODS = {
    "openapi": "3.0.3",
    "info": {"title": "Keys", "version": "1"},
    "paths": {
        "/v1/keys/{prefix}": {
            "parameters": [{"name": "prefix", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": _operation(),
            "put": _operation(requestBody={**_BODY, "required": True}),
            "patch": _operation(requestBody=_BODY),
        },
        "/v1/keys/{name}": {
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            "delete": _operation(),
        },
    },
}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_path_with_parameters_several_methods_and_optional_bodies_is_no_fault(method: str) -> None:
    contract = Contract.load(_WITH_METHODS, overlay=None)
    operation = next(one for one in contract.operations if one.method == method)
    result = verified(contract, operation, examples=5)
    assert complaints(result) == []
    called = {item.case.form.method for item in result.observations if item.case.form and item.case.form.method}
    assert called.isdisjoint({"GET", "PUT", "PATCH", "DELETE"})
    assert any(name.startswith("path parameter ") for name in result.unbought)
    is_missing = "malformed/empty" in {item.case.id for item in result.observations}
    assert is_missing is (method == "PUT")


def test_an_operation_without_a_body_is_called_and_its_answer_examined() -> None:
    contract = Contract.load(_WITH_METHODS, overlay=None)
    operation = next(one for one in contract.operations if one.method == "GET")
    mock = create_app(contract)
    target_of_mock = MockTransport(mock)
    other = Contract.load({**_WITH_METHODS, "paths": {"/v1/keys/{prefix}": {"get": _other_answer()}}}, overlay=None)
    with Target("http://mock.test", DUMMY_KEY, transport=target_of_mock) as target:
        result = verify(OperationProfile(other, other.operation(operation.key)), target, VerifyOptions())
    mock.close()
    assert "answer-conforms/required" in {finding.id for finding in result.findings}


def test_an_operation_that_documents_refusals_only_is_not_verified() -> None:
    refusals = {"400": {"description": "Wrong."}}
    contract = Contract.load({**_WITH_METHODS, "paths": {"/v1/keys": {"get": {"responses": refusals}}}}, overlay=None)
    with pytest.raises(CannotVerify, match="GET /v1/keys documents only error responses"):
        verified(contract, contract.operation())


def _other_answer() -> dict[str, Any]:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    return {"responses": {"200": {"description": "Fine.", "content": {"application/json": {"schema": schema}}}}}
