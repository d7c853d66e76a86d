"""The journal over HTTP: listing, filters, pages, one entry, counting, verifying, deleting."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints.handled import HandledRequest
from bodydouble_mockserver.journal.events import Events
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.journal.routes import journal_routes
from bodydouble_mockserver.request import CheckedRequest
from bodydouble_spec import Evidence, Finding, Severity
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from mockserver.tests.bodies import json_intake

REQUESTS = "/_bodydouble/requests"
FINDING = Finding("request-enum", Severity.ERROR, Evidence.DOCUMENTED, "/aspect_ratio", "is not one")
Ask = Callable[..., httpx.Response]


def add(journal: Journal, status: int = 200, *, prompt: str = "hi", key: bytes = b"key-one", **changes: Any) -> None:
    findings = [FINDING] if status == 400 else []
    scope = {
        "method": "POST",
        "path": "/v1/images/generations",
        "query_string": b"",
        "headers": [(b"user-agent", b"app")],
    }
    handled = HandledRequest(
        {name: changes.pop(name, value) for name, value in scope.items()},
        Answer(status, b"application/json", b"{}", [], findings),
        CheckedRequest(None, key),
        json_intake(orjson.dumps({"prompt": prompt, "model": "m"})),
        started=1_781_258_400.0 + journal.numbers().stop,
        duration_s=0.1,
    )
    journal.append(replace(handled, **changes))


@pytest.fixture
def journal(request: pytest.FixtureRequest) -> Journal:
    return Journal(lambda key: key[-3:].decode(), run="run", entries=getattr(request, "param", 1000))


@pytest.fixture
def ask(journal: Journal) -> Ask:
    app = Starlette(routes=journal_routes(journal, Events(journal)))

    def send(path: str = REQUESTS, method: str = "GET", **content: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mock") as client:
                return await client.request(method, path, **content)

        return asyncio.run(call())

    return send


def ids(response: httpx.Response) -> list[str]:
    return [exchange["id"] for exchange in response.json()["requests"]]


def test_requests_are_listed_with_the_newest_last(journal: Journal, ask: Ask) -> None:
    for _ in range(3):
        add(journal)
    assert ids(ask()) == ["run-1", "run-2", "run-3"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=200", ["run-1", "run-4"]),
        ("status=4xx", ["run-2", "run-3"]),
        ("path=/v1/images/generations", ["run-1", "run-2", "run-3"]),
        ("path=/v2/*", ["run-4"]),
        ("method=get", ["run-4"]),
        ("key=two", ["run-3"]),
        ("with_findings=true", ["run-2"]),
        ("with_findings=false&status=4xx", ["run-3"]),
        ("since=2026-06-12T10:00:03Z", ["run-3", "run-4"]),
        ("since=2026-06-12T10:00:03%2B00:00", ["run-3", "run-4"]),
        ("status=500", []),
    ],
)
def test_filters_select(journal: Journal, ask: Ask, query: str, found: list[str]) -> None:
    add(journal)
    add(journal, 400)
    add(journal, 429, key=b"key-two")
    add(journal, path="/v2/billing", method="GET")
    assert ids(ask(f"{REQUESTS}?{query}")) == found
    assert ask(f"{REQUESTS}/count?{query}").json() == {"count": len(found)}


@settings(deadline=None, max_examples=20)
@given(count=st.integers(0, 12), limit=st.integers(1, 5), every=st.integers(1, 3))
def test_following_next_gives_each_matching_request_once(count: int, limit: int, every: int) -> None:
    journal = Journal(lambda key: "", run="run")
    for number in range(count):
        add(journal, 200 if number % every == 0 else 429)
    app = Starlette(routes=journal_routes(journal, Events(journal)))

    async def pages() -> list[str]:
        seen: list[str] = []
        query = f"status=200&limit={limit}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mock") as client:
            while True:
                answer = (await client.get(f"{REQUESTS}?{query}")).json()
                assert answer["total"] == len(range(0, count, every))
                seen += [exchange["id"] for exchange in answer["requests"]]
                if answer["next"] is None:
                    return seen
                query = f"status=200&limit={limit}&after={answer['next']}"

    assert asyncio.run(pages()) == [f"run-{number + 1}" for number in range(0, count, every)]


def test_last_gives_the_newest(journal: Journal, ask: Ask) -> None:
    for _ in range(5):
        add(journal)
    response = ask(f"{REQUESTS}?last=2")
    assert (ids(response), response.json()["next"]) == (["run-4", "run-5"], None)


def test_a_page_continues_after_a_dropped_entry(journal: Journal, ask: Ask) -> None:
    add(journal)
    journal.clear()
    add(journal)
    assert ids(ask(f"{REQUESTS}?after=run-1")) == ["run-2"]


@pytest.mark.parametrize(
    ("query", "parameter", "good"),
    [
        ("status=bad", "status", "4xx"),
        ("path=v1", "path", "/v1/*"),
        ("since=soon", "since", "ISO 8601"),
        ("with_findings=yes", "with_findings", "true or false"),
        ("limit=0", "limit", "from 1 to 1000"),
        ("limit=1001", "limit", "from 1 to 1000"),
        ("last=x", "last", "from 1 to 1000"),
        ("after=other-1", "after", "run-1"),
        ("colour=blue", "colour", "status, path, method"),
    ],
)
def test_a_bad_parameter_is_refused_with_its_name_and_the_valid_values(
    ask: Ask, query: str, parameter: str, good: str
) -> None:
    response = ask(f"{REQUESTS}?{query}")
    body = response.json()
    assert (response.status_code, body["parameter"]) == (400, parameter)
    assert good in body["good"]
    assert body["error"].startswith(f"{parameter}: ")


@pytest.mark.parametrize("query", ["status=200&status=400", "last=1&after=run-1"])
def test_parameters_that_contradict_each_other_are_refused(ask: Ask, query: str) -> None:
    assert ask(f"{REQUESTS}?{query}").status_code == 400


def test_one_request_is_shown_by_its_id(journal: Journal, ask: Ask) -> None:
    add(journal, prompt="café")
    assert ask(f"{REQUESTS}/run-1").json()["body"]["prompt"] == "café"


@pytest.mark.parametrize("identifier", ["run-2", "run-0", "other-1", "run-x", "%00"])
def test_an_unknown_id_is_a_404_that_says_why(journal: Journal, ask: Ask, identifier: str) -> None:
    add(journal)
    response = ask(f"{REQUESTS}/{identifier}")
    assert response.status_code == 404
    assert "dropped, deleted, or belongs to another run" in response.json()["error"]


def test_deleting_removes_all_and_returns_their_number(journal: Journal, ask: Ask) -> None:
    add(journal)
    assert ask(method="DELETE").json() == {"deleted": 1}
    assert ids(ask()) == []


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ({}, True),
        ({"count": 4}, True),
        ({"count": 3}, False),
        ({"at_least": 4}, True),
        ({"at_least": 5}, False),
        ({"at_most": 3}, False),
        ({"at_least": 2, "at_most": 4}, True),
        ({"match": {"status": 429}, "count": 2}, True),
        ({"match": {"status": "4xx"}, "count": 3}, True),
        ({"match": {"status": 500}}, False),
        ({"match": {"status": 500}, "count": 0}, True),
        ({"match": {"status": 500}, "at_most": 1}, True),
        ({"match": {"prompt": "dino(saur)?s?"}, "count": 1}, True),
        ({"match": {"model": "m", "method": "POST", "path": "/v1/*"}, "count": 4}, True),
        ({"match": {"key": "two"}, "count": 1}, True),
        ({"match": {"header": {"User-Agent": "app"}}, "count": 4}, True),
        ({"match": {"findings": True}, "count": 1}, True),
        ({"match": {"call": 2, "status": 429}, "count": 1}, True),
    ],
)
def test_verify_is_200_when_the_count_holds_and_409_when_not(
    journal: Journal, ask: Ask, expected: dict[str, Any], holds: bool
) -> None:
    add(journal, prompt="two dinosaurs")
    add(journal, 429)
    add(journal, 429, key=b"key-two")
    add(journal, 400)
    response = ask(f"{REQUESTS}/verify", "POST", json=expected)
    assert (response.status_code, response.json()["verified"]) == (200 if holds else 409, holds)


@pytest.mark.parametrize("journal", [3], indirect=True)
def test_what_was_dropped_is_told_and_no_upper_bound_is_verified_then(journal: Journal, ask: Ask) -> None:
    for _ in range(5):
        add(journal)
    assert ask(f"{REQUESTS}/count").json() == {"count": 3, "dropped": 2}
    answers = [ask(f"{REQUESTS}/verify", "POST", json=bound) for bound in ({"at_least": 2}, {"at_most": 4})]
    assert [(answer.status_code, answer.json()["dropped"]) for answer in answers] == [(200, 2), (409, 2)]
    journal.clear()
    assert ask(f"{REQUESTS}/count").json() == {"count": 0}


def test_a_failed_verification_names_the_nearest_calls_and_their_differences(journal: Journal, ask: Ask) -> None:
    add(journal, prompt="a cat")
    add(journal, 429, prompt="a dog")
    add(journal, 429, prompt="a cat", method="PUT")
    wanted = {"prompt": "dog", "status": 429, "method": "PUT"}
    near = ask(f"{REQUESTS}/verify", "POST", json={"match": wanted}).json()["near_misses"]
    assert [(call["id"], call["differs_in"]) for call in near] == [
        ("run-3", {"prompt": {"expected": "dog", "got": "a cat"}}),
        ("run-2", {"method": {"expected": "PUT", "got": "POST"}}),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b'{"matches": {}}', "/matches"),
        (b'{"match": []}', "/match"),
        (b'{"match": {"prompt": "("}}', "/match/prompt"),
        (b'{"match": {"prmpt": "x"}}', "/match/prmpt"),
        (b'{"match": {"header": {"X-Team": "blue"}}}', "/match/header/X-Team"),
        (b'{"count": -1}', "/count"),
        (b'{"count": true}', "/count"),
        (b'{"count": 1, "at_least": 1}', "/count"),
        (b'{"at_least": 2, "at_most": 1}', "/at_most"),
    ],
)
def test_an_invalid_expectation_is_refused_with_its_pointer(ask: Ask, body: bytes, pointer: str) -> None:
    response = ask(f"{REQUESTS}/verify", "POST", content=body)
    assert (response.status_code, response.json()["pointer"]) == (400, pointer)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from(["match", "count", "at_least", "at_most"]),
        st.integers(-2, 3)
        | st.text(max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "header", "prompt", "call"]),
            st.integers() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
        ),
    )
)
def test_any_expectation_is_answered(expectation: dict[str, Any]) -> None:
    journal = Journal(lambda key: "")
    add(journal)
    app = Starlette(routes=journal_routes(journal, Events(journal)))

    async def call() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mock") as client:
            return (await client.post(f"{REQUESTS}/verify", json=expectation)).status_code

    assert asyncio.run(call()) in (200, 400, 409)


def test_an_expectation_beyond_64_kilobytes_is_refused(ask: Ask) -> None:
    assert ask(f"{REQUESTS}/verify", "POST", content=b" " * 70_000).status_code == 413
