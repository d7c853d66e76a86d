"""Headers, routes and methods: request ids, cost, CORS, and the routes beside the operation."""

import itertools
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract
from hypothesis import example, given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
EXPOSED = ["x-request-id", "x-inference-id", "x-aimlapi-credits-used", "x-aimlapi-usd-spent", "x-client-request-id", "retry-after", "preference-applied", "etag", "x-bodydouble-note"]  # fmt: skip


def test_every_call_has_its_own_request_id(app: MockServer, call: Call, edit: Edit) -> None:
    answers = [call(app, json=edit(num_images=number)) for number in (1, 1, 9, 9)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


@pytest.mark.parametrize(
    "request_of",
    [
        pytest.param({"json": {}}, id="400"),
        pytest.param({"key": None}, id="401"),
        pytest.param({"path": "/nowhere"}, id="404"),
        pytest.param({"path": "/v2/billing", "method": "GET", "key": None}, id="billing 401"),
        pytest.param({"path": "/generations/otter/1.png", "method": "GET"}, id="picture 404"),
    ],
)
def test_an_error_has_the_request_id_in_header_and_body(
    app: MockServer, call: Call, request_of: dict[str, Any]
) -> None:
    answer = call(app, **request_of)
    assert answer.status_code >= 400
    assert answer.json()["requestId"] == answer.headers["x-request-id"]


def test_an_error_is_the_vendors_envelope(call: Call, contract: Contract) -> None:
    app = create_app(contract, Settings(seed=7, clock=lambda: 1_780_000_000.5))
    answer = call(app, "/nowhere")
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json() == {
        "title": "Not Found",
        "status": 404,
        "message": "Not Found",
        "instance": "/nowhere",
        "requestId": answer.headers["x-request-id"],
        "timestamp": "2026-05-28T20:26:40.500Z",
        "error": {"name": "NotFoundException", "message": "Not Found"},
    }


def test_a_success_names_its_generation(app: MockServer, call: Call, edit: Edit) -> None:
    inference_id = call(app, json=edit()).headers["x-inference-id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", inference_id)


def test_every_generation_has_its_own_id_also_of_equal_requests(app: MockServer, call: Call, edit: Edit) -> None:
    answers = [call(app, json=edit()) for _ in range(3)]
    ids = {answer.headers[name] for answer in answers for name in ("x-inference-id", "x-request-id")}
    assert (len(ids), answers[0].content) == (6, answers[2].content)


@pytest.mark.parametrize(("count", "cost", "usd"), [(1, "84000", "0.042000000"), (3, "252000", "0.126000000")])
def test_a_success_states_its_cost_in_whole_credits_and_nine_decimals(
    app: MockServer, call: Call, edit: Edit, count: int, cost: str, usd: str
) -> None:
    answer = call(app, json=edit(num_images=count))
    assert (answer.headers["x-aimlapi-credits-used"], answer.headers["x-aimlapi-usd-spent"]) == (cost, usd)
    assert answer.json()["meta"]["usage"]["credits_used"] == int(cost)


@settings(max_examples=100, deadline=None)
@given(
    st.text("abcXYZ019._:- /\t\u00e9", min_size=1, max_size=140).map(str.strip).filter(bool)
    | st.text("aZ0._:-", min_size=126, max_size=130)
)
@example("a" * 128)
@example("a" * 129)
@example("with space")
def test_a_valid_client_request_id_is_echoed_and_any_other_is_dropped(
    app: MockServer, call: Call, edit: Edit, value: str
) -> None:
    is_valid = re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", value) is not None
    answer = call(app, json=edit(), headers=[(b"X-Client-Request-Id", value.encode("latin-1"))])
    assert answer.headers.get("x-client-request-id") == (value if is_valid else None)


def test_an_error_echoes_the_client_request_id_too(app: MockServer, call: Call) -> None:
    assert call(app, key=None, headers={"x-client-request-id": "mine"}).headers["x-client-request-id"] == "mine"


def test_a_preflight_allows_key_and_json(app: MockServer, call: Call) -> None:
    answer = call(
        app,
        method="OPTIONS",
        key=None,
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"


def test_options_without_a_preflights_headers_is_answered(app: MockServer, call: Call) -> None:
    assert call(app, method="OPTIONS", key=None).status_code == 204


@pytest.mark.parametrize(
    "request_of",
    [
        pytest.param({"json": {}}, id="400"),
        pytest.param({"key": None}, id="401"),
        pytest.param({"path": "/nowhere"}, id="404"),
        pytest.param({"path": "/v1/models", "method": "GET"}, id="models"),
        pytest.param({"path": "/v2/billing", "method": "GET"}, id="billing"),
        pytest.param({"path": "/generations/otter/1.png", "method": "GET"}, id="missing picture"),
    ],
)
def test_a_browser_may_read_every_answer(app: MockServer, call: Call, request_of: dict[str, Any]) -> None:
    headers = call(app, **request_of).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-expose-headers"].split(", ") == EXPOSED


def test_a_browser_may_read_a_success_and_its_picture(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit())
    picture = call(app, answer.json()["data"][0]["url"], method="GET", key=None)
    assert [each.headers["access-control-allow-origin"] for each in (answer, picture)] == ["*", "*"]
    assert answer.headers["access-control-expose-headers"].split(", ") == EXPOSED


@pytest.mark.parametrize(
    "path", ["/v1/images/generations", "/images/generations", "/v1/images/generations/", "/images/generations/"]
)
def test_both_base_urls_answer_with_and_without_a_trailing_slash(
    app: MockServer, call: Call, edit: Edit, path: str
) -> None:
    assert call(app, path, json=edit()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *itertools.product(["GET", "PUT", "DELETE", "PATCH", "BREW"], ["/v1/images/generations"]),
        ("POST", "/v1/models"),
        ("POST", "/generations/otter/1.png"),
        ("GET", "/"),
        ("GET", "/v1"),
        ("POST", "/v1/images"),
        ("POST", "/v1/images/generations/x"),
        ("GET", "/_bodydouble"),
        ("GET", "/robots.txt"),
    ],
)
def test_an_unknown_route_or_method_is_404_in_the_vendors_envelope(
    app: MockServer, call: Call, method: str, path: str
) -> None:
    answer = call(app, path, method=method)
    assert (answer.status_code, answer.json()["error"]["name"]) == (404, "NotFoundException")
    assert answer.json()["instance"] == path


def test_head_of_a_picture_has_its_length_and_no_body(app: MockServer, call: Call, edit: Edit) -> None:
    url = call(app, json=edit()).json()["data"][0]["url"]
    head, whole = (call(app, url, method=method) for method in ("HEAD", "GET"))
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize("path", ["/v1/models", "/models/", "/_bodydouble/health"])
def test_get_routes_need_no_key_and_support_head(app: MockServer, call: Call, path: str) -> None:
    assert [call(app, path, method=method, key=None).status_code for method in ("GET", "HEAD")] == [200, 200]


def test_the_models_are_those_of_the_contract(app: MockServer, call: Call) -> None:
    body = call(app, "/v1/models", method="GET", key=None).json()
    assert body["object"] == "list"
    assert [item["id"] for item in body["data"]] == ["google/gemini-2.5-flash-image-edit"]
    assert {*body["data"][0]} == {"id", "info", "type", "aliases", "tags"}


@pytest.mark.parametrize("enum", [["a/b", 7, None], [None]])
def test_a_contract_with_odd_model_names_still_lists_models(
    call: Call, nano_banana: dict[str, Any], enum: list[Any]
) -> None:
    contract = Contract.load(
        {
            **nano_banana,
            "paths": {
                path: {
                    "post": {
                        **item["post"],
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "schema": {"type": "object", "properties": {"model": {"enum": enum}}}
                                }
                            }
                        },
                    }
                }
                for path, item in nano_banana["paths"].items()
            },
        }
    )
    listed = call(create_app(contract), "/v1/models", method="GET").raise_for_status().json()["data"]
    assert [item["id"] for item in listed] == [name for name in enum if isinstance(name, str)]


