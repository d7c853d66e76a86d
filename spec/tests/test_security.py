"""Security of an operation as data, and the key of a request in the places that it names."""

from typing import Any

import pytest
from bodydouble_spec import BEARER, Contract, KeyPlace, Security
from bodydouble_spec.snippets import curl_command

from spec.tests.test_snippets_curl import handed_over

SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Id"},
    "query": {"type": "apiKey", "in": "query", "name": "the key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "oauth": {"type": "oauth2", "flows": {}},
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://x.test"},
}
HEADER, QUERY, COOKIE = KeyPlace("header", "X-Id"), KeyPlace("query", "the key"), KeyPlace("cookie", "session")
BEARER_PLACE, BASIC = BEARER.alternatives[0][0], KeyPlace("header", "Authorization", "Basic")


def security_of(own: Any, shared: Any = None) -> Security:
    operation: dict[str, Any] = {"responses": {"200": {"description": ""}}} | ({} if own is None else {"security": own})
    document: dict[str, Any] = {
        "openapi": "3.0.0", "info": {"title": "x", "version": "1"},
        "components": {"securitySchemes": SCHEMES}, "paths": {"/x": {"get": operation}},
    } | ({} if shared is None else {"security": shared})  # fmt: skip
    return Contract.load(document, overlay=None).operation().security


EFFECTIVE: list[tuple[Any, Any, Any]] = [
    (None, None, ()),
    (None, [{"header": []}], ((HEADER,),)),
    ([], [{"header": []}], ()),
    ([{"query": []}], [{"header": []}], ((QUERY,),)),
    ([{"header": [], "cookie": []}, {"basic": []}], None, ((HEADER, COOKIE), (BASIC,))),
    ([{"oauth": ["read"]}, {"openid": []}, {"bearer": []}], None, ((BEARER_PLACE,),)),
    ([{"header": []}, {}], None, ((HEADER,), ())),
    ([{"unknown": []}, {"header": []}], None, ((HEADER,),)),
]
SENT: list[tuple[Any, str, dict[str, str]]] = [
    ([{"bearer": []}], "/x?a=b", {"Authorization": "Bearer k&y"}),
    ([{"basic": []}], "/x?a=b", {"Authorization": "Basic ayZ5Og=="}),
    ([{"header": []}, {"query": []}], "/x?a=b", {"X-Id": "k&y"}),
    ([{"query": []}], "/x?a=b&the%20key=k%26y", {}),
    ([{"header": [], "cookie": []}], "/x?a=b", {"X-Id": "k&y", "Cookie": "session=k&y"}),
    ([{}, {"header": []}], "/x?a=b", {"X-Id": "k&y"}),
    ([], "/x?a=b", {"Authorization": "Bearer k&y"}),
]
INSERTED: list[tuple[Any, list[str]]] = [
    ([{"query": []}], ["https://x.test/x?the%20key=k$y"]),
    ([{"cookie": []}], ["--cookie", "session=k$y"]),
    ([{"basic": []}], ["--user", "k$y"]),
    ([{"header": []}], ["--header", "X-Id: k$y"]),
    ([{"bearer": []}], ["--header", "Authorization: Bearer k$y"]),
]


@pytest.mark.parametrize(("own", "shared", "alternatives"), EFFECTIVE)
def test_the_effective_security_is_that_of_the_operation_else_of_the_document(
    own: Any, shared: Any, alternatives: Any
) -> None:
    security = security_of(own, shared)
    assert (security.alternatives, security.is_required) == (
        alternatives,
        bool(alternatives) and () not in alternatives,
    )


@pytest.mark.parametrize(("own", "target", "headers"), SENT)
def test_a_key_is_put_in_every_place_of_the_first_alternative(own: Any, target: str, headers: dict[str, str]) -> None:
    assert security_of(own).authorize("k&y", "/x?a=b", {}) == (target, headers)


def test_a_user_with_a_password_is_sent_as_it_is() -> None:
    _, headers = Security(((BASIC,),)).authorize("user:password", "/", {})
    assert headers == {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}


@pytest.mark.parametrize(("own", "words"), INSERTED)
def test_curl_is_handed_the_key_in_its_place(own: Any, words: list[str]) -> None:
    command = curl_command("GET", "/x", origin="https://x.test", security=security_of(own))
    handed = handed_over(command, AIMLAPI_KEY="k$y")
    assert [word for word in handed if word in words] == words
