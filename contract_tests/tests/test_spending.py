"""Spending caps: each limit holds, alone and together, also when processes share a ledger or are killed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.spending import Budget, DayLedger, Hold, SpendingCap, default_ledger
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 29, 23, 0, tzinfo=UTC)


def ledger(path: Path, max_usd: float = 1.0, hours: float = 0) -> DayLedger:
    return DayLedger(path / "ledger.jsonl", max_usd, lambda: NOW + timedelta(hours=hours))


def test_two_processes_share_the_limit_of_a_day(tmp_path: Path) -> None:
    one, other = ledger(tmp_path, 0.1), ledger(tmp_path, 0.1)
    first = one.reserve(0.06)
    assert first is not None
    assert other.reserve(0.06) is None
    one.settle(first, 0.0)
    assert other.reserve(0.06) is not None


def test_a_reservation_that_was_never_settled_counts_as_spent_for_that_day(tmp_path: Path) -> None:
    ledger(tmp_path).reserve(0.7)
    assert ledger(tmp_path).spent_usd() == pytest.approx(0.7)
    assert ledger(tmp_path, hours=2).spent_usd() == 0


def test_a_ledger_that_cannot_be_read_stops_the_spending(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("what?\n")
    with pytest.raises(CannotVerify, match="line 1 is not an entry of a ledger; repair it, or name another file"):
        ledger(tmp_path)
    with pytest.raises(CannotVerify, match="the ledger"):
        DayLedger(tmp_path, 1.0)


def test_the_ledger_is_in_the_folder_for_state(tmp_path: Path) -> None:
    assert default_ledger({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "bodydouble" / "spending.jsonl"


@pytest.mark.parametrize(
    ("limit", "option"), [("run", "--max-usd "), ("key", "--max-usd-per-key"), ("day", "--max-usd-per-day")]
)
def test_the_refusal_names_the_limit_and_leaves_the_others_as_they_were(
    tmp_path: Path, limit: str, option: str
) -> None:
    amounts = {"run": 1.0, "key": 1.0, "day": 1.0} | {limit: 0.05}
    run, day = Budget(amounts["run"]), ledger(tmp_path, amounts["day"])
    cap = SpendingCap(run, amounts["key"], day)
    refusal = cap.reserve(0.06, "a")
    assert isinstance(refusal, str)
    assert option in refusal
    assert (run.held_usd, run.spent_usd, day.spent_usd()) == (0, 0, 0)


def test_each_key_has_its_own_limit() -> None:
    cap = SpendingCap(Budget(1.0), 0.05)
    assert isinstance(cap.reserve(0.05, "a"), Hold)
    assert isinstance(cap.reserve(0.05, "a"), str)
    assert isinstance(cap.reserve(0.05, "b"), Hold)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9), st.booleans()), max_size=20))
def test_no_limit_is_ever_exceeded_while_calls_cost_what_was_reserved(calls: list[tuple[str, int, bool]]) -> None:
    run = Budget(0.30)
    cap, open_holds, spent = SpendingCap(run, 0.20), list[tuple[Hold, float]](), {"a": 0.0, "b": 0.0}
    for key, cents, ends in calls:
        hold = cap.reserve(cents / 100, key)
        if isinstance(hold, Hold):
            open_holds.append((hold, cents / 100))
            spent[key] += cents / 100
        if ends and open_holds:
            cap.settle(*open_holds.pop(0))
        assert sum(spent.values()) <= 0.30 + 1e-6
        assert max(spent.values()) <= 0.20 + 1e-6
    assert run.held_usd + run.spent_usd == pytest.approx(sum(spent.values()))
