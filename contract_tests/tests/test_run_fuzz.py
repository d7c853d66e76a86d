from collections.abc import Callable
from typing import Any

import pytest
from bodydouble_contract_tests.model.cases import Case, ExpectedOutcome
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_contract_tests.plan.planner import make_plan
from bodydouble_contract_tests.run.fuzz import examine_generated
from bodydouble_spec import Contract, Evidence, Finding, Severity, is_object

Fault = Callable[[Any], bool]


@pytest.fixture(scope="module")
def profile(vendored: Contract) -> OperationProfile:
    return OperationProfile(vendored)


class _Server:
    """Answer every call with a finding for each fault whose condition the body meets."""

    def __init__(self, **faults: Fault) -> None:
        self._faults = faults
        self.calls: list[Case] = []

    def examine(self, case: Case) -> list[Finding]:
        self.calls.append(case)
        return [
            Finding(name, Severity.ERROR, Evidence.DOCUMENTED, "", "wrong", request=case.body)
            for name, is_shown in self._faults.items()
            if is_object(case.body) and is_shown(case.body)
        ]


def _is_wide(body: Any) -> bool:
    return bool(body.get("aspect_ratio") == "16:9")


def _is_double(body: Any) -> bool:
    return bool(body.get("num_images") == 2)


def test_every_distinct_finding_is_returned_once(profile: OperationProfile) -> None:
    server = _Server(always=lambda _: True, wide=_is_wide, double=_is_double)
    found = examine_generated(profile, server.examine, examples=150, seed=0)
    assert sorted(finding.id for finding in found) == ["always", "double", "wide"]


@pytest.mark.parametrize("seed", range(4))
def test_a_finding_comes_with_a_request_in_which_nothing_else_is_unusual(profile: OperationProfile, seed: int) -> None:
    server = _Server(wide=_is_wide, double=_is_double)
    usual = make_plan(profile, is_billed=False).paid[0].body
    found = examine_generated(profile, server.examine, examples=40, seed=seed)
    assert found
    for finding in found:
        changed = {"wide": {"aspect_ratio": "16:9"}, "double": {"num_images": 2}}[finding.id]
        assert finding.request == usual | changed


def test_a_severe_finding_is_kept_before_a_shorter_request_that_shows_a_mild_one(profile: OperationProfile) -> None:
    def examine(case: Case) -> list[Finding]:
        severity = Severity.ERROR if is_object(case.body) and _is_wide(case.body) else Severity.INFO
        return [Finding("same", severity, Evidence.DOCUMENTED, "", "wrong")]

    (found,) = examine_generated(profile, examine, examples=60, seed=0)
    assert found.severity is Severity.ERROR


def test_the_same_seed_makes_the_same_calls_and_another_one_others(profile: OperationProfile) -> None:
    servers = [_Server(wide=_is_wide) for _ in range(3)]
    for server, seed in zip(servers, (3, 3, 4), strict=True):
        examine_generated(profile, server.examine, examples=40, seed=seed)
    first, second, third = (server.calls for server in servers)
    assert (first == second, first == third) == (True, False)


def test_no_call_is_made_twice(profile: OperationProfile) -> None:
    server = _Server(wide=_is_wide, double=_is_double)
    examine_generated(profile, server.examine, examples=60, seed=0)
    assert len({case.id for case in server.calls}) == len(server.calls)


def test_a_server_without_faults_gets_no_more_calls_than_asked_for(contract: Contract) -> None:
    server = _Server()
    assert examine_generated(OperationProfile(contract), server.examine, examples=20, seed=0) == []
    assert 0 < len(server.calls) <= 20


def test_no_finding_costs_more_than_sixty_calls(profile: OperationProfile) -> None:
    server = _Server(long=lambda body: len(str(body)) > 150)
    examine_generated(profile, server.examine, examples=40, seed=0)
    assert len(server.calls) <= 40 + 60


def test_valid_invalid_and_odd_requests_have_their_own_expectations(profile: OperationProfile) -> None:
    server = _Server()
    examine_generated(profile, server.examine, examples=150, seed=0)
    assert {case.expectation for case in server.calls} == set(ExpectedOutcome) - {ExpectedOutcome.UNAUTHORIZED}
    for case in server.calls:
        is_invalid = bool(profile.operation.validate_request(case.body))
        expected = ExpectedOutcome.SURVIVED if profile.is_unspecified(case.body) else ExpectedOutcome.ACCEPTED
        assert case.expectation is (ExpectedOutcome.REFUSED if is_invalid else expected)


def test_success_with_a_property_outside_the_contract_is_only_inferred(profile: OperationProfile) -> None:
    server = _Server()
    examine_generated(profile, server.examine, examples=150, seed=0)
    accepted = [case for case in server.calls if case.expectation is ExpectedOutcome.ACCEPTED]
    assert {(bool(case.body.keys() - profile.properties.keys()), case.evidence) for case in accepted} == {
        (True, Evidence.INFERRED),
        (False, Evidence.DOCUMENTED),
    }


def test_generated_calls_ask_for_few_pictures(profile: OperationProfile) -> None:
    server = _Server()
    examine_generated(profile, server.examine, examples=150, seed=0)
    assert max(case.images for case in server.calls if case.expectation is not ExpectedOutcome.REFUSED) == 2


def test_an_error_of_the_caller_ends_the_search_at_once(profile: OperationProfile) -> None:
    calls: list[Case] = []

    def examine(case: Case) -> list[Finding]:
        calls.append(case)
        raise ConnectionError("the network is gone")

    with pytest.raises(ConnectionError, match="the network is gone"):
        examine_generated(profile, examine, examples=25, seed=0)
    assert len(calls) == 1


def test_an_operation_that_accepts_anything_gets_valid_calls_only(contract_of: Callable[..., Contract]) -> None:
    server = _Server()
    examine_generated(OperationProfile(contract_of({})), server.examine, examples=10, seed=0)
    assert ExpectedOutcome.REFUSED not in {case.expectation for case in server.calls}


def test_a_text_of_100_000_characters_gives_no_warning_of_hypothesis(contract_of: Callable[..., Contract]) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 100_000}}}
    found = examine_generated(
        OperationProfile(contract_of(schema)), _Server(always=lambda _: True).examine, examples=5, seed=0
    )
    assert [finding.id for finding in found] == ["always"]
