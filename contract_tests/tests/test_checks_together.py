"""Checks of several calls together: prices in proportion, and repeated calls with the same outcome."""

import json
from dataclasses import replace
from typing import Any

import pytest
from bodydouble_contract_tests.checks.observations import check_observation, check_observations
from bodydouble_contract_tests.model.cases import Case, Credential, ExpectedOutcome, Observation, Trouble
from bodydouble_contract_tests.model.catalogue import catalogue
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_spec import Contract, Evidence, Severity
from hypothesis import given
from hypothesis import strategies as st

PROFILE = OperationProfile(Contract.load())
PRICE = 84000


def an_answer(count: int, used: Any, came: int | None = None) -> Observation:
    """Return the observation of a call for ``count`` pictures that cost ``used`` credits."""
    case = Case(f"count/{count}", "image-count", {"num_images": count}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    data = [{"url": "https://a.example/b.png", "b64_json": None}] * (count if came is None else came)
    body = {"data": data, "meta": {"usage": {"credits_used": used}}}
    return Observation(case, b"", 200, {"content-type": "application/json"}, json.dumps(body).encode())


def repeated(*statuses: int | None, expectation: ExpectedOutcome = ExpectedOutcome.ACCEPTED) -> list[Observation]:
    """Return equal calls with these statuses; None stands for no answer."""
    evidence, repeats = Evidence.DOCUMENTED, len(statuses)
    case = Case("again", "answers-steadily", {"num_images": 1}, expectation, evidence, repeats=repeats)
    return [
        Observation(case, b"", status, number=number, trouble=Trouble.TIMEOUT if status is None else None)
        for number, status in enumerate(statuses)
    ]


@given(counts=st.lists(st.integers(1, 4), max_size=6), price=st.integers(1, 10**6))
def test_a_price_in_proportion_is_no_finding(counts: list[int], price: int) -> None:
    assert check_observations(PROFILE, [an_answer(count, count * price) for count in counts]) == []


@given(counts=st.lists(st.integers(1, 4), min_size=2, unique=True), data=st.data())
def test_a_price_out_of_proportion_is_one_finding_of_info(counts: list[int], data: st.DataObject) -> None:
    dear = data.draw(st.sampled_from(counts))
    seen = [an_answer(count, count * PRICE + (count == dear)) for count in counts]
    (found,) = check_observations(PROFILE, seen)
    assert (found.id, found.severity, found.pointer) == (
        "credits-proportional",
        Severity.INFO,
        "/meta/usage/credits_used",
    )


def test_a_price_out_of_proportion_says_what_was_charged() -> None:
    (found,) = check_observations(PROFILE, [an_answer(4, PRICE), an_answer(1, PRICE)])
    assert (found.message, found.expected, found.got) == (
        "credits are not in proportion to the number of pictures: 84000 for 1, 84000 for 4",
        {"1": PRICE, "4": 4 * PRICE},
        {"1": PRICE, "4": PRICE},
    )


@pytest.mark.parametrize(
    "odd",
    [
        an_answer(4, PRICE, came=1),  # another number of pictures than promised, which is the fault
        an_answer(4, 0),
        an_answer(4, "dear"),
        Observation(an_answer(4, PRICE).case, b"", 500),
        Observation(an_answer(4, PRICE).case, b"", 200, content=b"{"),
    ],
)
def test_a_call_with_another_fault_says_nothing_about_proportion(odd: Observation) -> None:
    assert check_observations(PROFILE, [an_answer(1, PRICE), odd]) == []


def test_one_call_at_another_price_is_not_about_proportion() -> None:
    seen = [an_answer(1, PRICE), an_answer(1, PRICE), an_answer(1, 2 * PRICE), an_answer(2, 2 * PRICE)]
    assert check_observations(PROFILE, seen) == []


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((200,) * 20, []),
        ((200,) * 17 + (500, 503, 500), ["answers-steadily/5xx"]),
        ((200, 400), ["answers-steadily/mixed"]),
        ((200, 400, 502), ["answers-steadily/5xx", "answers-steadily/mixed"]),
        ((400, 500), ["answers-steadily/5xx"]),
        ((400, 400), ["valid-accepted/again"]),
        ((500, 503), ["valid-accepted/again"]),
        ((None, 200), []),
        ((None, None), []),
    ],
)
def test_repeated_calls_with_different_outcomes_are_found(
    statuses: tuple[int | None, ...], expected: list[str]
) -> None:
    assert sorted(found.id for found in check_observations(PROFILE, repeated(*statuses))) == expected


def test_equal_requests_of_different_cases_are_compared() -> None:
    (first, second) = repeated(200, 503)
    seen = [
        replace(item, case=replace(item.case, id=name, repeats=1))
        for name, item in zip("ab", (first, second), strict=True)
    ]
    assert [(found.id, found.witness) for found in check_observations(PROFILE, seen)] == [("answers-steadily/5xx", "b")]
    with_other_key = replace(seen[1], case=replace(seen[1].case, credential=Credential.WRONG))
    assert check_observations(PROFILE, [seen[0], with_other_key]) == []


def test_the_share_of_5xx_is_reported() -> None:
    found = check_observations(PROFILE, repeated(*([200] * 17), 500, 500, 503))
    assert [item.message for item in found] == ["3 of 20 equal calls gave 5xx (17 x 200, 2 x 500, 1 x 503)"]


def test_repeated_refusals_are_checked_like_one() -> None:
    seen = repeated(200, 200, expectation=ExpectedOutcome.REFUSED)
    assert [found.id for found in check_observations(PROFILE, seen)] == ["invalid-refused/again"]


def test_the_status_of_a_repeated_call_is_left_to_all_of_them() -> None:
    assert [found.id for item in repeated(500, None) for found in check_observation(PROFILE, item)] == [
        "answer-in-time/again"
    ]


@given(st.lists(st.sampled_from([None, 200, 204, 302, 400, 401, 500, 503]), min_size=2, max_size=20))
def test_every_finding_of_several_calls_is_of_a_known_check_and_reported_once(statuses: list[int | None]) -> None:
    found = check_observations(PROFILE, repeated(*statuses))
    assert {item.id.partition("/")[0] for item in found} <= {check.id for check in catalogue(PROFILE)}
    assert len({item.fingerprint for item in found}) == len(found)
