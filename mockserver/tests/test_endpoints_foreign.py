"""Routes of no contract: scripted without validation, known as routes of the service, or unknown."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import BadScenario, MockServer, Settings, create_app
from bodydouble_mockserver.scripting import MatchedRequest
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract

CHAT = "/v1/chat/completions"
BODY = {"choices": [{"message": {"content": "a cat"}}]}
Edit = Callable[..., dict[str, Any]]


@pytest.fixture
def mock(contract: Contract) -> MockServer:
    return create_app(contract, Settings(max_body_bytes=1000))


@pytest.fixture
def client(mock: MockServer) -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer a-key"}
    with httpx.Client(transport=MockTransport(mock), base_url="http://localhost", headers=headers) as client:
        yield client


def ids(mock: MockServer) -> list[str]:
    return [finding["id"] for exchange in mock.journal.exchanges() for finding in exchange.findings]


WRONG_URLS = [
    ("POST", "/v1/images/generations/images/generations", "/images/generations is there twice"),
    ("POST", "/images/generations/v1/images/generations", "in front of /v1/images/generations"),
    ("POST", "/v1/images/generations/v1/images/generations", "/images/generations is there twice"),
    ("POST", "/v1/v1/images/generations", "/v1 is there twice"),
    ("GET", "/v1/images/generations", "/v1/images/generations takes POST, not GET"),
    ("POST", "/", "send POST to /v1/images/generations"),
    ("POST", "/v1/", "send POST to /v1/images/generations"),
    ("POST", "/api/v1/images/generations", "remove /api in front of /v1/images/generations"),
    ("POST", "/v1/image/generation", "did you mean POST /v1/images/generations?"),
    ("POST", "/v1/embeddings", "it has POST /v1/images/generations"),
]


@pytest.mark.parametrize(("method", "path", "words"), WRONG_URLS)
def test_a_wrong_url_is_explained(client: httpx.Client, mock: MockServer, method: str, path: str, words: str) -> None:
    assert client.request(method, path, json={}).status_code == 404
    (finding,) = mock.journal.exchanges()[-1].findings
    assert (finding["id"], words in finding["message"]) == ("request-route-unknown", True), finding["message"]


def test_a_script_answers_a_route_of_no_contract_as_it_says(client: httpx.Client, mock: MockServer) -> None:
    mock.play({"answers": [{"path": CHAT, "body": BODY, "headers": {"X-Mine": "yes"}, "status": 201}]})
    answer = client.post(CHAT, json={"model": "gpt", "messages": []})
    assert (answer.status_code, answer.json(), answer.headers["x-mine"]) == (201, BODY, "yes")
    (exchange,) = mock.journal.exchanges()
    assert (exchange.matched, exchange.body["model"], ids(mock)) == ("answer-1", "gpt", [])
    assert client.post(CHAT, json={}).status_code == 404


def test_an_error_without_a_body_has_the_envelope_of_the_service(client: httpx.Client, mock: MockServer) -> None:
    mock.play({"answers": [{"path": "/v1/*", "status": 429, "retry-after": 7, "times": None}]})
    answer = client.get("/v1/tts")
    assert (answer.status_code, answer.json()["error"]["message"]) == (429, "Too Many Requests")
    assert answer.headers["retry-after"] == "7"


def test_a_script_for_a_route_of_no_contract_leaves_operations_and_pictures_alone(
    client: httpx.Client, mock: MockServer, edit: Edit
) -> None:
    mock.play({"answers": [{"path": "/*", "body": BODY, "times": None}]})
    answer = client.post("/v1/images/generations", json=edit()).json()
    assert answer.keys() == {"data", "meta"}
    assert client.get(answer["data"][0]["url"]).headers["content-type"] == "image/png"


def test_a_path_of_the_contract_selects_its_operation_and_is_validated(
    client: httpx.Client, mock: MockServer, edit: Edit
) -> None:
    with pytest.raises(BadScenario, match="breaks the contract"):
        mock.play({"answers": [{"path": "/images/generations/", "body": BODY}]})
    mock.play({"answers": [{"path": "/v1/images/generations", "status": 503}]})
    assert [client.post(f"{base}/images/generations", json=edit()).status_code for base in ("", "/v1")] == [200, 503]


def test_conditions_on_the_body_choose_among_answers(client: httpx.Client, mock: MockServer) -> None:
    models = ("a", "b")
    mock.play({"answers": [{"path": CHAT, "match": {"/model": name}, "body": name, "times": None} for name in models]})
    assert [client.post(CHAT, json={"model": name}).text for name in ("b", "a")] == ["b", "a"]
    assert client.post(CHAT, json={"model": "c"}).status_code == 404


def test_a_fault_reaches_the_client(client: httpx.Client, mock: MockServer) -> None:
    mock.play({"answers": [{"path": CHAT, "body": BODY, "fault": "reset-mid-body"}]})
    with pytest.raises(httpx.ReadError):
        client.post(CHAT, json={})


def test_a_fault_that_a_connection_cannot_have_is_refused_with_the_reason(mock: MockServer) -> None:
    mock.play({"answers": [{"path": CHAT, "body": BODY, "fault": "reset-mid-body"}]})

    async def status_and_message() -> tuple[int, str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://localhost") as client:
            answer = await client.post(CHAT, json={})
        return answer.status_code, answer.json()["message"]

    status, message = asyncio.run(status_and_message())
    assert (status, message.partition(":")[0]) == (400, "fault=reset-mid-body needs access to the connection")


def test_a_large_body_is_not_kept(client: httpx.Client, mock: MockServer) -> None:
    mock.play({"answers": [{"path": CHAT, "body": BODY}]})
    assert client.post(CHAT, content=b"x" * 5000).status_code == 200
    assert mock.journal.exchanges()[0].body is None


@pytest.mark.parametrize(
    ("method", "path", "rule"),
    [
        ("POST", CHAT, "route-not-stood-in"),
        ("POST", "/chat/completions/", "route-not-stood-in"),
        ("PUT", "/v1/keys/abc", "route-not-stood-in"),
        ("GET", CHAT, None),
        ("POST", "/v1/chat/completion", None),
        ("PUT", "/v1/keys/abc/def", None),
    ],
)
def test_a_route_of_the_service_without_a_contract_is_told_from_an_unknown_one(
    client: httpx.Client, mock: MockServer, method: str, path: str, rule: str | None
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["name"]) == (404, "NotFoundException")
    assert ids(mock) == [rule or "request-route-unknown"]
    note = "not mocked here: add its contract"
    assert answer.headers.get("x-bodydouble-note") == (None if rule is None else note)


def test_a_function_makes_the_answer_from_the_request(client: httpx.Client, mock: MockServer) -> None:
    def reply(request: MatchedRequest) -> dict[str, Any]:
        return {"body": {"echo": request.parsed, "number": request.number}}

    mock.play_function({"answers": [{"path": CHAT, "times": None}]}, reply)
    answers = [client.post(CHAT, json=[number]).json() for number in (1, 2)]
    assert answers == [{"echo": [1], "number": 1}, {"echo": [2], "number": 2}]


def raise_an_error(_request: MatchedRequest) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("made", [{"bdoy": 1}, {"status": 7}, None, raise_an_error])
def test_a_function_that_fails_is_a_finding_and_a_500(
    client: httpx.Client, mock: MockServer, edit: Edit, made: Any
) -> None:
    reply: Callable[[MatchedRequest], Any] = made if callable(made) else lambda _request: made
    mock.play_function({"answers": [{}]}, reply)
    assert client.post("/v1/images/generations", json=edit()).status_code == 500
    assert ids(mock) == ["answer-function-failed"]
