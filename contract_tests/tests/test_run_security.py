"""Verification of a served contract whatever its security and its required parameters: calls carry what the contract asks."""

from typing import Any

import pytest
from bodydouble_contract_tests.model import Credential, OperationProfile
from bodydouble_contract_tests.target.http import Target
from bodydouble_contract_tests.verification import VerifyOptions, verify
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract

KEY = "the-right-key"
SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Id"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
}
SECURITIES: list[Any] = [
    *([{name: []}] for name in SCHEMES),
    [{"header": [], "cookie": []}],
    [{"query": []}, {"header": []}],
]


def contract_of(security: list[dict[str, Any]]) -> Contract:
    parameters = [
        {"name": "size", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 3}},
        {"name": "tags", "in": "query", "required": True, "explode": False, "schema": {"type": "array", "minItems": 2, "items": {"type": "string", "enum": ["a b", "c"]}}},
        {"name": "filter", "in": "query", "required": True, "style": "deepObject", "schema": {"type": "object", "required": ["on"], "properties": {"on": {"type": "boolean"}}}},
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "X-Region", "in": "header", "required": True, "schema": {"type": "string", "enum": ["eu"]}},
        {"name": "mode", "in": "cookie", "required": True, "schema": {"type": "string", "minLength": 1}},
        {"name": "other", "in": "query", "schema": {"type": "integer"}},
    ]  # fmt: skip
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {"parameters": parameters, "security": security, "requestBody": body,
                 "responses": {"200": {"description": ""}}}  # fmt: skip
    document = {
        "openapi": "3.0.0", "info": {"title": "x", "version": "1"},
        "components": {"securitySchemes": SCHEMES}, "paths": {"/jobs/{id}": {"post": operation}},
    }  # fmt: skip
    return Contract.load(document, overlay=None)


@pytest.mark.parametrize("api_keys", [(), (KEY,)], ids=["any key", "one key"])
@pytest.mark.parametrize(
    "security",
    SECURITIES,
    ids=lambda security: "-".join("+".join(item) for item in security),
)
def test_a_call_has_its_parameters_and_its_key_where_the_contract_asks(
    security: list[dict[str, Any]], api_keys: tuple[str, ...]
) -> None:
    contract = contract_of(security)
    app: MockServer = create_app(contract, Settings(api_keys=api_keys))
    profile = OperationProfile(contract)
    path, headers = profile.target
    with Target("http://mock.test", KEY, transport=MockTransport(app)) as target:
        statuses = [
            target.send("POST", path, b"{}", credential, profile.operation.security, headers).status
            for credential in (Credential.KEY, Credential.WRONG, Credential.NONE)
        ]
    assert statuses == [200, 401, 401]
    assert [len(exchange.findings) for exchange in app.journal.exchanges()] == [0, 1, 1]


def test_a_mock_with_default_settings_passes_a_default_verification() -> None:
    app = create_app(Contract.load())
    with Target("http://mock.test", KEY, transport=MockTransport(app)) as target:
        found = verify(
            OperationProfile(app.contract), target, VerifyOptions(only=("no-key-refused", "wrong-key-refused"))
        )
    assert (found.findings, found.outcomes) == ((), {"no-key-refused": "passed", "wrong-key-refused": "passed"})


def test_a_verification_asks_for_no_event_stream_and_no_callback() -> None:
    properties = {
        "text": {"type": "string"},
        "stream": {"type": "boolean"},
        "hook": {"type": "string", "format": "uri"},
    }
    answer = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {
            "type": "object", "required": ["text"], "properties": properties}}}},
        "callbacks": {"done": {"{$request.body#/hook}": {"post": {"responses": {"200": {"description": ""}}}}}},
        "responses": {"200": {"description": "", "content": {
            "application/json": {"schema": answer}, "text/event-stream": {"schema": {"type": "string"}}}}},
    }  # fmt: skip
    document = {"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"post": operation}}}
    app = create_app(Contract.load(document, overlay=None))
    with Target("http://mock.test", KEY, transport=MockTransport(app)) as target:
        found = verify(OperationProfile(app.contract), target, VerifyOptions(examples=10))
    asked = [item for exchange in app.journal.exchanges() for item in exchange.findings if item["id"] == "not-stood-in"]
    assert (asked, [finding for finding in found.findings if finding.id.startswith("valid-accepted")]) == ([], [])
    assert len(app.journal.exchanges()) > 10
