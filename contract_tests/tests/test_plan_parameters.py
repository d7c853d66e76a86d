"""The values of parameters are varied: a server that does not look at one is found, and the mock, which looks at all, passes."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.model import Case, ExpectedOutcome, OperationProfile
from bodydouble_contract_tests.plan import make_plan
from bodydouble_contract_tests.verification import Target, VerifyOptions, verify
from bodydouble_mockserver import MockServer, Settings
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Finding, Severity, flattened

KEY = "a-key-of-nobody"
ITEM = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
PARAMETERS: list[dict[str, Any]] = [
    {"name": "kind", "in": "path", "required": True, "schema": {"enum": ["book", "film"]}},
    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
    {"name": "size", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 50}},
    {"name": "order", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}},
    {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"enum": ["x", "y"]}, "maxItems": 3}},
    {"name": "after", "in": "query", "schema": {"type": "string"}},
    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "X-Mode", "in": "header", "required": True, "schema": {"type": "string", "pattern": "^[a-z]{2,4}$"}},
    {"name": "flag", "in": "cookie", "schema": {"type": "boolean"}},
]  # fmt: skip
RESPONSES = {"200": {"description": "", "content": {"application/json": {"schema": ITEM}}}, "400": {"description": ""}}
OPERATION = {"parameters": PARAMETERS, "responses": RESPONSES}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "items", "version": "1"},
    "paths": {"/v1/items/{kind}/{id}": {"get": OPERATION}},
}


@pytest.fixture(scope="module")
def items() -> OperationProfile:
    return OperationProfile(Contract.load(DOCUMENT))


def varied(profile: OperationProfile, outcome: ExpectedOutcome) -> list[Case]:
    calls = make_plan(profile, is_billed=False).calls
    return [case for case in calls if case.id.startswith("parameter/") and case.expectation is outcome]


def test_every_parameter_with_a_rule_is_broken_and_each_required_one_left_out(items: OperationProfile) -> None:
    broken = {case.pointer for case in varied(items, ExpectedOutcome.REFUSED)}
    assert broken == {"/path/kind", "/path/id", "/query/size", "/query/order", "/query/tags", "/header/X-Mode", "/cookie/flag"}  # fmt: skip
    missing = {case.pointer for case in varied(items, ExpectedOutcome.REFUSED) if case.id.endswith("/missing")}
    assert missing == {"/query/size", "/header/X-Mode"}


def test_allowed_values_are_sent_and_free_texts_are_named_instead(items: OperationProfile) -> None:
    sent = {case.id.removeprefix("parameter/") for case in varied(items, ExpectedOutcome.ACCEPTED)}
    assert sent >= {"path/kind/enum=film", "query/size/maximum", "query/order/enum=desc", "query/since/usual", "cookie/flag/false"}  # fmt: skip
    assert not any("after" in name for name in sent)
    assert "query parameter after" in make_plan(items, is_billed=False).unbought


def findings(profile: OperationProfile, transport: httpx.BaseTransport) -> list[Finding]:
    with Target("http://127.0.0.1", KEY, transport=transport) as target:
        return [*flattened(verify(profile, target, VerifyOptions(examples=0)).findings)]


def test_the_mock_looks_at_every_parameter(items: OperationProfile) -> None:
    server = MockServer(items.contract, Settings(api_keys=(KEY,)))
    assert [one for one in findings(items, MockTransport(server)) if one.severity is not Severity.INFO] == []
    server.close()


def told(text: str, place: Callable[[httpx.Request], str]) -> Callable[[httpx.Request], bool]:
    return lambda request: re.search(text, place(request)) is not None


@pytest.mark.parametrize(
    ("refuses", "expected"),
    [
        (told("never", lambda _: ""), "invalid-refused/parameter/query/size/missing"),
        (told("order=desc", lambda request: str(request.url)), "valid-accepted/parameter/query/order/enum=desc"),
        (told("/film/", lambda request: request.url.path), "valid-accepted/parameter/path/kind/enum=film"),
        (told("flag=false", lambda request: request.headers.get("cookie", "")), "valid-accepted/parameter/cookie/flag/false"),
    ],
)  # fmt: skip
def test_a_server_that_judges_a_parameter_wrongly_is_found(
    refuses: Callable[[httpx.Request], bool], expected: str, items: OperationProfile
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        status, headers = (400 if refuses(request) else 200), {"content-type": "application/json"}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b'{"name": "a"}'))

    assert expected in {one.id for one in findings(items, httpx.MockTransport(answer))}
