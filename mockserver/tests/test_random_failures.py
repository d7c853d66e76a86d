"""The latency and the failures of a whole run."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]


def _run(contract: Contract, call: Call, edit: Edit, number: int, **options: Any) -> list[int]:
    app = create_app(contract, Settings(**options))
    return [call(app, json=edit()).status_code for _ in range(number)]


def test_failures_by_chance_are_the_same_with_the_same_seed(contract: Contract, call: Call, edit: Edit) -> None:
    runs = [_run(contract, call, edit, 60, seed=seed, fail_rate=0.5) for seed in (3, 3, 4)]
    assert runs[0] == runs[1] != runs[2]
    assert {*runs[0]} == {200, 500, 502, 503, 504}


def test_the_share_of_failures_is_near_the_rate(contract: Contract, call: Call, edit: Edit) -> None:
    statuses = _run(contract, call, edit, 1500, seed=1, fail_rate=0.2)
    assert 0.17 < sum(status != 200 for status in statuses) / len(statuses) < 0.23


@pytest.mark.parametrize(("rate", "failures"), [(0.0, 0), (1.0, 30)])
def test_a_rate_of_0_never_fails_and_a_rate_of_1_always_fails(
    contract: Contract, call: Call, edit: Edit, rate: float, failures: int
) -> None:
    assert sum(status != 200 for status in _run(contract, call, edit, 30, fail_rate=rate)) == failures


@pytest.mark.parametrize("asked", ["code=201", "code=429", "fault=empty"])
def test_a_call_with_a_directive_does_not_fail_by_chance(
    contract: Contract, call: Call, edit: Edit, asked: str
) -> None:
    app = create_app(contract, Settings(fail_rate=1))
    wanted = int(asked[5:]) if asked.startswith("code=") else 200
    assert call(app, json=edit(), headers={"prefer": asked}).status_code == wanted


def test_a_scripted_answer_does_not_fail_by_chance(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(fail_rate=1))
    app.play({"answers": [{"dialect": "quick-example"}]})
    assert "images" in call(app, json=edit()).json()


def test_a_failure_by_chance_costs_nothing(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(fail_rate=1))
    app.play({"limits": {"credits": 84_000}})
    call(app, json=edit())
    assert call(app, "/v1/billing/balance", method="GET").json()["balance"] == 84_000


def test_a_failure_by_chance_has_the_vendors_envelope(contract: Contract, call: Call, edit: Edit) -> None:
    answer = call(create_app(contract, Settings(fail_rate=1)), json=edit())
    findings = contract.operation().validate_response(
        answer.status_code, answer.headers["content-type"], answer.content, strict=False
    )
    assert findings == []


def test_the_latency_of_a_run_delays_every_answer(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(latency_s=(0.03, 0.04)))
    bodies: list[dict[str, Any]] = [edit(), {}]
    took = [call(app, json=body).elapsed.total_seconds() for body in bodies]
    assert min(took) >= 0.03


def test_a_requested_delay_replaces_the_latency(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(latency_s=(3600, 3600)))
    assert call(app, json=edit(), headers={"prefer": "delay=0"}).status_code == 200
