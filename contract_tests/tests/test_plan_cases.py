import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests.model.cases import Case, Credential, ExpectedOutcome, Plan
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_contract_tests.plan.planner import make_plan
from bodydouble_contract_tests.run.caller import form_headers, sent_bytes
from bodydouble_contract_tests.target.http import Target
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Evidence
from bodydouble_spec.oracle import Oracle


@pytest.fixture(scope="module")
def profile(vendored: Contract) -> OperationProfile:
    return OperationProfile(vendored)


@pytest.fixture(scope="module")
def plan(profile: OperationProfile) -> Plan:
    """Return the plan for a server that costs nothing: every kind of call but pairs."""
    return make_plan(profile, is_billed=False)


def _send(profile: OperationProfile, calls: tuple[Case, ...]) -> dict[str, int | None]:
    """Return the status of each call, sent to the unchanged mock."""
    app = create_app(profile.contract, Settings(api_keys=("mine-and-long",)))
    with Target("http://localhost", "mine-and-long", transport=MockTransport(app)) as target:
        return {case.id: _status(profile, target, case) for case in calls}


def _status(profile: OperationProfile, target: Target, case: Case) -> int | None:
    operation, body = profile.operation, sent_bytes(profile, case)
    method = (case.form and case.form.method) or operation.method
    path, headers = profile.target
    headers = {**headers, **form_headers(profile, case, body)}
    return target.send(method, path, body, case.credential, operation.security, headers).status


def _is_met(profile: OperationProfile, case: Case, status: int | None) -> bool:
    assert status is not None
    if case.statuses:
        return status in case.statuses
    match case.expectation:
        case ExpectedOutcome.ACCEPTED:
            return status == profile.operation.success_status
        case ExpectedOutcome.REFUSED if case.evidence is Evidence.ASSUMED:
            # The mock reports what breaks an assumed rule alone, and answers it.
            return status in {400, profile.operation.success_status}
        case ExpectedOutcome.REFUSED:
            return status == 400
        case ExpectedOutcome.UNAUTHORIZED:
            return status == 401
        case ExpectedOutcome.SURVIVED:
            return status < 500


def _about_values(plan: Plan) -> list[Case]:
    """Return the calls whose values decide, not their bytes, method or headers."""
    return [case for case in plan.calls if case.form is None]


def test_the_mock_meets_the_expectation_of_every_call(contract: Contract) -> None:
    profile = OperationProfile(contract)
    calls = make_plan(profile, is_billed=False).calls
    statuses = _send(profile, calls)
    assert [(case.id, statuses[case.id]) for case in calls if not _is_met(profile, case, statuses[case.id])] == []


def test_calls_have_the_media_type_of_the_json_that_the_contract_names(vendored: Contract) -> None:
    document = copy.deepcopy(dict(vendored.published))
    (item,) = document["paths"].values()
    content = item["post"]["requestBody"]["content"]
    content["application/vnd.api+json"] = content.pop("application/json")
    profile = OperationProfile(Contract.load(document))
    calls = tuple(case for case in make_plan(profile, is_billed=False).calls if case.id.startswith(("form/", "odd/")))
    assert {*_send(profile, calls).values()} == {200}


def test_what_must_be_refused_breaks_the_contract_and_nothing_else_does(contract: Contract) -> None:
    profile = OperationProfile(contract)
    for case in _about_values(make_plan(profile, is_billed=False)):
        assert bool(profile.operation.validate_request(case.body)) == (case.expectation is ExpectedOutcome.REFUSED), (
            case.id
        )


def test_a_second_validator_refuses_the_same_calls(profile: OperationProfile, plan: Plan) -> None:
    oracle = Oracle(profile.contract)
    # It uses Python's re, where a pattern can also end before a final line break.
    calls = [case for case in _about_values(plan) if not case.id.endswith("line-break-after")]
    for case in calls:
        errors = oracle.request_errors(profile.operation, orjson.dumps(case.body))
        assert bool(errors) == (case.expectation is ExpectedOutcome.REFUSED), case.id


def test_no_call_that_must_succeed_has_an_unspecified_outcome(profile: OperationProfile, plan: Plan) -> None:
    sure = [case for case in plan.calls if case.expectation is ExpectedOutcome.ACCEPTED]
    assert [case.id for case in sure if profile.is_unspecified(case.body)] == []


def test_a_call_with_a_wrong_number_of_pictures_costs_what_it_asks_for(plan: Plan) -> None:
    (case,) = [case for case in plan.free if case.id == "refusal/num_images/maximum+1"]
    assert (case.body["num_images"], case.images) == (5, 5)


def test_a_valid_boundary_that_a_paid_call_has_is_not_sent_again(plan: Plan) -> None:
    sent = [case.id for case in plan.unpaid]
    assert "boundary/num_images/fraction" in sent
    assert not any(
        name.startswith(("boundary/aspect_ratio", "boundary/num_images/m", "boundary/provider/known=")) for name in sent
    )


def test_calls_without_a_valid_key_are_otherwise_fine(profile: OperationProfile, plan: Plan) -> None:
    cases = [case for case in plan.free if case.credential is not Credential.KEY]
    cases = [case for case in cases if case.form is None]
    assert {case.credential for case in cases} == {*Credential} - {Credential.KEY, Credential.SMALL_SCHEME}
    assert [profile.operation.validate_request(case.body) for case in cases] == [[]] * len(cases)


def test_an_open_operation_is_not_asked_for_a_key(contract_of: Callable[..., Contract]) -> None:
    plan = make_plan(OperationProfile(contract_of({"type": "object"})), is_billed=False)
    assert {case.credential for case in plan.calls} == {Credential.KEY}


_ODD: dict[str, Callable[[Any], bool]] = {
    "prompt-empty": lambda prompt: prompt == "",
    "prompt-4000-characters": lambda prompt: len(prompt) == 4000,
    "prompt-nul": lambda prompt: "\0" in prompt,
    "image_urls-0-items": lambda inputs: inputs == [],
    "image_urls-14-items": lambda inputs: len(inputs) == 14,
}


@pytest.mark.parametrize("name", _ODD)
def test_an_odd_request_has_one_odd_thing_and_is_to_be_survived(plan: Plan, name: str) -> None:
    (case,) = [case for case in plan.unpaid if case.id == f"odd/{name}"]
    usual = plan.paid[0].body
    (changed,) = [key for key in usual if case.body[key] != usual[key]]
    assert case.expectation is ExpectedOutcome.SURVIVED
    assert _ODD[name](case.body[changed])