@pytest.mark.parametrize("path", ["/v2/billing", "/v1/billing/balance", "/billing/balance/"])
def test_billing_needs_a_key(app: MockServer, call: Call, path: str) -> None:
    assert [call(app, path, method="GET", key=key).status_code for key in (None, "k")] == [401, 200]


def test_billing_has_the_observed_fields(app: MockServer, call: Call) -> None:
    seen = call(app, "/v2/billing", method="GET").json()
    assert {name: type(value) for name, value in seen.items()} == {"current_balance": float, "currency": str}


def test_the_balance_has_the_documented_fields(app: MockServer, call: Call) -> None:
    documented = "balance lowBalance lowBalanceThreshold lastUpdated autoDebitStatus status statusExplanation"
    assert {*call(app, "/v1/billing/balance", method="GET").json()} == set(documented.split())


def test_the_journal_has_calls_of_the_account_which_count_as_no_calls_of_the_api(
    contract: Contract, call: Call
) -> None:
    app = create_app(contract)
    paths = ["/v1/models", "/v2/billing", "/v1/billing/balance/", "/v2/billing"]
    for path, key in zip(paths, [None, "k", "k", None], strict=True):
        call(app, path, method="GET", key=key)
    listed = call(app, "/_bodydouble/requests", method="GET").json()["requests"]
    seen = [(item["path"], item["answer"]["status"], item["kind"]) for item in listed]
    assert sorted(seen) == sorted(
        (path, status, "account") for path, status in zip(paths, [200, 200, 200, 401], strict=True)
    )
    assert (app.journal.exchanges(), app.journal.pictures()) == ([], [])


