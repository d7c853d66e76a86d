"""Findings: equality, severity, exit code and JSON form."""

import dataclasses
from typing import Any

import pytest
from bodydouble_spec.finding import Evidence, Finding, Severity, exit_code, worst
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20)
SEVERITIES = st.sampled_from(Severity)


def a_finding(**changes: Any) -> Finding:
    finding = Finding("unknown-value", Severity.ERROR, Evidence.DOCUMENTED, "/aspect_ratio", "7:5 is not allowed")
    return dataclasses.replace(finding, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": Severity.INFO},
        {"evidence": Evidence.ASSUMED},
        {"message": "another sentence"},
        {"expected": ["1:1"]},
        {"got": {"unhashable": []}},
        {"repaired": "left out"},
        {"direction": "request"},
        {"request": {"prompt": "a cat"}},
        {"witness": "line 3"},
        {"covers": (a_finding(id="other"),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_same_rule_at_the_same_place_is_the_same_finding_whatever_else_differs(changes: dict[str, Any]) -> None:
    changed = a_finding(**changes)
    assert (changed, hash(changed), changed.fingerprint) == (
        a_finding(),
        hash(a_finding()),
        a_finding().fingerprint,
    )


@pytest.mark.parametrize("name", ["id", "operation", "pointer"])
def test_another_rule_operation_or_place_is_another_finding_with_another_fingerprint(name: str) -> None:
    changed = a_finding(**{name: "other"})
    assert changed != a_finding()
    assert changed.fingerprint != a_finding().fingerprint


def test_the_fingerprint_does_not_change_from_one_version_to_the_next() -> None:
    assert a_finding(operation="POST /v1/images/generations").fingerprint == "eecf4a575e9718ec"


@given(TEXTS, TEXTS, TEXTS)
def test_a_fingerprint_is_sixteen_hexadecimal_digits_for_any_text(rule: str, operation: str, pointer: str) -> None:
    fingerprint = a_finding(id=rule, operation=operation, pointer=pointer).fingerprint
    assert len(fingerprint) == 16
    assert set(fingerprint) <= set("0123456789abcdef")


def test_a_finding_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_finding().message = "other"  # type: ignore[misc]  # the refusal is the claim


def test_to_dict_leaves_out_what_is_not_set() -> None:
    assert a_finding().to_dict() == {
        "id": "unknown-value",
        "severity": "error",
        "evidence": "documented",
        "pointer": "/aspect_ratio",
        "message": "7:5 is not allowed",
        "fingerprint": a_finding().fingerprint,
    }


def test_to_dict_keeps_values_that_are_set_though_falsy() -> None:
    assert a_finding(got=0, expected=False, operation="").to_dict().keys() >= {"got", "expected", "operation"}


def test_to_dict_holds_covered_findings_as_dicts() -> None:
    covered = a_finding(id="other")
    assert a_finding(covers=(covered,)).to_dict()["covers"] == [covered.to_dict()]


def test_a_finding_is_read_as_it_was_written() -> None:
    covered = a_finding(id="covered", got=None, request={"a": 1})
    written = a_finding(
        expected=[1], got="b", repaired="c", direction="response", operation="POST /a", covers=(covered,)
    )
    written = dataclasses.replace(written, source="recording", witness="call-1")
    assert Finding.from_dict(written.to_dict()).to_dict() == written.to_dict()


def test_severities_are_ordered_by_rank() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == [Severity.INFO, Severity.WARNING, Severity.ERROR]


def test_the_better_a_fact_is_known_the_worse_a_deviation_from_it() -> None:
    assert {evidence: Severity.for_evidence(evidence) for evidence in Evidence} == {
        Evidence.DOCUMENTED: Severity.ERROR,
        Evidence.OBSERVED: Severity.ERROR,
        Evidence.INFERRED: Severity.WARNING,
        Evidence.ASSUMED: Severity.INFO,
    }


@given(st.lists(SEVERITIES, min_size=1))
def test_no_finding_is_worse_than_the_worst(severities: list[Severity]) -> None:
    highest = worst(a_finding(severity=severity) for severity in severities)
    assert highest is not None
    assert highest in severities
    assert all(severity.rank <= highest.rank for severity in severities)


def test_nothing_is_the_worst_of_no_findings() -> None:
    assert worst([]) is None


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        (Severity.ERROR, Severity.ERROR, 1),
        (Severity.WARNING, Severity.ERROR, 0),
        (Severity.INFO, Severity.ERROR, 0),
        (Severity.ERROR, Severity.WARNING, 1),
        (Severity.WARNING, Severity.WARNING, 1),
        (Severity.INFO, Severity.WARNING, 0),
        (Severity.INFO, Severity.INFO, 1),
        (Severity.ERROR, None, 0),
    ],
)
def test_the_exit_code_is_1_at_or_above_the_chosen_severity(
    severity: Severity, fail_on: Severity | None, code: int
) -> None:
    assert exit_code([a_finding(severity=Severity.INFO), a_finding(severity=severity)], fail_on) == code


@pytest.mark.parametrize("fail_on", [*Severity, None])
def test_the_exit_code_is_0_without_findings(fail_on: Severity | None) -> None:
    assert exit_code([], fail_on) == 0


def test_only_errors_fail_unless_told_otherwise() -> None:
    severities = {severity: exit_code([a_finding(severity=severity)]) for severity in Severity}
    assert severities == {Severity.ERROR: 1, Severity.WARNING: 0, Severity.INFO: 0}
