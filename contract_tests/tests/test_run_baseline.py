"""A baseline mutes known findings, by fingerprint, and lists those that are gone."""

import json
from dataclasses import replace
from typing import Any

import pytest
from bodydouble_contract_tests.model.cases import Verification
from bodydouble_contract_tests.run.baseline import with_baseline
from bodydouble_spec import Evidence, Finding, Severity
from bodydouble_spec.report import BadBaseline, Baseline
from hypothesis import given
from hypothesis import strategies as st

RULES = ("image-count", "picture-pixels", "invalid-refused/maximum+1", "invalid-refused/minimum-1")
FINDINGS = tuple(Finding(rule, Severity.ERROR, Evidence.DOCUMENTED, "/n", f"about {rule}") for rule in RULES)
CHECKS = ("image-count", "picture-pixels", "invalid-refused")


def a_verification(*findings: Finding, **changes: Any) -> Verification:
    failed = {finding.id.partition("/")[0] for finding in findings}
    outcomes = {check: "failed" if check in failed else "passed" for check in CHECKS}
    return replace(Verification((), findings, outcomes), **changes)


@given(st.sets(st.sampled_from(FINDINGS)), st.sets(st.sampled_from(FINDINGS)))
def test_every_finding_is_new_or_muted_and_every_known_one_is_muted_or_gone(
    known: set[Finding], found: set[Finding]
) -> None:
    result = with_baseline(a_verification(*found), Baseline.of(known))
    gone = {finding for finding in FINDINGS if finding.fingerprint in result.gone}
    assert (set(result.findings), set(result.muted), gone) == (found - known, found & known, known - found)


@given(st.sets(st.sampled_from(FINDINGS)))
def test_a_baseline_reads_back_as_it_was_written(known: set[Finding]) -> None:
    baseline = Baseline.of(known)
    assert Baseline.parse(baseline.to_json()) == baseline


def test_the_order_of_findings_does_not_change_the_file() -> None:
    assert Baseline.of(FINDINGS).to_json() == Baseline.of(reversed(FINDINGS)).to_json()


def test_another_message_and_severity_of_a_known_finding_is_muted() -> None:
    again = Finding(RULES[0], Severity.INFO, Evidence.ASSUMED, "/n", "other words")
    assert with_baseline(a_verification(again), Baseline.of(FINDINGS[:1])).muted == (again,)


def test_a_known_rule_at_another_place_is_new() -> None:
    elsewhere = Finding(RULES[0], Severity.ERROR, Evidence.DOCUMENTED, "/m", "the same rule")
    assert with_baseline(a_verification(elsewhere), Baseline.of(FINDINGS[:1])).findings == (elsewhere,)


@pytest.mark.parametrize(
    "changes", [{"incomplete": "interrupted"}, {"outcomes": dict.fromkeys(CHECKS, "not run")}, {"outcomes": {}}]
)
def test_a_finding_whose_check_did_not_run_is_not_gone(changes: dict[str, Any]) -> None:
    assert with_baseline(a_verification(**changes), Baseline.of(FINDINGS)).gone == ()


def test_a_json_report_is_a_baseline() -> None:
    report = {"title": "verify", "findings": [finding.to_dict() for finding in FINDINGS], "requests": 9}
    assert Baseline.parse(json.dumps(report)) == Baseline.of(FINDINGS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("<html>", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"findings"'),
        ('{"findings": {}}', '"findings"'),
        ('{"findings": [{"id": "a"}]}', "/findings/0"),
        ('{"findings": [{"fingerprint": "0123456789abcdef"}, {"fingerprint": "x"}]}', "/findings/1"),
        ('{"findings": [7]}', "/findings/0"),
    ],
)
def test_a_bad_baseline_is_rejected_with_the_place(text: str, words: str) -> None:
    with pytest.raises(BadBaseline, match=words):
        Baseline.parse(text)