def test_health_names_the_contract(app: MockServer, contract: Contract, call: Call) -> None:
    body = call(app, "/_bodydouble/health", method="GET", key=None).json()
    assert (body["status"], body["fingerprint"]) == ("ok", contract.fingerprint)
    assert body["operations"] == ["POST /v1/images/generations"]


# Those that a browser shows to every page (CORS-safelisted, Fetch standard), and those that mean nothing to a page.
ALWAYS_SHOWN = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}  # fmt: skip
OF_THE_CONNECTION = {"connection", "content-encoding", "date", "server", "transfer-encoding"}
OTHER_SERVICE = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://api.example.org"}],
    "paths": {"/a": {"get": {"responses": {"200": {"description": "d", "headers": {"X-Left": {"required": True, "schema": {"type": "integer"}}}}}}}},
}  # fmt: skip
SCENARIO = {
    "answers": [
        {"path": "/v1/chat/completions", "status": 429, "retry-after": 3},
        {"match": {"path": "/generations/*"}, "status": 503, "retry-after": 1},
    ],
    "limits": {"requests_per_minute": 4, "retry_after": True},
}


def _raw(origin: str, data: bytes) -> httpx.Headers:
    """Return the headers of the answer to bytes that are no HTTP request."""
    url = httpx.URL(origin)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(data)
        head = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")[0]
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return httpx.Headers([(name, value) for name, _, value in lines])


def _vendor_answers(client: httpx.Client, edit: Edit) -> Iterator[httpx.Headers]:
    def post(path: str = "/v1/images/generations", body: Any = None, **headers: str) -> httpx.Response:
        return client.post(path, json=edit() if body is None else body, headers=headers)

    picture = post(**{"x-client-request-id": "mine"}).json()["data"][0]["url"]
    yield post().headers
    for number in (200, 304, 404, 503):
        yield client.get(picture, headers={"prefer": f"code={number}, retry-after=1"}).headers
    yield client.get(picture).headers
    yield client.get("/generations/none.png").headers
    for prefer in (
        "code=429, retry-after=7, envelope=legacy",
        "code=204",
        "dialect=quick-example",
        "fault=broken-gzip",
    ):
        with client.stream(
            "POST", "/v1/images/generations", json=edit(), headers={"prefer": prefer, "x-client-request-id": "mine"}
        ) as answer:
            yield answer.headers
    for body in ({}, edit(num_images=9)):
        yield post(body=body).headers
    for path in ("/nowhere", "/v1/chat/completions"):
        yield post(path).headers
    client.post("/_bodydouble/scenarios", json=SCENARIO).raise_for_status()
    yield post("/v1/chat/completions").headers
    yield client.get(picture).headers
    yield from [post().headers for _ in range(6)]
    for path in ("/v1/models", "/v2/billing", "/v1/billing/balance"):
        yield client.get(path).headers
    yield client.head(picture).headers
    yield client.post("/v1/images/generations", content=b"{}", headers={"authorization": ""}).headers
    yield _raw(str(client.base_url), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    yield _raw(str(client.base_url), b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n")


def test_a_page_of_another_origin_can_read_every_header_that_the_mock_ever_sets(
    contract: Contract, serve: Callable[..., AbstractContextManager[str]], edit: Edit, pictures_folder: Path
) -> None:
    seen: set[str] = set()
    with (
        serve(create_app(contract, Settings(pictures=pictures_folder))) as origin,
        httpx.Client(base_url=origin, headers={"authorization": "Bearer k"}) as client,
    ):
        answers = [*_vendor_answers(client, edit)]
    with (
        serve(create_app(Contract.load(OTHER_SERVICE))) as origin,
        httpx.Client(base_url=origin) as client,
    ):
        client.post("/_bodydouble/scenarios", json={"answers": [{"path": "/b"}]})
        answers += [client.get(path, headers={"prefer": "delay=0"}).headers for path in ("/a", "/b", "/c")]
    for headers in answers:
        own = {name for name in headers if not name.startswith("access-control-")}
        shown = set(headers.get("access-control-expose-headers", "").split(", "))
        assert own - shown - ALWAYS_SHOWN - OF_THE_CONNECTION == set(), headers
        seen |= own & shown
    # Each name in the list has been sent, so the calls above have tried them all.
    assert seen == {*EXPOSED, "x-left"}
