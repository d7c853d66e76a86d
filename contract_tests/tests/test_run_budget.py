"""Spending and waiting: budgets, charges, and the pauses that a server asks for."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from bodydouble_contract_tests.run.budget import spending_limit_of
from bodydouble_contract_tests.run.caller import WaitBudget, retry_after_s
from bodydouble_contract_tests.run.charges import Charge, charge_of
from bodydouble_contract_tests.spending import Budget
from bodydouble_contract_tests.target.http import Received
from bodydouble_contract_tests.target.server import is_billed
from bodydouble_contract_tests.verification import (
    CannotVerify,
    Case,
    Credential,
    ExpectedOutcome,
    OperationProfile,
    Trouble,
    plan_verification,
)
from bodydouble_spec import Contract, Evidence
from hypothesis import example, given, settings
from hypothesis import strategies as st

PRICE = 0.042
CASE = Case("success/two", "valid-accepted", {"num_images": 2}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, images=2)
DOCUMENTED = Charge(2, 168_000, 2 * PRICE)
FREE = Charge()


@settings(max_examples=100)
@given(
    st.floats(0, 2),
    st.floats(0.001, 0.5),
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), max_size=40),
)
@example(0.042 * 15, 0.042, [(1, 1.0)] * 16)
def test_no_call_is_allowed_whose_worst_case_exceeds_the_budget(
    max_usd: float, price: float, calls: list[tuple[int, float]]
) -> None:
    budget = Budget(max_usd, price)
    for images, share in calls:
        reservation = budget.reserve(images)
        if reservation is not None:
            budget.settle(reservation, reservation.usd * share)
    assert budget.spent_usd <= max_usd + 1e-5


def test_as_many_pictures_as_the_budget_pays_for_can_be_bought() -> None:
    budget = Budget(0.63, PRICE)
    bought = [budget.reserve(1) for _ in range(16)]
    assert [item is not None for item in bought] == [True] * 15 + [False]


def test_what_is_under_way_counts_until_it_is_settled() -> None:
    budget = Budget(0.1, PRICE)
    first = budget.reserve(2)
    assert first is not None
    assert (budget.reserve(1), round(budget.left_usd, 6)) == (None, 0.016)
    budget.settle(first, 0.0)
    assert (budget.left_usd, budget.reserve(2) is not None) == (0.1, True)


def test_overcharging_leaves_nothing_but_free_calls() -> None:
    budget = Budget(0.75, PRICE)
    reservation = budget.reserve(1)
    assert reservation is not None
    budget.settle(reservation, 0.9)
    assert (budget.left_usd, budget.reserve(1), budget.reserve(0) is not None) == (0.0, None, True)


@pytest.mark.parametrize(
    ("received", "answer", "charged"),
    [
        (Received(200), {"meta": {"usage": {"credits_used": 168_000}}}, DOCUMENTED),
        (Received(200), {"meta": {"usage": {"credits_used": 1_000_000}}}, Charge(2, 1_000_000, 0.5)),
        (Received(200), {"meta": {"usage": {"credits_used": 2, "usd_spent": 0.3}}}, Charge(2, 168_000, 0.3)),
        (Received(200), {"meta": {"usage": {"usd_spent": 0.3}}}, Charge(2, 600_000, 0.3)),
        (Received(200, {"x-aimlapi-usd-spent": "0.500000000"}), {}, Charge(2, 1_000_000, 0.5)),
        (Received(200, {"x-aimlapi-credits-used": "1000000"}), {}, Charge(2, 1_000_000, 0.5)),
        (Received(200, {"x-aimlapi-usd-spent": "nan"}), {"meta": {"usage": {"credits_used": -1}}}, DOCUMENTED),
        (Received(200), None, DOCUMENTED),
        (Received(200, trouble=Trouble.WRONG_LENGTH), None, DOCUMENTED),
        (Received(200, trouble=Trouble.BROKEN), {"meta": {"usage": {"credits_used": 1}}}, DOCUMENTED),
        (Received(None, trouble=Trouble.TIMEOUT), None, DOCUMENTED),
        (Received(None, trouble=Trouble.BROKEN), None, DOCUMENTED),
        (Received(None, trouble=Trouble.UNREACHABLE, was_sent=False), None, FREE),
        (Received(200), {"meta": {"usage": {"credits_used": 1}}}, DOCUMENTED),
        (Received(200, {"x-aimlapi-credits-used": "1"}), {"meta": {"usage": {"credits_used": -5}}}, DOCUMENTED),
        (Received(200), {"meta": {"usage": {"credits_used": "1000000"}}}, Charge(2, 1_000_000, 0.5)),
        (Received(200), {"meta": {"usage": {"credits_used": [True, None]}}}, DOCUMENTED),
        (Received(200, {"x-aimlapi-usd-spent": "inf"}), None, DOCUMENTED),
        (Received(202), {"id": "job-1"}, DOCUMENTED),
        (Received(400), {"meta": {"usage": {"credits_used": 1_000_000}}}, Charge(0, 1_000_000, 0.5)),
        (Received(429, {"x-aimlapi-credits-used": "1000000"}), None, Charge(0, 1_000_000, 0.5)),
        (Received(400), {"message": "no"}, FREE),
        (Received(429), None, FREE),
        (Received(500), None, FREE),
    ],
)
def test_a_call_costs_the_larger_of_what_its_answer_says_and_the_price(
    profile: OperationProfile, received: Received, answer: Any, charged: Charge
) -> None:
    assert charge_of(profile, CASE, received, answer, PRICE) == charged


def test_a_call_without_a_valid_key_has_no_account_to_charge(profile: OperationProfile) -> None:
    case = Case(
        "no-key", "no-key-refused", {}, ExpectedOutcome.UNAUTHORIZED, Evidence.DOCUMENTED, credential=Credential.NONE
    )
    assert charge_of(profile, case, Received(200), {}, PRICE) == FREE


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("", 10),
        ("soon", 10),
        ("-5", 10),
        ("9" * 400, 999_999_999_999),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 1),
        ("\u0663", 10),
    ],
)
def test_a_pause_is_as_long_as_the_server_says_and_ten_seconds_otherwise(header: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": header}, 1_750_000_000.0) == seconds


def test_a_pause_may_be_a_date() -> None:
    now = datetime(2026, 6, 12, 10, tzinfo=UTC)
    header = format_datetime(now + timedelta(seconds=42), usegmt=True)
    assert retry_after_s({"retry-after": header}, now.timestamp()) == 42


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_header_gives_a_pause_of_at_least_a_second(header: str) -> None:
    seconds = retry_after_s({"retry-after": header}, 1_750_000_000.0)
    assert math.isfinite(seconds)
    assert seconds >= 1


def test_the_wait_budget_covers_all_pauses_together() -> None:
    wait_budget = WaitBudget(120)
    assert [wait_budget.take(seconds) for seconds in (70, 60, 50, 1)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("base_url", "billed"),
    [
        ("https://api.aimlapi.com", True),
        ("https://API.aimlapi.com./v1", True),
        ("http://api.aimlapi.com:8080", True),
        ("https://api.aimlapi.com.example.org", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_calls_to_the_servers_of_the_contract_cost_money(vendored: Contract, base_url: str, billed: bool) -> None:
    assert is_billed(OperationProfile(vendored), base_url) is billed


@pytest.mark.parametrize(
    ("billed", "max_usd", "price_usd", "said"),
    [
        (False, 1.0, None, "max_usd"),
        (True, -1.0, None, "max_usd"),
        (True, math.nan, None, "max_usd"),
        (True, None, 0.0, "price_usd"),
        (True, None, math.inf, "price_usd"),
    ],
)
def test_invalid_amounts_are_rejected(
    profile: OperationProfile, billed: bool, max_usd: float | None, price_usd: float | None, said: str
) -> None:
    with pytest.raises(CannotVerify, match=said):
        spending_limit_of(profile, billed=billed, max_usd=max_usd, price_usd=price_usd)


def test_without_a_price_in_the_contract_one_must_be_given(contract_of: Any) -> None:
    unpriced = OperationProfile(
        contract_of({"type": "object", "properties": {"size": {"type": "integer", "maximum": 3}}})
    )
    with pytest.raises(CannotVerify, match="price_usd"):
        plan_verification(unpriced, billed=True)
    assert plan_verification(unpriced, billed=True, price_usd=0.1, max_usd=1.0).images <= 10


@pytest.mark.parametrize("max_usd", [0.0, 0.1, 0.63, 0.75])
def test_a_plan_costs_no_more_than_its_budget(vendored: Contract, max_usd: float) -> None:
    plan = plan_verification(OperationProfile(vendored), billed=True, max_usd=max_usd)
    assert plan.images * PRICE <= max_usd + 1e-6


def test_a_check_that_does_not_exist_is_refused_with_those_that_do(profile: OperationProfile) -> None:
    with pytest.raises(CannotVerify, match=r"picture-pixles.*picture-pixels|picture-pixels.*picture-pixles"):
        plan_verification(profile, only=["picture-pixles"])
