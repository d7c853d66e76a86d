"""The worth of the checks: each server with one deviation is found by the check named for it.

The suite tries every sixteenth server of each family, the same ones each time; ``BODYDOUBLE_MUTANTS=all`` tries all of them, as ``benchmarks/mutants.py`` does
by the default run.
"""

import os

import httpx
import pytest
from bodydouble_contract_tests.strategies.boundary import boundary_cases
from bodydouble_contract_tests.verification import OperationProfile, Target, VerifyOptions, catalogue, verify
from bodydouble_mockserver.server import Server, server_config
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Severity, flattened, is_object

from contract_tests.tests.mutants import KEY, Mutant, families, serve
from spec.tests.servers import serve_asgi

FAMILIES = families(Contract.load())
MUTANTS = tuple(mutant for family in FAMILIES.values() for mutant in family)
OVER_A_SOCKET = {
    "violation-unreachable-url",
    "fault-reset-mid-body",
    "fault-wrong-length",
    "status-201",
    "accepts-no-key",
    "picture-cut",
}


def found(mutant: Mutant, profile: OperationProfile, target: Target) -> set[str]:
    """Return the checks that have a finding: of the whole run, or of the calls for the mutant's own check."""
    only = None if mutant.needs_all else [mutant.check]
    findings = flattened(verify(profile, target, VerifyOptions(only=only, examples=0)).findings)
    return {finding.id.partition("/")[0] for finding in findings}


EVERY = 1 if os.environ.get("BODYDOUBLE_MUTANTS") == "all" else 16
IN_PROCESS = [mutant for family in FAMILIES.values() for mutant in family[::EVERY] if not mutant.needs_socket]


@pytest.mark.parametrize("mutant", IN_PROCESS, ids=lambda mutant: mutant.id)
def test_each_mutant_is_found_by_its_check(mutant: Mutant, profile: OperationProfile) -> None:
    server = serve(mutant, profile.contract)
    with Target("http://127.0.0.1", KEY, transport=MockTransport(server), timeout_s=3) as target:
        assert mutant.check in found(mutant, profile, target)
    server.close()


def test_a_missing_rule_is_missing_for_other_requests_than_ours_too(profile: OperationProfile) -> None:
    bodies = {f"accepts-{case.id}": case.body for case in boundary_cases(profile.contract) if is_object(case.body)}
    lenient = [mutant for mutant in MUTANTS if mutant.id in bodies]
    refused: list[str] = []
    for mutant in lenient:
        transport = MockTransport(serve(mutant, profile.contract))
        with httpx.Client(transport=transport, headers={"authorization": f"Bearer {KEY}"}) as client:
            body = {**bodies[mutant.id], "another": "property"}
            answer = client.post(f"http://127.0.0.1{profile.operation.path}", json=body)
        refused += [mutant.id] if answer.status_code != profile.operation.success_status else []
    assert len(lenient) >= 20
    assert refused == []


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if mutant.id in OVER_A_SOCKET], ids=lambda mutant: mutant.id
)
def test_a_mutant_is_found_over_a_socket_too(mutant: Mutant, profile: OperationProfile) -> None:
    server = Server(server_config(serve(mutant, profile.contract)))
    with serve_asgi(server) as origin, Target(origin, KEY, timeout_s=10) as target:
        assert mutant.check in found(mutant, profile, target)


def test_the_unchanged_server_gives_no_finding(profile: OperationProfile) -> None:
    server = serve(None, profile.contract)
    with Target("http://127.0.0.1", KEY, transport=MockTransport(server)) as target:
        findings = verify(profile, target, VerifyOptions(examples=0)).findings
    # The mock answers, and reports, what breaks an assumed rule alone.
    assert [finding for finding in findings if finding.severity is not Severity.INFO] == []
    server.close()


def test_there_are_more_than_three_hundred_and_each_has_its_name() -> None:
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS) >= 300
    assert len(OVER_A_SOCKET & {mutant.id for mutant in MUTANTS}) == 6


def test_every_check_has_a_mutant() -> None:
    # The two validators differ only where one of them is wrong.
    checks = {check.id for check in catalogue(OperationProfile(Contract.load()))} - {"answer-second-opinion"}
    assert checks == {mutant.check for mutant in MUTANTS}


def test_mutants_that_need_a_socket_are_tested_over_one() -> None:
    assert {mutant.id for mutant in MUTANTS if mutant.needs_socket} <= OVER_A_SOCKET
