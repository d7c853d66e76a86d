"""No false alarm: correct servers of different make, none of which knows the project, have no finding."""

from pathlib import Path

import pytest
from bodydouble_contract_tests.verification import OperationProfile, Target, Verification, VerifyOptions, verify
from bodydouble_spec import Contract, Severity

from contract_tests.tests.correct import KEY, SERVERS


@pytest.fixture(scope="module")
def profile() -> OperationProfile:
    """Return one profile for all servers, since it keeps its plan."""
    return OperationProfile(Contract.load())


@pytest.fixture(scope="module", params=list(SERVERS))
def result(request: pytest.FixtureRequest, profile: OperationProfile) -> Verification:
    make = SERVERS[request.param]
    with make() as origin, Target(origin, KEY, timeout_s=60) as target:
        # Generated calls cost more than all others together, so one server gets them.
        return verify(profile, target, VerifyOptions(examples=10 if request.param == "strict_on_asgi" else 0))


def test_it_has_no_finding_but_information(result: Verification) -> None:
    assert [finding.to_dict() for finding in result.findings if finding.severity is not Severity.INFO] == []
    assert result.incomplete is None


def test_every_element_of_the_contract_was_proved_on_it(result: Verification) -> None:
    assert {element for element, times in result.coverage.items() if not times} == set()


def test_the_servers_share_nothing_with_the_project() -> None:
    for file in (Path(__file__).parent / "correct").glob("*.py"):
        assert "bodydouble" not in file.read_text(encoding="utf-8")
