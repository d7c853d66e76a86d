"""One cause, one finding: what a server does to every call is reported once, and faults of their own stay apart."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.checks import grouped
from bodydouble_contract_tests.model import Case, ExpectedOutcome
from bodydouble_contract_tests.verification import (
    OperationProfile,
    Target,
    Verification,
    VerifyOptions,
    verify,
    with_baseline,
)
from bodydouble_spec import Contract, Evidence, Finding, Severity, flattened
from bodydouble_spec.report import Baseline

# One for all, since it keeps its plan.
PROFILE = OperationProfile(Contract.load())


@pytest.fixture(scope="module")
def redirected() -> Verification:
    """Return the verification of a server that redirects every call."""

    def redirect(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            307, headers={"location": f"https://example.com{request.url.path}"}, stream=httpx.ByteStream(b"")
        )

    with Target("http://127.0.0.1", "a-key-of-nobody", transport=httpx.MockTransport(redirect)) as target:
        return verify(PROFILE, target, VerifyOptions(examples=0))


def test_a_server_that_redirects_everything_has_one_finding(redirected: Verification) -> None:
    (finding,) = redirected.findings
    assert len(finding.covers) > 100
    told = re.search(r"(\d+) calls have this cause", finding.message)
    assert told is not None
    # A redirect says nothing about a request whose outcome is not specified, except a preflight. A repeated call is one call here.
    cases = (item.case for item in redirected.observations)
    odd = ExpectedOutcome.SURVIVED
    showing = {case.id for case in cases if case.expectation is not odd or case.check == "cors-preflight"}
    assert int(told[1]) == len(showing)


def test_the_finding_has_the_shortest_request_of_its_cause(redirected: Verification) -> None:
    (finding,) = redirected.findings
    severe = [one for one in finding.covers if one.severity is finding.severity and one.request]
    assert len(str(finding.request)) <= min(len(str(one.request)) for one in severe)


def test_every_check_that_failed_is_still_failed(redirected: Verification) -> None:
    failed = {name for name, outcome in redirected.outcomes.items() if outcome == "failed"}
    assert failed == {one.id.partition("/")[0] for one in flattened(redirected.findings)}
    assert failed >= {"valid-accepted", "invalid-refused", "no-key-refused"}


def test_a_baseline_of_the_findings_mutes_all_that_they_cover(redirected: Verification) -> None:
    known = Baseline.parse(Baseline.of(redirected.findings).to_json())
    applied = with_baseline(redirected, known)
    assert (applied.findings, len(applied.muted), applied.gone) == ((), len(flattened(redirected.findings)), ())


def test_what_a_baseline_does_not_know_of_a_cause_stays(redirected: Verification) -> None:
    first, second, *others = flattened(redirected.findings)
    (left,) = with_baseline(redirected, Baseline.of(others)).findings
    assert {left.id, *(one.id for one in left.covers)} == {first.id, second.id}


def a_finding(case: Case, got: int) -> Finding:
    name = f"{case.check}/{case.id}"
    return Finding(name, Severity.ERROR, Evidence.DOCUMENTED, "", "wrong", 400, got, witness=case.id)


def a_case(name: str, pointer: str, expectation: ExpectedOutcome = ExpectedOutcome.REFUSED) -> Case:
    check = "invalid-refused" if expectation is ExpectedOutcome.REFUSED else "valid-accepted"
    return Case(name, check, {}, expectation, Evidence.DOCUMENTED, pointer=pointer)


@pytest.mark.parametrize(
    ("calls", "count"),
    [
        ([("a/low", "/a", 200), ("a/high", "/a", 200)], 1),  # one property
        ([("a/low", "/a", 200), ("b/low", "/b", 200)], 2),  # two properties
        ([("a/low", "/a", 200), ("a/high", "/a", 500)], 2),  # two outcomes
        ([("a/null", "/a", 200), ("b/null", "/b", 200), ("c/null", "/c", 200)], 1),  # one rule everywhere
    ],
)
def test_faults_of_one_property_or_of_one_rule_are_one_cause(calls: list[tuple[str, str, int]], count: int) -> None:
    made = [(a_case(name, pointer), status) for name, pointer, status in calls]
    found = grouped([a_finding(case, got) for case, got in made], {case.id: case for case, _ in made}, {})
    assert len(found) == count


def test_a_status_in_calls_of_every_kind_is_one_cause() -> None:
    accepted = ExpectedOutcome.ACCEPTED
    cases = [a_case("a", "/a"), a_case("b", "/b"), a_case("c", "", accepted), a_case("d", "", accepted)]
    assert len(grouped([a_finding(case, 401) for case in cases], {case.id: case for case in cases}, {})) == 1


@pytest.mark.parametrize(
    ("statuses", "count"),
    [
        ([422] * 6, 1),  # the server's own status for refusals
        ([422] * 5 + [200], 2),  # and one call that it accepts
        ([422] * 5 + [400] * 5, 5),  # another status for some properties only
        ([500] * 6, 1),
        ([200] * 6, 1),  # a server that looks at nothing
    ],
)
def test_a_status_that_all_refusals_have_is_one_cause(statuses: list[int], count: int) -> None:
    made = {f"{number}/low": a_case(f"{number}/low", f"/{number}") for number in range(len(statuses))}
    wrong = [a_finding(case, got) for case, got in zip(made.values(), statuses, strict=True) if got != 400]
    assert (
        len(
            grouped([replace(one, id=f"{one.id}/{one.witness}/{number}") for number, one in enumerate(wrong)], made, {})
        )
        == count
    )


def accepted(name: str, body: dict[str, Any]) -> Case:
    return replace(a_case(name, "", ExpectedOutcome.ACCEPTED), body=body)


def test_valid_calls_that_fail_for_one_value_are_one_cause_which_is_named() -> None:
    refused = [accepted("one", {"ratio": "2:3", "count": 1}), accepted("two", {"ratio": "2:3", "count": 2})]
    others = [accepted("three", {"ratio": "1:1", "count": 1}), accepted("four", {"count": 2})]
    cases = {case.id: case for case in (*refused, *others)}
    (found,) = grouped([a_finding(case, 400) for case in refused], cases, {})
    assert found.message.endswith("2 calls have this cause: ratio = '2:3'")


def test_valid_calls_that_fail_without_a_value_of_their_own_stay_apart() -> None:
    refused = [accepted("one", {"ratio": "2:3", "count": 1}), accepted("two", {"ratio": "2:3", "count": 2})]
    other = accepted("three", {"ratio": "2:3", "count": 3})
    cases = {case.id: case for case in (*refused, other)}
    assert len(grouped([a_finding(case, 400) for case in refused], cases, {})) == 2


def test_an_invalid_call_that_breaks_the_server_like_valid_ones_has_their_cause() -> None:
    broken = [accepted("one", {"text": "a\nb", "count": 1}), accepted("two", {"text": "c\nd", "count": 2})]
    invalid = replace(a_case("three", "/count"), body={"text": "e\nf", "count": "x"})
    cases = {case.id: case for case in (*broken, invalid, accepted("four", {"text": "a", "count": 1}))}
    assert len(grouped([a_finding(case, 500) for case in (*broken, invalid)], cases, {})) == 1


def verified(
    content: bytes, media_type: str = "application/json", only: tuple[str, ...] = ("answer-strict",)
) -> Verification:
    """Return the verification of a server that gives one body to every call."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": media_type}, stream=httpx.ByteStream(content))

    with Target("http://127.0.0.1", "a-key-of-nobody", transport=httpx.MockTransport(answer)) as target:
        return verify(PROFILE, target, VerifyOptions(examples=0, only=only))


