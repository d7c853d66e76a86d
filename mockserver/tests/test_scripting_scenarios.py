"""Scripted answers: played in order, for the calls that they match."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.transport import MockTransport

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
PATH = "/v1/images/generations"
SCENARIOS = "/_bodydouble/scenarios"
SUCCESS = {"data": [{"url": "https://x.example/1.png", "b64_json": None}], "meta": {"usage": {"credits_used": 1}}}
REFUSAL = {
    "title": "Too Many Requests",
    "status": 429,
    "message": "Not so fast",
    "instance": PATH,
    "requestId": "id",
    "timestamp": "2026-01-01T00:00:00.000Z",
    "error": {"name": "TooManyRequestsException", "message": "Not so fast"},
}
OLD_REFUSAL = {"requestId": "id", "statusCode": 429, "timestamp": "now", "path": PATH, "message": "Not so fast"}


pytestmark = pytest.mark.usefixtures("forget_scripts")


def play(call: Call, app: MockServer, scenario: Any) -> httpx.Response:
    return call(app, SCENARIOS, key=None, content=json.dumps(scenario))


def test_the_simplest_script_is_played_before_usual_answers(
    own: MockServer, call: Call, statuses: Callable[..., list[int]]
) -> None:
    assert play(call, own, {"answers": [{"status": 429, "times": 2}]}).status_code == 201
    assert statuses(4) == [429, 429, 200, 200]


def test_answers_come_in_their_order_once_each(own: MockServer, statuses: Callable[..., list[int]]) -> None:
    own.play({"answers": [{"status": 500}, {"code": 429}, {"status": 503, "times": 2}]})
    assert statuses(5) == [500, 429, 503, 503, 200]


def test_a_second_script_is_appended_to_the_first(own: MockServer, statuses: Callable[..., list[int]]) -> None:
    own.play({"answers": [{"status": 500}]})
    own.play({"answers": [{"status": 429}]})
    assert statuses(3) == [500, 429, 200]


def test_times_null_is_unlimited(own: MockServer, statuses: Callable[..., list[int]]) -> None:
    own.play({"answers": [{"status": 502}, {"status": 500, "times": None}, {"status": 429}]})
    assert statuses(6) == [502, 500, 500, 500, 500, 500]


def test_an_empty_answer_is_the_usual_one_and_counts(own: MockServer, statuses: Callable[..., list[int]]) -> None:
    own.play({"answers": [{"times": 2}, {"status": 429}]})
    assert statuses(4) == [200, 200, 429, 200]


# An answer of a script, and the check that identifies it.
EFFECTS: list[tuple[dict[str, Any], Callable[[httpx.Response], bool]]] = [
    ({"status": 429, "retry-after": 7}, lambda got: got.headers["retry-after"] == "7"),
    ({"dialect": "quick-example"}, lambda got: "images" in got.json()),
    ({"status": 400, "envelope": "legacy"}, lambda got: got.json()["statusCode"] == 400),
    ({"images": "both"}, lambda got: None not in got.json()["data"][0].values()),
    ({"violation": "missing-data"}, lambda got: "data" not in got.json()),
    ({"fault": "empty"}, lambda got: (got.status_code, got.content) == (200, b"")),
    ({"delay": 0.01}, lambda got: got.status_code == 200),
    ({"delay": "0..0.01"}, lambda got: got.status_code == 200),
    ({"body": SUCCESS}, lambda got: got.json() == SUCCESS),
    ({"status": 429, "body": REFUSAL}, lambda got: got.json() == REFUSAL),
    ({"status": 429, "body": OLD_REFUSAL}, lambda got: got.headers["content-type"].startswith("application/json")),
    ({"violation": True, "body": "café"}, lambda got: got.text == "café"),
    ({"violation": True, "body": None}, lambda got: got.json() is None),
    ({"violation": True, "body": [[]]}, lambda got: got.content == b"[[]]"),
    ({"headers": {"X-Extra": "7", "x-request-id": "mine"}}, lambda got: got.headers["x-request-id"] == "mine"),
    ({"headers": {"X-Odd": "caf\xe9\tau lait"}}, lambda got: (b"x-odd", b"caf\xe9\tau lait") in got.headers.raw),
    (
        {"violation": True, "body": "<p>", "headers": {"Content-Type": "text/html"}},
        lambda got: got.headers.get_list("content-type") == ["text/html"],
    ),
    (
        {"status": 429, "retry-after": 7, "headers": {"Retry-After": "soon"}},
        lambda got: got.headers.get_list("retry-after") == ["soon"],
    ),
    ({"status": 418, "body": {"any": "thing"}}, lambda got: got.json() == {"any": "thing"}),
]


@pytest.mark.parametrize(("answer", "told"), EFFECTS, ids=[str(answer) for answer, _ in EFFECTS])
def test_each_key_of_an_answer_has_its_effect(
    own: MockServer, call: Call, edit: Edit, answer: dict[str, Any], told: Callable[[httpx.Response], bool]
) -> None:
    assert play(call, own, {"answers": [answer]}).status_code == 201
    assert told(call(own, json=edit()))


def test_a_scripted_error_body_is_sent_as_the_vendors_media_type(own: MockServer, call: Call, edit: Edit) -> None:
    own.play({"answers": [{"status": 429, "body": REFUSAL}]})
    assert call(own, json=edit()).headers["content-type"] == "application/problem+json; charset=utf-8"


def test_a_preference_of_the_call_overrides_the_script(own: MockServer, call: Call, edit: Edit) -> None:
    own.play({"answers": [{"status": 500, "retry-after": 7}]})
    answer = call(own, json=edit(), headers={"prefer": "code=429"})
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["preference-applied"]) == (
        429,
        "7",
        "code=429",
    )


@pytest.mark.parametrize(
    ("match", "statuses_of_three"),
    [
        ({"prompt": "dino"}, [200, 418, 200]),
        ({"prompt": "^a (dino|cat)"}, [418, 418, 200]),
        ({"model": "google/gemini-2.5-flash-image-edit"}, [418, 418, 418]),
        ({"model": "another"}, [200, 200, 200]),
        ({"header": {"X-Team": "blue"}}, [200, 200, 418]),
        ({"header": {"x-team": None}}, [418, 418, 200]),
        ({"call": 2}, [200, 418, 200]),
        ({"call": 2, "prompt": "cat"}, [200, 200, 200]),
        ({"path": "/v1/*", "method": "POST"}, [418, 418, 418]),
        ({}, [418, 418, 418]),
    ],
    ids=str,
)
def test_an_answer_is_for_the_calls_that_match(
    own: MockServer, call: Call, edit: Edit, match: dict[str, Any], statuses_of_three: list[int]
) -> None:
    own.play({"answers": [{"status": 418, "times": None, "match": match}]})
    calls: list[tuple[str, dict[str, str]]] = [("a cat", {}), ("a dinosaur", {}), ("none", {"x-team": "blue"})]
    assert [
        call(own, json=edit(prompt=prompt), headers=headers).status_code for prompt, headers in calls
    ] == statuses_of_three


def test_an_answer_can_match_one_key_by_its_hash(own: MockServer, call: Call, edit: Edit) -> None:
    call(own, json=edit(), key="second")
    known = call(own, "/_bodydouble/requests", method="GET", key=None).json()["requests"][0]["key"]
    own.play({"answers": [{"status": 418, "times": None, "match": {"key": known}}]})
    assert [call(own, json=edit(), key=key).status_code for key in ("first", "second", "first")] == [200, 418, 200]


def test_a_call_that_does_not_match_the_first_answer_gets_the_next(
    own: MockServer, statuses: Callable[..., list[int]]
) -> None:
    own.play({"answers": [{"status": 500, "match": {"prompt": "cat"}}, {"status": 429}]})
    assert [*statuses(1, prompt="dog"), *statuses(1, prompt="cat"), *statuses(1, prompt="cat")] == [429, 500, 200]


def test_calls_are_counted_from_the_script_on(own: MockServer, statuses: Callable[..., list[int]]) -> None:
    statuses(3)
    own.play({"answers": [{"status": 429, "match": {"call": 1}}]})
    assert statuses(2) == [429, 200]


def test_a_catastrophic_expression_on_a_long_prompt_is_answered(
    own: MockServer, statuses: Callable[..., list[int]]
) -> None:
    own.play({"answers": [{"status": 418, "times": None, "match": {"prompt": "^(a|a|aa)+$"}}]})
    # Python's own engine would not finish this.
    assert statuses(1, prompt="a" * 100_000 + "b") == [200]


def test_a_request_that_is_refused_uses_an_answer_too(own: MockServer, call: Call, edit: Edit) -> None:
    own.play({"answers": [{"status": 503}]})
    assert [call(own, json={}).status_code, call(own, json=edit()).status_code] == [503, 200]


def test_the_scripts_are_listed_with_what_was_used(
    own: MockServer, call: Call, statuses: Callable[..., list[int]]
) -> None:
    ids = play(
        call, own, {"answers": [{"status": 429, "times": 2}, {"body": SUCCESS}], "limits": {"credits": 5}}
    ).json()
    statuses(1)
    assert call(own, SCENARIOS, method="GET", key=None).json() == {
        "answers": [
            {"status": 429, "id": ids["ids"][0], "times": 2, "used": 1},
            {"body": SUCCESS, "id": ids["ids"][1], "times": 1, "used": 0},
        ],
        "limits": {"requests_per_minute": None, "retry_after": False, "credits": 5},
    }


@pytest.mark.parametrize(("method", "path"), [("DELETE", SCENARIOS), ("POST", "/_bodydouble/reset")])
def test_scripts_and_limits_can_be_forgotten(
    own: MockServer, call: Call, statuses: Callable[..., list[int]], method: str, path: str
) -> None:
    own.play({"answers": [{"status": 429, "times": None}], "limits": {"credits": 0}})
    assert call(own, path, method=method, key=None).status_code == 204
    assert call(own, SCENARIOS, method="GET", key=None).json() == {
        "answers": [],
        "limits": {"requests_per_minute": None, "retry_after": False, "credits": None},
    }
    assert statuses(1) == [200]


def test_a_scripted_fault_below_http_reaches_a_client_with_a_connection(own: MockServer, edit: Edit) -> None:
    own.play({"answers": [{"fault": "reset-mid-body"}]})
    with httpx.Client(transport=MockTransport(own), base_url="http://localhost") as client:
        headers = {"authorization": "Bearer k"}
        with pytest.raises(httpx.ReadError):
            client.post(PATH, json=edit(), headers=headers)
        assert client.post(PATH, json=edit(), headers=headers).status_code == 200
