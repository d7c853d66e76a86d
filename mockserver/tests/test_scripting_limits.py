"""Limits of an account: calls per minute, and credits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.answer.image_fields import Cost
from bodydouble_mockserver.scripting.state import Account, Limits, key_hash
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
PRICE = 84_000
MESSAGE = (
    "You've run out of credits. Please top up your balance or update your payment method to continue: "
    "https://aimlapi.com/app/billing/"
)


@dataclass
class Clock:
    """A clock in seconds since the epoch, set by the test."""

    now: float = 1_780_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Mock:
    """A mock server with a clock that the test sets, and the calls of these tests."""

    call: Call
    edit: Edit
    app: MockServer
    clock: Clock = field(default_factory=Clock)

    def ask(self, key: str = "a-key", prefer: str = "", **body: Any) -> httpx.Response:
        headers = {"prefer": prefer} if prefer else {}
        return self.call(self.app, json=self.edit(**body), key=key, headers=headers)

    def statuses(self, number: int, key: str = "a-key") -> list[int]:
        return [self.ask(key).status_code for _ in range(number)]

    def balance(self, key: str = "a-key") -> Any:
        return self.call(self.app, "/v1/billing/balance", method="GET", key=key).json()["balance"]


@pytest.fixture(scope="module")
def shared(contract: Contract, call: Call, edit: Edit) -> Mock:
    clock = Clock()
    return Mock(call, edit, create_app(contract, Settings(seed=1, clock=clock)), clock)


@pytest.fixture
def mock(shared: Mock) -> Mock:
    """Reset limits and balances."""
    shared.app.reset()
    return shared


def test_calls_beyond_the_limit_of_a_minute_are_429_until_it_is_over(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 2}})
    first = mock.statuses(3)
    mock.clock.now += 59.9
    second = mock.statuses(1)
    mock.clock.now += 0.1
    assert (first, second, mock.statuses(3)) == ([200, 200, 429], [429], [200, 200, 429])


def test_the_minute_slides(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 2}})
    seen: list[int] = []
    for _ in range(6):
        seen += mock.statuses(1)
        mock.clock.now += 25
    assert seen == [200, 200, 429, 200, 200, 429]


def test_each_key_has_a_minute_of_its_own(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 1}})
    assert [mock.statuses(2, "first"), mock.statuses(2, "second")] == [[200, 429], [200, 429]]


def test_a_429_has_the_vendors_message(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 0}})
    assert mock.ask().json()["message"] == "Too Many Requests"


@pytest.mark.parametrize(("is_said", "said"), [(True, "41"), (False, None)])
def test_a_429_has_retry_after_only_where_it_is_configured(mock: Mock, is_said: bool, said: str | None) -> None:
    mock.app.play({"limits": {"requests_per_minute": 1, "retry_after": is_said}})
    mock.ask()
    mock.clock.now += 19.5
    assert mock.ask().headers.get("retry-after") == said


def test_waiting_for_retry_after_is_enough(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 1, "retry_after": True}})
    mock.ask()
    mock.clock.now += 0.7
    mock.clock.now += int(mock.ask().headers["retry-after"])
    assert mock.statuses(1) == [200]


def test_a_preferred_retry_after_replaces_that_of_the_limit(mock: Mock) -> None:
    mock.app.play({"limits": {"requests_per_minute": 0, "retry_after": True}})
    assert mock.ask(prefer="retry-after=3").headers.get_list("retry-after") == ["3"]


def test_a_call_without_enough_credits_is_403_with_the_documented_message(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": PRICE}})
    mock.ask()
    answer = mock.ask()
    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "name": "ForbiddenException",
        "message": MESSAGE,
        "data": {"kind": "err_insufficent_credits"},
    }


@pytest.mark.parametrize(
    ("balance", "statuses"), [(0, [403, 403]), (PRICE - 1, [403, 403]), (PRICE, [200, 403]), (2 * PRICE, [200, 200])]
)
def test_credits_can_be_spent_to_the_last_one(mock: Mock, balance: int, statuses: list[int]) -> None:
    mock.app.play({"limits": {"credits": balance}})
    assert mock.statuses(2) == statuses


def test_a_cheaper_call_can_succeed_where_a_dearer_one_is_refused(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": 2 * PRICE}})
    assert [mock.ask(num_images=3).status_code, mock.ask(num_images=2).status_code] == [403, 200]


def test_both_billing_routes_show_the_balance(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": 100 * PRICE}})
    mock.ask(num_images=4)
    billing = mock.call(mock.app, "/v2/billing", method="GET").json()
    assert (mock.balance(), billing["current_balance"]) == (96 * PRICE, pytest.approx(96 * 0.042))


def test_a_low_balance_is_flagged(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": 2_000_000}})
    before, _, after = (
        mock.call(mock.app, "/v1/billing/balance", method="GET").json(),
        mock.ask(),
        mock.call(mock.app, "/v1/billing/balance", method="GET").json(),
    )
    assert [before["lowBalance"], after["lowBalance"]] == [False, True]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param({"num_images": 9}, id="400"),
        pytest.param({"prefer": "code=500"}, id="forced 500"),
        pytest.param({"prefer": "code=429"}, id="forced 429"),
        pytest.param({"key": ""}, id="401"),
    ],
)
def test_a_request_that_fails_costs_nothing(mock: Mock, failure: dict[str, Any]) -> None:
    mock.app.play({"limits": {"credits": PRICE}})
    assert mock.ask(**failure).status_code >= 400
    assert (mock.balance(), mock.statuses(2)) == (PRICE, [200, 403])


def test_a_call_refused_by_the_rate_limit_costs_nothing(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": 5 * PRICE, "requests_per_minute": 1}})
    assert (mock.statuses(3), mock.balance()) == ([200, 429, 429], 4 * PRICE)


def test_new_limits_reset_the_usage(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": PRICE}})
    mock.ask()
    mock.app.play({"limits": {"credits": PRICE}})
    assert mock.balance() == PRICE


def test_a_script_without_limits_keeps_the_current_ones(mock: Mock) -> None:
    mock.app.play({"limits": {"credits": 0}})
    mock.app.play({"answers": []})
    assert mock.statuses(1) == [403]


def test_a_scripted_error_costs_nothing(mock: Mock) -> None:
    mock.app.play({"answers": [{"status": 503}], "limits": {"credits": PRICE}})
    assert (mock.statuses(3), mock.balance()) == ([503, 200, 403], 0)


def test_balances_are_those_of_a_simple_model(mock: Mock) -> None:
    start = 6 * PRICE
    keys = st.sampled_from(["first", "second", "third"])

    class Balances(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            mock.app.reset()
            mock.app.play({"limits": {"credits": start}})
            self.left = dict.fromkeys(["first", "second", "third"], start)

        @rule(key=keys, count=st.integers(1, 4), prefer=st.sampled_from(["", "code=201", "fault=empty"]))
        def succeed(self, key: str, count: int, prefer: str) -> None:
            is_enough = self.left[key] >= count * PRICE
            self.left[key] -= count * PRICE * is_enough
            assert (mock.ask(key, prefer, num_images=count).status_code < 300) is is_enough

        @rule(key=keys, count=st.integers(5, 9), prefer=st.sampled_from(["", "code=500", "code=403", "delay=x"]))
        def fail(self, key: str, count: int, prefer: str) -> None:
            assert mock.ask(key, prefer, num_images=count).status_code >= 400

        @invariant()
        def balances_agree(self) -> None:
            assert {key: mock.balance(key) for key in self.left} == self.left

    run_state_machine_as_test(Balances, settings=settings(max_examples=20, stateful_step_count=15, deadline=None))


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab")), max_size=60), st.integers(0, 4))
def test_no_minute_ever_has_more_calls_than_the_limit(calls: list[tuple[int, str]], most: int) -> None:
    account = Account(Limits(requests_per_minute=most))
    handled: list[tuple[float, str]] = []
    now = 0.0
    for wait, key in calls:
        now += wait
        limited = account.charge(key, Cost(None, None), now)
        recent = [time for time, other in handled if other == key and time > now - 60]
        assert (limited is None) is (len(recent) < most)
        if limited is None:
            handled.append((now, key))


def test_an_account_remembers_a_bounded_number_of_keys() -> None:
    account = Account(Limits(requests_per_minute=1, credits=10))
    for number in range(10_001):
        account.charge(str(number), Cost(1, None), 0)
    oldest, next_oldest = "0", "1"
    assert [account.credits_left(oldest), account.credits_left(next_oldest)] == [10, 9]
    assert account.charge(next_oldest, Cost(1, None), 0) is not None
    assert account.charge(oldest, Cost(1, None), 0) is None


def test_the_hash_of_a_key_is_short_salted_and_empty_without_a_key() -> None:
    first, second = (key_hash(b"key", salt) for salt in (b"a", b"b"))
    assert (len(first), first != second, key_hash(b"key", b"a") == first, key_hash(b"", b"a")) == (8, True, True, "")
