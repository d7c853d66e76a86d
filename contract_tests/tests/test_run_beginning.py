"""The size of an answer does not decide on the time of a check: of a very large one the beginning is examined, and a remark says so."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_contract_tests.checks import check_observation
from bodydouble_contract_tests.model import Case, ExpectedOutcome, Observation, OperationProfile
from bodydouble_contract_tests.model.profile import CrossValidation
from bodydouble_contract_tests.run.beginning import beginning_of_answer
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.verification import Target, VerifyOptions, verify
from bodydouble_spec import Contract, Evidence, Finding, Severity

PROFILE = OperationProfile(Contract.load())
BODY: dict[str, Any] = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "Make it night.", "image_urls": []}
CASE = Case("a-case", "valid-accepted", BODY, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
META = {"usage": {"credits_used": 84_000}}
PICTURE = {"url": "https://cdn.example.com/1.png", "b64_json": None}


def checked(body: Any, profile: OperationProfile = PROFILE) -> list[Finding]:
    content = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    beginning = beginning_of_answer(content)
    return check_observation(profile, Observation(CASE, b"", 200, headers, content, beginning=beginning))


USUAL: list[Any] = [
    {"data": [PICTURE], "meta": META},
    {"data": [PICTURE] * 3_000, "meta": META},
    {"data": [PICTURE], "meta": META, "note": "a, b" * 40_000},
    [[[[]]]],
    "no JSON, [" * 20_000,
]


def asked_again(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that gets every answer which is given to the second validator."""
    asked: list[bytes] = []

    def errors(_self: CrossValidation, _status: int, _content_type: str, content: bytes) -> None:
        asked.append(content)

    monkeypatch.setattr(CrossValidation, "errors", errors)
    return asked


@pytest.mark.parametrize("body", USUAL)
def test_an_answer_of_usual_size_is_examined_whole(body: Any) -> None:
    assert beginning_of_answer(body.encode() if isinstance(body, str) else json.dumps(body).encode()) is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"data": [PICTURE] * 20_000, "meta": META}, {"data": [PICTURE] * 1_000, "meta": META}),
        ([[[0] * 60] * 60] * 60, [[[0] * 10] * 10] * 10),
        ({"data": {str(number): number for number in range(20_000)}}, None),
    ],
)
def test_of_a_large_answer_the_first_items_of_its_lists_are_examined(body: Any, kept: Any) -> None:
    beginning = beginning_of_answer(json.dumps(body).encode())
    assert beginning is not None
    assert orjson.loads(beginning) == kept


def test_a_deep_answer_is_cut_where_it_is_too_deep() -> None:
    assert beginning_of_answer(b"[" * 900 + b"]" * 900) == b"[" * 202 + b"]" * 202


def test_a_large_answer_has_its_faults_and_a_remark_without_the_second_validator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asked_again(monkeypatch)
    findings = {one.id: one for one in checked({"data": [{"url": 0}] * 20_000, "meta": META})}
    assert {"answer-conforms/type", "answer-conforms/more-faults", "image-count/more"} <= findings.keys()
    assert findings["answer-second-opinion/too-large"].severity is Severity.INFO
    assert findings["image-count/more"].message == "the answer has at least 1000 of 1 pictures"
    assert not asked


def test_a_list_that_was_cut_breaks_no_rule_of_its_length(contract_of: Callable[..., Contract]) -> None:
    numbers = {
        "type": "object",
        "properties": {"a": {"type": "array", "minItems": 15_000, "items": {"type": "integer"}}},
    }
    profile = OperationProfile(contract_of({"type": "object"}, numbers))
    assert {one.id for one in checked({"a": [1] * 20_000}, profile)} == {"answer-second-opinion/too-large"}


def test_a_run_looks_at_the_beginning_of_each_large_answer() -> None:
    content = json.dumps({"data": [{"url": 0}] * 10_000}).encode()

    def answer(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(content)
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=stream)

    with Target("http://127.0.0.1", "a-key-of-nobody", transport=httpx.MockTransport(answer)) as target:
        verification = verify(
            PROFILE,
            target,
            VerifyOptions(examples=0, only=("valid-accepted", "answer-conforms", "answer-second-opinion")),
        )
    found = {one.id for finding in verification.findings for one in (finding, *finding.covers)}
    assert {"answer-conforms/type", "answer-second-opinion/too-large"} <= found


def test_a_small_answer_is_given_to_the_second_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_again(monkeypatch)
    body = {"data": [PICTURE], "meta": META}
    checked(body)
    assert list(map(orjson.loads, asked)) == [body]


def test_a_large_answer_is_kept_as_a_description() -> None:
    content = json.dumps({"data": [{"url": 0}] * 20_000}).encode()
    whole = Observation(CASE, b"", 200, {}, content, beginning=beginning_of_answer(content))
    kept = Redaction("a-key-of-nobody").observation(whole)
    assert (kept.content, kept.beginning) == (content[:200], None)
