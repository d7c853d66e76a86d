"""Security as declared, over a port: the places of keys, alternatives, refusals in words, and records without keys."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract

Serve = Callable[[MockServer], AbstractContextManager[str]]
SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Vendor-Id"},
    "query": {"type": "apiKey", "in": "query", "name": "subscription"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "raw": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x.test/t", "scopes": {}}}},
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://x.test/.well-known"},
    "digest": {"type": "http", "scheme": "Digest"},
}
# Each operation of one contract has its own security, so that all of them are tried on one port.
SECURITY: dict[str, Any] = {
    **{name: [{name: []}] for name in SCHEMES},
    "either": [{"header": []}, {"query": []}],
    "both": [{"header": [], "cookie": []}],
    "nested": [{"header": [], "cookie": []}, {"basic": []}],
    "optional": [{"header": []}, {}],
    "open": [],
}
KEY = "k3y-0f-the-canary"


def document(**more: Any) -> dict[str, Any]:
    """Return a contract with an operation for each entry of SECURITY, and one that has the security of the document."""
    answer = {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
    operations = {
        f"/{name}": {"get": {"security": security, "responses": {"200": answer}}} for name, security in SECURITY.items()
    }
    operations["/inherited"] = {"get": {"responses": {"200": answer}}}
    return {
        "openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "security": [{"header": []}],
        "components": {"securitySchemes": SCHEMES}, "paths": operations, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[tuple[MockServer, str]]:
    app = create_app(Contract.load(document(), overlay=None), Settings(log=True))
    with serve(app) as origin:
        yield app, origin


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def ask(origin: str, path: str, **sent: Any) -> httpx.Response:
    return httpx.get(f"{origin}{path}", **sent)


HEADER, COOKIE, QUERY = {"X-Vendor-Id": KEY}, {"Cookie": f"a=b; session={KEY}"}, {"subscription": KEY}
BEARER = {"Authorization": f"Bearer {KEY}"}
ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("/bearer", {"headers": BEARER}),
    ("/oauth", {"headers": BEARER}),
    ("/openid", {"headers": BEARER}),
    ("/basic", {"headers": basic(f"user:{KEY}")}),
    ("/basic", {"headers": basic(f"{KEY}:")}),
    ("/basic", {"auth": ("user", "pass:with:colons")}),
    ("/header", {"headers": HEADER}),
    ("/inherited", {"headers": {"x-vendor-id": KEY}}),
    ("/query", {"params": QUERY}),
    ("/cookie", {"headers": COOKIE}),
    ("/raw", {"headers": {"Authorization": KEY}}),
    ("/raw", {"headers": BEARER}),
    ("/digest", {"headers": {"Authorization": f"digest {KEY}"}}),
    ("/either", {"headers": HEADER}),
    ("/either", {"params": QUERY}),
    ("/both", {"headers": HEADER | COOKIE}),
    ("/nested", {"headers": HEADER | COOKIE}),
    ("/nested", {"headers": basic("a:b")}),
    ("/optional", {}),
    ("/optional", {"headers": HEADER}),
    ("/open", {}),
    ("/open", {"headers": {"Authorization": "Bearer invalid"}}),
]
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("/bearer", {}, "send the header Authorization: Bearer KEY"),
    ("/bearer", {"params": QUERY}, "send the header Authorization: Bearer KEY"),
    ("/basic", {"headers": BEARER}, "its API key in the header authorization; send the header Authorization: Basic Base64 of USER:PASSWORD instead"),
    ("/basic", {"headers": {"Authorization": "Basic ???"}}, "is not the Base64 of USER:PASSWORD"),
    ("/basic", {"headers": basic("no colon")}, "is not the Base64 of USER:PASSWORD"),
    ("/header", {"headers": BEARER}, "its API key in the header authorization; send the header X-Vendor-Id: KEY instead"),
    ("/inherited", {}, "send the header X-Vendor-Id: KEY"),
    ("/header", {"headers": {"X-Vendor-Id": ""}}, "send the header X-Vendor-Id: KEY"),
    ("/query", {"headers": BEARER}, "send the query parameter subscription=KEY"),
    ("/query", {"params": {"subscription": ""}}, "send the query parameter subscription=KEY"),
    ("/cookie", {"headers": {"Cookie": "sessions=x"}}, "send the cookie session=KEY"),
    ("/either", {}, "send the header X-Vendor-Id: KEY, or the query parameter subscription=KEY"),
    ("/both", {"headers": HEADER}, "only one part of its key; send the header X-Vendor-Id: KEY and the cookie session=KEY"),
    ("/nested", {"headers": COOKIE}, "only one part of its key"),
    ("/header", {"headers": {"X-Vendor-Id": "invalid-1"}}, "the header X-Vendor-Id begins with \"invalid\""),
    ("/query", {"params": {"subscription": "invalid"}}, "the query parameter subscription begins with \"invalid\""),
    ("/basic", {"headers": basic("me:invalid")}, "begins with \"invalid\""),
    ("/optional", {"headers": {"X-Vendor-Id": "invalid"}}, "begins with \"invalid\""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "sent"), ACCEPTED)
def test_a_key_where_the_contract_has_it_is_accepted(
    server: tuple[MockServer, str], path: str, sent: dict[str, Any]
) -> None:
    assert ask(server[1], path, **sent).status_code == 200


@pytest.mark.parametrize(("path", "sent", "words"), REFUSED)
def test_a_401_says_what_the_contract_asks(
    server: tuple[MockServer, str], path: str, sent: dict[str, Any], words: str
) -> None:
    answer = ask(server[1], path, **sent)
    assert (answer.status_code, words in answer.json()["detail"]) == (401, True), answer.text


ALLOWED: list[tuple[str, dict[str, Any], int]] = [
    ("/header", {"headers": HEADER}, 200),
    ("/header", {"headers": {"X-Vendor-Id": KEY + "x"}}, 401),
    ("/query", {"params": QUERY}, 200),
    ("/cookie", {"headers": {"Cookie": "session=other-key"}}, 401),
    ("/basic", {"headers": basic(f"user:{KEY}")}, 200),
    ("/basic", {"headers": basic(f"{KEY}:")}, 200),
    ("/basic", {"headers": basic(f"{KEY}:wrong")}, 401),
    ("/either", {"headers": {"X-Vendor-Id": "wrong"}, "params": QUERY}, 200),
    ("/both", {"headers": HEADER | {"Cookie": "session=wrong"}}, 401),
    ("/optional", {}, 200),
    ("/optional", {"headers": {"X-Vendor-Id": "wrong"}}, 401),
    ("/open", {}, 200),
    ("/bearer", {"headers": {"Authorization": "Bearer invalid"}}, 401),
]


def test_allowed_keys_are_looked_for_in_every_place(serve: Serve) -> None:
    settings = Settings(api_keys=(KEY, "invalid"))
    with serve(create_app(Contract.load(document(), overlay=None), settings)) as origin:
        got = [(path, sent, ask(origin, path, **sent).status_code) for path, sent, _ in ALLOWED]
    assert got == ALLOWED


CARRIERS: list[tuple[str, dict[str, Any]]] = [
    ("/header", {"headers": HEADER}),
    ("/query", {"params": QUERY}),
    ("/cookie", {"cookies": {"session": KEY}}),
    ("/basic", {"auth": ("me", KEY)}),
    ("/both", {"headers": HEADER | COOKIE | {"User-Agent": f"app {KEY}"}}),
    ("/raw", {"headers": {"Authorization": KEY}}),
    ("/bearer", {"params": QUERY}),
    ("/nowhere", {"params": QUERY}),
    ("/header", {"headers": HEADER | {"User-Agent": f"app {KEY}"}, "params": {KEY: "x", "x": KEY}}),
]  # fmt: skip


def test_no_key_stands_in_log_journal_file_or_answer(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "journal.jsonl"
    app = create_app(Contract.load(document(), overlay=None), Settings(log=True, journal_file=file))
    with serve(app) as origin, caplog.at_level(logging.DEBUG, "bodydouble"):
        answers = [requests.get(f"{origin}{path}", timeout=30, **sent) for path, sent in CARRIERS]
        journal = httpx.get(f"{origin}/_bodydouble/requests").text
    kept = "\n".join([journal, file.read_text(), caplog.text, *(f"{item.headers}{item.text}" for item in answers)])
    assert (KEY in kept, base64.b64encode(f"me:{KEY}".encode()).decode() in kept) == (False, False)
    assert len(file.read_text().splitlines()) == len(CARRIERS)


def test_a_short_key_in_the_query_is_redacted_by_its_name(server: tuple[MockServer, str]) -> None:
    app, origin = server
    assert ask(origin, "/query?subscription=abc&sub%73cription=d&x=1").status_code == 200
    assert app.journal.exchanges()[-1].path == "/query?subscription=***&sub%73cription=***&x=1"


def test_callers_are_told_apart_wherever_their_key_is(serve: Serve) -> None:
    app = create_app(Contract.load(document(), overlay=None))
    with serve(app) as origin:
        for number in (1, 2):
            for path, sent in [
                ("/header", {"headers": {"X-Vendor-Id": f"key-{number}"}}),
                ("/query", {"params": {"subscription": f"key-{number}"}}),
                ("/cookie", {"headers": {"Cookie": f"session=key-{number}"}}),
            ]:
                ask(origin, path, **sent)
        ask(origin, "/header")
    keys = [exchange.key for exchange in app.journal.exchanges()]
    assert (len({*keys[:3]}), len({*keys[3:6]}), keys[0] == keys[3], keys[6]) == (1, 1, False, None)


def test_each_key_has_its_own_credits(serve: Serve) -> None:
    priced = document(paths={
        "/image": {"post": {
            "x-price": {"credits": 10, "credits-per-usd": 100}, "security": [{"query": []}],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": ""}},
        }}
    })  # fmt: skip
    app = create_app(Contract.load(priced, overlay=None))
    app.play({"answers": [], "limits": {"credits": 10}})
    with serve(app) as origin:
        statuses = [
            httpx.post(f"{origin}/image", params={"subscription": key}, json={}).status_code
            for key in ("one", "one", "two")
        ]
    assert statuses == [200, 403, 200]


def test_a_key_is_not_echoed_into_an_answer(serve: Serve) -> None:
    echo = {"type": "object", "properties": {"key": {"type": "string"}, "size": {"type": "string"}}}
    answer = {"200": {"description": "", "content": {"application/json": {"schema": echo}}}}
    operation: dict[str, Any] = {
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("size", "key")],
        "security": [{"key": []}], "responses": answer,
    }  # fmt: skip
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}}}
    contract = Contract.load(document(paths={"/x": {"get": operation}}, components=schemes), overlay=None)
    with serve(create_app(contract)) as origin:
        body = httpx.get(f"{origin}/x", params={"key": KEY, "size": "large"}).json()
    assert (KEY in json.dumps(body), body.get("size")) == (False, "large")


def test_a_refused_key_is_a_finding_of_its_place(server: tuple[MockServer, str]) -> None:
    app, origin = server
    ask(origin, "/cookie", headers={"Cookie": "session=invalid"})
    ask(origin, "/cookie")
    found = [exchange.findings[0] for exchange in app.journal.exchanges()[-2:]]
    assert [(item["id"], item["pointer"]) for item in found] == [
        ("request-key-refused", "/cookie/session"),
        ("request-key-missing", "/cookie/session"),
    ]


def test_the_vendor_refuses_an_invalid_key_in_its_own_words(origin: str, edit: Callable[..., Any]) -> None:
    answer = httpx.post(f"{origin}/v1/images/generations", json=edit(), headers={"Authorization": "Bearer invalid-key"})
    assert (answer.status_code, answer.json()["message"][:39]) == (401, "This request requires a valid API key. ")


PLACEHOLDERS = {
    "unset variable": ["undefined", "null", "None", "[object Object]"],
    "repeats the name of the scheme": ["Bearer sk-1", "Bearer"],
    "quotation marks": ['"sk-1"', "'sk-1'"],
    "name of a variable": ["${AIMLAPI_KEY}", "$AIMLAPI_KEY", "{{ key }}", "%AIMLAPI_KEY%", "process.env.AIMLAPI_KEY"],
    "placeholder": ["<YOUR_API_KEY>", "YOUR_API_KEY", "<YOUR_AIMLAPI_KEY>", "xxxx", "..."],
}


@pytest.mark.parametrize(("key", "words"), [(key, words) for words, keys in PLACEHOLDERS.items() for key in keys])
def test_a_key_that_is_a_placeholder_is_answered_with_a_warning_that_does_not_show_it(
    edit: Callable[..., Any], call: Callable[..., httpx.Response], key: str, words: str
) -> None:
    app = create_app(Contract.load())
    assert call(app, json=edit(), key=key).status_code == 200
    (found,) = app.journal.exchanges()[-1].findings
    assert (found["id"], found["severity"], key in str(found)) == ("request-key-placeholder", "warning", False)
    assert words in found["message"]


@pytest.mark.parametrize(
    ("key", "rules"), [("dummy", []), ("another", ["request-key-unexpected"]), ("invalid-1", ["request-key-refused"])]
)
def test_another_key_than_the_expected_one_is_a_warning(
    edit: Callable[..., Any], call: Callable[..., httpx.Response], key: str, rules: list[str]
) -> None:
    app = create_app(Contract.load(), Settings(expected_key="dummy"))
    call(app, json=edit(), key=key)
    assert [found["id"] for found in app.journal.exchanges()[-1].findings] == rules


@pytest.mark.parametrize(
    "key", ["any-key-you-like", "sk-1", "f3a9", "keys-are-fun", "nullable", "a.b~c+d/e=", "monkey", "Bearers"]
)
def test_a_key_like_any_other_is_no_finding(
    edit: Callable[..., Any], call: Callable[..., httpx.Response], key: str
) -> None:
    app = create_app(Contract.load())
    call(app, json=edit(), key=key)
    assert app.journal.exchanges()[-1].findings == ()
