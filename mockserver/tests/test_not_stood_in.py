"""Declared parts that the mock does not stand in for: named at start-up, and refused when a request asks for one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, create_app
from bodydouble_spec import Contract

Serve = Callable[[MockServer], AbstractContextManager[str]]


def document() -> dict[str, Any]:
    answer = {"type": "object", "properties": {"text": {"type": "string"}}}
    both = {"application/json": {"schema": answer}, "text/event-stream": {"schema": {"type": "string"}}}
    error = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
    body = {
        "content": {"application/json": {"schema": {"type": "object", "properties": {"stream": {"type": "boolean"}}}}}
    }
    success = {"200": {"description": "", "content": both}}
    callback = {"post": {"responses": {"200": {"description": ""}}}}
    query = [{"name": "callbackUrl", "in": "query", "schema": {"type": "string"}}]
    plain = {"200": {"description": "", "content": {"application/json": {"schema": answer}}}}
    return {
        "openapi": "3.1.0", "info": {"title": "x", "version": "1"},
        "webhooks": {"imageDone": {"post": {"responses": {}}}},
        "servers": [{"url": "https://x.test"}, {"url": "wss://x.test/live"}],
        "paths": {
            "/chat": {"post": {"requestBody": body, "responses": success}},
            "/chat422": {"post": {"requestBody": body, "responses": success | {
                "422": {"description": "", "content": {"application/json": {"schema": error}}}}}},
            "/events": {"get": {"responses": {"200": {"description": "", "content": {"text/event-stream": {}}}}}},
            "/plain": {"post": {"requestBody": body, "responses": plain}},
            "/jobs": {"post": {
                "parameters": query, "requestBody": body, "responses": plain,
                "callbacks": {
                    "onQuery": {"{$request.query.callbackUrl}/done": callback},
                    "onBody": {"{$request.body#/hooks/done}": callback},
                    "onHeader": {"$request.header.X-Callback": callback},
                },
            }},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[tuple[MockServer, str]]:
    app = create_app(Contract.load(document(), overlay=None))
    with serve(app) as origin:
        yield app, origin


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/chat", {"json": {"stream": True}}, 400, "/stream"),
    ("/chat422", {"json": {"stream": True}}, 422, "/stream"),
    ("/chat", {"json": {}, "headers": {"Accept": "text/event-stream"}}, 400, "/header/Accept"),
    ("/chat", {"json": {}, "headers": {"Accept": "Text/Event-Stream, */*;q=0.1"}}, 400, "/header/Accept"),
    ("/chat", {"json": {}, "headers": {"Accept": "text/event-stream, application/json;q=0.5"}}, 400, "/header/Accept"),
    ("/jobs?callbackUrl=http://me.test", {"json": {}}, 400, "/query/callbackUrl"),
    ("/jobs", {"json": {"hooks": {"done": "http://me.test"}}}, 400, "/hooks/done"),
    ("/jobs", {"json": {}, "headers": {"X-Callback": "http://me.test"}}, 400, "/header/X-Callback"),
    ("/plain", {"json": {}, "headers": {"Connection": "Upgrade", "Upgrade": "websocket"}}, 400, "/header/Upgrade"),
]
SERVED: list[tuple[str, dict[str, Any]]] = [
    ("/chat", {"json": {}}),
    ("/chat", {"json": {"stream": False}}),
    ("/chat", {"json": {}, "headers": {"Accept": "text/event-stream, application/json"}}),
    ("/chat", {"json": {}, "headers": {"Accept": "application/json, text/event-stream;q=0.9"}}),
    ("/chat", {"json": {}, "headers": {"Accept": "text/event-stream;q=0"}}),
    ("/plain", {"json": {"stream": True}, "headers": {"Accept": "text/event-stream"}}),
    ("/jobs", {"json": {"hooks": {}}}),
]


@pytest.mark.parametrize(("path", "sent", "status", "pointer"), REFUSED)
def test_a_request_for_what_is_not_stood_in_for_is_refused_by_the_contract(
    server: tuple[MockServer, str], path: str, sent: dict[str, Any], status: int, pointer: str
) -> None:
    app, origin = server
    answer = httpx.post(origin + path, **sent)
    found = app.journal.exchanges()[-1].findings
    assert (answer.status_code, [(item["id"], item["pointer"]) for item in found]) == (
        status,
        [("not-stood-in", pointer)],
    )
    operation = next(item for item in app.contract.operations if item.path == httpx.URL(path).path)
    documented = operation.response(status)
    assert documented is None or not operation.validate_response(status, answer.headers["content-type"], answer.content)


@pytest.mark.parametrize(("path", "sent"), SERVED)
def test_any_other_request_of_such_an_operation_is_served(
    server: tuple[MockServer, str], path: str, sent: dict[str, Any]
) -> None:
    answer = httpx.post(server[1] + path, **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=utf-8")


def test_an_operation_that_only_has_an_event_stream_is_always_refused(server: tuple[MockServer, str]) -> None:
    app, origin = server
    assert httpx.get(f"{origin}/events").status_code == 400
    assert app.journal.exchanges()[-1].findings[0]["id"] == "not-stood-in"


def test_a_success_can_be_asked_for_nevertheless(server: tuple[MockServer, str]) -> None:
    answer = httpx.post(f"{server[1]}/chat", json={"stream": True}, headers={"Prefer": "code=200"})
    assert answer.status_code == 200


def test_what_is_not_stood_in_for_is_named_at_the_start(server: tuple[MockServer, str]) -> None:
    notices = " ".join(server[0].notices)
    for words in ("the mock sends no webhooks; the contract declares imageDone", "the mock does not support WebSockets",
                  "POST /chat: the mock does not support event streams", "POST /jobs: the mock sends no callbacks (onQuery, onBody, onHeader)"):  # fmt: skip
        assert words in notices


def test_the_usual_contract_names_nothing(app: MockServer) -> None:
    assert not any("does not support" in notice for notice in app.notices)