BODIES = ("answer-conforms", "answer-strict", "answer-media-type")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"hello": 1}', "the answer has hello instead of data, meta"),
        (b'{"a": 1, "b": 2, "c": 3, "d": 4}', "the answer has a, b, c and 1 more instead of data, meta"),
        (b"{}", "the answer has no data, meta"),
        (b'{"data": [{"uri": "https://example.com/a.png"}], "meta": {"usage": {"credits_used": 1}}}', "has uri instead of b64_json, url"),
        (b"[]", "[] is a list, not an object"),
        (b"<html>", "the body is not JSON"),
    ],
)  # fmt: skip
def test_a_body_of_another_service_is_one_cause_which_is_named(content: bytes, told: str) -> None:
    (found,) = verified(content, only=BODIES).findings
    assert told in found.message


def test_names_that_differ_in_other_calls_are_other_causes() -> None:
    faults = [
        Finding(f"answer-strict/{rule}", Severity.ERROR, Evidence.DOCUMENTED, f"/{name}", "wrong", name, None)
        for rule, name in (("absent", "data"), ("undocumented", "images"), ("undocumented", "seed"))
    ]
    calls = dict(zip(faults, (["a", "b"], ["a", "b"], ["b"]), strict=True))
    assert [len(one.covers) for one in grouped(faults, {}, calls)] == [1, 0]


def test_a_server_that_gives_one_page_to_every_call_has_one_finding() -> None:
    checks = ("answer-media-type", "cors-answer", "malformed-refused", "no-key-refused", "wrong-key-refused")
    (found,) = verified(b"<html>", "text/html", checks).findings
    assert found.message.endswith("every call was answered with 200")
    assert {*checks} == {one.id.partition("/")[0] for one in flattened([found])}


def test_an_answer_without_documented_headers_is_one_cause_and_one_without_those_for_pages_another() -> None:
    names = ("answer-headers/200-x-a", "refusal-headers/400-x-a", "client-id-echoed", "cors-answer/origin-success", "cors-preflight/origin")  # fmt: skip
    faults = [Finding(name, Severity.ERROR, Evidence.DOCUMENTED, "", "absent", "x", None) for name in names]
    assert [len(one.covers) for one in grouped(faults, {}, {})] == [2, 1]
