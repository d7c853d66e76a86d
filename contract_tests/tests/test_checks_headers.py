"""Checks of headers and of refusals, each on one answer: what a correct one has, and what each deviation gives."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests.checks import check_observation
from bodydouble_contract_tests.model import Case, ExpectedOutcome, Observation, OperationProfile
from bodydouble_spec import Contract, Evidence, Severity

PROFILE = OperationProfile(Contract.load())
BODY = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "Make it night.",
    "image_urls": ["https://a.example/b.png"],
}
ANSWER = {"data": [{"url": "https://a.example/c.png", "b64_json": None}], "meta": {"usage": {"credits_used": 84000}}}
EXPOSED = "X-Request-Id, X-Inference-Id, X-AIMLAPI-Credits-Used, X-AIMLAPI-Usd-Spent, X-Client-Request-Id"
HEADERS = {
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": EXPOSED,
    "x-request-id": "1",
    "x-inference-id": "2",
    "x-aimlapi-credits-used": "84000",
    "x-aimlapi-usd-spent": "0.042000000",
    "x-client-request-id": "mine",
}
REFUSED = {
    "content-type": "application/problem+json",
    "access-control-allow-origin": "*",
    "x-request-id": "1",
}
PROBLEM: dict[str, Any] = {
    "title": "Bad Request",
    "status": 400,
    "message": "Invalid payload provided",
    "instance": "/v1/images/generations",
    "requestId": "1",
    "timestamp": "2026-11-28T12:00:00.000Z",
    "error": {
        "name": "BadRequestException",
        "message": "Invalid payload provided",
        "data": [{"code": "too_big", "path": ["num_images"], "message": "Too many."}],
    },
}


def succeeded(headers: Mapping[str, str | None], answer: Any = ANSWER) -> list[tuple[str, Severity]]:
    case = Case("a-case", "valid-accepted", BODY, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    return found(case, 200, {**HEADERS, **headers}, answer)


def refused(
    body: Any, headers: Mapping[str, str | None] = REFUSED, more: Mapping[str, Any] | None = None
) -> list[tuple[str, Severity]]:
    sent = {**BODY, "num_images": 9, **(more or {})}
    case = Case("a-case", "invalid-refused", sent, ExpectedOutcome.REFUSED, Evidence.DOCUMENTED, pointer="/num_images")
    return found(case, 400, headers, body)


def found(case: Case, status: int, headers: Mapping[str, str | None], body: Any) -> list[tuple[str, Severity]]:
    kept = {name: value for name, value in headers.items() if value is not None}
    seen = Observation(
        case, b"{}", status, kept, orjson.dumps(body), client_id="mine", time_s=1_795_867_200.0, has_headers=True
    )
    return [(item.id, item.severity) for item in check_observation(PROFILE, seen, secrets=["a-secret-key"])]


def test_a_correct_success_and_a_correct_refusal_have_no_finding() -> None:
    assert (succeeded({}), refused(PROBLEM)) == ([], [])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-request-id": None}, "answer-headers/200-x-request-id"),
        ({"x-aimlapi-credits-used": "many"}, "answer-headers/200-x-aimlapi-credits-used"),
        ({"x-aimlapi-credits-used": "1"}, "cost-consistent/credits"),
        ({"x-aimlapi-usd-spent": "0.42"}, "cost-consistent/usd"),
        ({"x-client-request-id": "other"}, "client-id-echoed"),
        ({"access-control-allow-origin": None}, "cors-answer/origin-success"),
        ({"access-control-expose-headers": "x-request-id"}, "cors-answer/exposed"),
        ({"x-trace": "a-secret-key"}, "key-secret/header"),
    ],
)
def test_a_wrong_header_is_one_error(headers: dict[str, str | None], expected: str) -> None:
    assert succeeded(headers) == [(expected, Severity.ERROR)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": 422}, "refusal-consistent/status"),
        ({"title": "Unauthorized"}, "refusal-consistent/words"),
        ({"message": " "}, "refusal-consistent/empty"),
        ({"instance": "/v1/models"}, "refusal-consistent/path"),
        ({"timestamp": "today"}, "refusal-consistent/timestamp"),
        ({"timestamp": "2026-11-28T12:00:00"}, "refusal-consistent/timestamp"),
        ({"timestamp": "2024-11-28T12:00:00Z"}, "refusal-consistent/clock"),
        ({"requestId": "2"}, "request-id-matches"),
        ({"error": {**PROBLEM["error"], "data": []}}, "refusal-issues/none"),
        (
            {"error": {**PROBLEM["error"], "data": [{"code": "x", "path": ["prompt"], "message": "No."}]}},
            "refusal-issues/place",
        ),
    ],
)
def test_a_contradiction_of_a_refusal_is_one_warning(changes: dict[str, Any], expected: str) -> None:
    assert refused({**PROBLEM, **changes}) == [(expected, Severity.WARNING)]


def test_two_faults_of_which_one_is_named_are_a_finding() -> None:
    assert refused(PROBLEM, more={"aspect_ratio": "9:21"}) == [("refusal-issues/some", Severity.WARNING)]


def test_a_fault_against_an_assumed_rule_need_not_be_named() -> None:
    assert refused(PROBLEM, more={"image_urls": ["ttps://example.com/a.png"]}) == []


def test_an_unknown_key_is_named_beside_the_path_of_its_object() -> None:
    issue = {"code": "unrecognized_keys", "path": [], "keys": ["num_images", "prompt"], "message": "Unrecognized keys"}
    assert refused({**PROBLEM, "error": {**PROBLEM["error"], "data": [issue]}}) == []


def test_a_title_of_the_servers_own_is_information() -> None:
    assert refused({**PROBLEM, "title": "That will not do"}) == [("refusal-consistent/words", Severity.INFO)]


def test_a_refusal_without_a_request_id_is_a_warning() -> None:
    assert refused(PROBLEM, {**REFUSED, "x-request-id": None}) == [
        ("refusal-headers/400-x-request-id", Severity.WARNING)
    ]


def test_headers_that_a_recording_dropped_are_no_finding() -> None:
    case = Case("a-case", "valid-accepted", BODY, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    kept = Observation(case, b"{}", 200, {"content-type": "application/json"}, orjson.dumps(ANSWER))
    assert check_observation(PROFILE, kept) == []


def test_a_success_under_an_undocumented_status_is_a_fault_of_the_status_alone() -> None:
    case = Case("a-case", "valid-accepted", BODY, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    headers = {"content-type": "application/json"}
    job = Observation(case, b"", 202, headers, b'{"id": "job-1"}', client_id="mine", has_headers=True)
    assert [finding.id for finding in check_observation(PROFILE, job)] == ["valid-accepted/status-202"]


def test_a_header_that_a_document_does_not_require_may_be_absent() -> None:
    headers = {"X-Rate": {"required": True, "schema": {"type": "integer"}}, "X-List": {"schema": {"type": "string"}}}
    operation = {"responses": {"200": {"description": "", "headers": headers}}}
    document = {"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": operation}}}
    case = Case("a-case", "valid-accepted", None, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    observation = Observation(case, b"", 200, {}, b"", has_headers=True)
    seen = check_observation(OperationProfile(Contract.load(document)), observation)
    assert {(one.id, one.severity) for one in seen} == {
        ("answer-headers/200-x-rate", Severity.ERROR),
        ("answer-headers/200-x-list", Severity.INFO),
    }
