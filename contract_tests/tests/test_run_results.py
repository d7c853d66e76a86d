"""The outcome of a check: a remark is no failure."""

import pytest
from bodydouble_contract_tests.model import OperationProfile, catalogue
from bodydouble_contract_tests.run.results import Results
from bodydouble_spec import Contract, Evidence, Finding, Severity

PROFILE = OperationProfile(Contract.load())


@pytest.mark.parametrize(
    ("severities", "outcome"),
    [
        ([], "not run"),
        ([Severity.INFO], "passed with remarks"),
        ([Severity.WARNING], "failed"),
        ([Severity.INFO, Severity.ERROR, Severity.INFO], "failed"),
    ],
)
def test_a_check_with_information_only_passed_with_remarks(severities: list[Severity], outcome: str) -> None:
    results = Results(PROFILE, catalogue(PROFILE))
    results.add(
        Finding(f"image-count/{number}", severity, Evidence.ASSUMED, "", "a finding")
        for number, severity in enumerate(severities)
    )
    assert results.outcomes()["image-count"] == outcome
