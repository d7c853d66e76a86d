"""The state of drift detection: nothing is reported twice, and nothing is forgotten."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodydouble_contract_tests.drift import (
    BadDriftState,
    Delta,
    DriftSource,
    DriftState,
    Fetched,
    SourceResult,
    compare,
    read_state,
    write_state,
)
from bodydouble_spec import Evidence, Finding, Severity
from bodydouble_spec.diff import Change
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
DAYS = 30


def change(rule: str = "property-renamed", **changes: Any) -> Change:
    made = Change(
        rule, Severity.ERROR, Evidence.DOCUMENTED, "/a", "it was renamed", operation="POST /things", old=1, new=2
    )
    return replace(made, **changes)


def results_of(*findings: Finding, source: DriftSource = DriftSource.DOCUMENT) -> list[SourceResult]:
    return [SourceResult(source, "somewhere", findings)]


def run_twice(
    first: Sequence[SourceResult], second: Sequence[SourceResult], after: timedelta = timedelta(days=1), **options: Any
) -> tuple[Delta, DriftState]:
    """Return the delta and the state of a second run, some time after a first one."""
    _, state = compare(DriftState(), first, NOW, DAYS)
    return compare(state, second, NOW + after, DAYS, **options)


def test_a_drift_is_reported_the_first_time() -> None:
    delta, _ = compare(DriftState(), results_of(change()), NOW, DAYS)
    assert delta.findings == (change(),)


def test_a_known_drift_is_counted_and_not_reported_again() -> None:
    delta, _ = run_twice(results_of(change()), results_of(change(), change("another")))
    assert ([finding.id for finding in delta.findings], delta.known) == (["another"], 1)


@pytest.mark.parametrize(
    "changes",
    [{"new": 3}, {"old": None}, {"covers": (change("removed"),)}, {"expected": 1}],
)
def test_a_changed_drift_is_reported_again(changes: dict[str, Any]) -> None:
    delta, _ = run_twice(results_of(change()), results_of(change(**changes)))
    assert len(delta.findings) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "in other words"},
        {"request": {"a": 1}},
        {"source": "document, again"},
        {"severity": Severity.INFO},
    ],
)
def test_a_new_wording_or_severity_is_not_a_new_drift(changes: dict[str, Any]) -> None:
    delta, _ = run_twice(results_of(change()), results_of(change(**changes)))
    assert delta.findings == ()


def test_another_value_in_a_recorded_answer_is_not_a_new_drift() -> None:
    finding = Finding("response-type", Severity.ERROR, Evidence.DOCUMENTED, "/a", "it is 1", "text", 1)
    first, second = (results_of(replace(finding, got=got), source=DriftSource.RECORDING) for got in (1, 2))
    assert run_twice(first, second)[0].findings == ()


@pytest.mark.parametrize(("days", "is_reported"), [(DAYS - 1, False), (DAYS, True), (DAYS + 1, True)])
def test_a_drift_is_due_again_after_the_days_of_the_reminder(days: int, is_reported: bool) -> None:
    delta, _ = run_twice(results_of(change()), results_of(change()), timedelta(days=days))
    assert bool(delta.findings) == is_reported


def test_a_reminder_starts_the_days_anew() -> None:
    _, state = run_twice(results_of(change()), results_of(change()), timedelta(days=DAYS))
    delta, _ = compare(state, results_of(change()), NOW + timedelta(days=DAYS + 1), DAYS)
    assert delta.findings == ()


def test_a_drift_that_is_gone_is_reported_once() -> None:
    delta, state = run_twice(results_of(change()), results_of())
    assert [(finding.id, finding.severity, finding.pointer) for finding in delta.findings] == [
        ("drift-gone/property-renamed", Severity.INFO, "/a")
    ]
    assert compare(state, results_of(), NOW, DAYS)[0].findings == ()


@pytest.mark.parametrize(
    ("new", "is_same"),
    [
        ({"enum": ["b", "a"], "description": "as before", "properties": {"title": {"type": "string"}}}, True),
        ({"enum": ["a", "b"], "properties": {"title": {"type": "string", "x-order": 3}}}, True),
        ({"enum": ["a", "b"], "properties": {}}, False),
        ({"enum": ["a"], "properties": {"title": {"type": "string"}}}, False),
    ],
)
def test_prose_and_order_in_a_change_are_not_a_new_drift(new: dict[str, Any], is_same: bool) -> None:
    old = {"enum": ["a", "b"], "description": "words", "properties": {"title": {"type": "string"}}}
    delta, _ = run_twice(results_of(change(new=old)), results_of(change(new=new)))
    assert (delta.findings == ()) == is_same


def test_a_changed_default_is_a_new_drift_even_where_it_looks_like_prose() -> None:
    first, second = (results_of(change(new={"default": {"title": text}})) for text in ("a", "b"))
    assert len(run_twice(first, second)[0].findings) == 1


def test_a_drift_that_another_one_covers_now_is_not_gone() -> None:
    delta, _ = run_twice(
        results_of(change()), results_of(change("model-replaced", covers=(change("group", covers=(change(),)),)))
    )
    assert [finding.id for finding in delta.findings] == ["model-replaced"]


def test_the_order_of_covered_findings_does_not_matter() -> None:
    first, second = change("one"), change("two")
    delta, _ = run_twice(results_of(change(covers=(first, second))), results_of(change(covers=(second, first))))
    assert delta.findings == ()


def test_a_gone_drift_is_reported_with_its_message_and_date() -> None:
    (finding,) = run_twice(results_of(change()), results_of())[0].findings
    assert finding.message == "no longer found: it was renamed (property-renamed, error, reported on 2026-11-22)"


def test_a_successful_trial_is_not_reported_as_gone() -> None:
    fine = Finding("still-read", Severity.INFO, Evidence.DOCUMENTED, "/a", "still there", source="executed")
    broken = replace(fine, id="refused", severity=Severity.ERROR)
    assert [
        "refused" in finding.message for finding in run_twice(results_of(fine, broken), results_of())[0].findings
    ] == [True]


def test_a_drift_that_comes_back_is_reported() -> None:
    _, state = run_twice(results_of(change()), results_of())
    assert compare(state, results_of(change()), NOW, DAYS)[0].findings == (change(),)


def test_drifts_of_a_source_that_was_not_checked_are_kept() -> None:
    delta, state = run_twice(results_of(change()), results_of(source=DriftSource.PAGE))
    assert delta.findings == ()
    assert compare(state, results_of(change()), NOW, DAYS)[0].findings == ()


def test_nothing_is_gone_after_an_incomplete_run() -> None:
    delta, state = run_twice(results_of(change()), results_of(), is_complete=False)
    assert delta.findings == ()
    assert len(state.drifts) == 1


def test_the_same_drift_of_another_source_is_a_new_one() -> None:
    delta, _ = run_twice(results_of(change()), [*results_of(change()), *results_of(change(), source=DriftSource.PAGE)])
    assert [finding.source for finding in delta.findings] == ["page"]


def test_several_findings_at_one_place_are_all_reported() -> None:
    both = (change(new=2), change(new=3))
    delta, state = compare(DriftState(), results_of(*both), NOW, DAYS)
    assert len(delta.findings) == 2
    assert compare(state, results_of(*both), NOW, DAYS)[0] == Delta((), 2)


TEXTS = st.text(max_size=8)
FETCHED = st.builds(
    Fetched,
    address=st.just("https://example.org"),
    content=TEXTS.map(lambda text: text.encode("utf-8", "replace")),
    etag=TEXTS,
    last_modified=st.none() | TEXTS,
)
FINDINGS = st.builds(
    change,
    rule=st.sampled_from(["a", "b"]),
    pointer=st.sampled_from(["/a", "/b"]),
    message=st.text(st.characters(), max_size=9),
    new=st.integers() | TEXTS,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(FINDINGS, max_size=4), st.lists(FETCHED, max_size=1))
def test_a_state_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, findings: list[Change], fetched: list[Fetched]
) -> None:
    file = tmp_path_factory.mktemp("state") / "state.json"
    _, state = compare(DriftState().with_fetched(fetched), results_of(*findings), NOW, DAYS)
    write_state(file, state)
    assert read_state(file) == state


@settings(max_examples=40, deadline=None)
@given(st.lists(FINDINGS, max_size=4), st.lists(FINDINGS, max_size=4))
def test_a_second_run_reports_exactly_the_differences(first: list[Change], second: list[Change]) -> None:
    delta, state = run_twice(results_of(*first), results_of(*second))
    gone = {finding.pointer for finding in delta.findings if finding.id.startswith("drift-gone/")}
    assert gone == {finding.pointer for finding in first if finding not in second}
    assert {finding for finding in second if finding not in first} <= {*delta.findings}
    assert compare(state, results_of(*second), NOW, DAYS)[0].findings == ()


def test_there_is_no_state_before_the_first_run(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") == DriftState()


def test_a_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadDriftState, match="does not exist; create it first"):
        read_state(tmp_path / "none" / "state.json")


GOOD: dict[str, Any] = {
    "format": 1,
    "drifts": {
        "page:00": {
            "digest": "1",
            "reported": "2026-11-22T00:00:00+00:00",
            "id": "a",
            "severity": "error",
            "source": "page",
            "pointer": "",
            "message": "b",
        }
    },
    "fetched": {"https://example.org": {"content": "{}", "etag": "x"}},
}


def test_the_smallest_good_state_is_read(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    assert read_state(file).fetched["https://example.org"].content == b"{}"


def test_drifts_of_a_state_of_an_earlier_version_are_known_by_their_place_and_tracked_from_then_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "state.json"
    _, state = compare(DriftState(), [*results_of(change()), *results_of(change(), source=DriftSource.PAGE)], NOW, DAYS)
    write_state(file, state)
    written = json.loads(file.read_bytes())
    del written["digests"]
    for known in written["drifts"].values():
        known["digest"] = "0123456789abcdef"  # with the severity, as it was then
    file.write_text(json.dumps(written), encoding="utf-8")
    first, state = compare(read_state(file), results_of(change(new=3)), NOW, DAYS)
    write_state(file, state)
    reported = [
        compare(read_state(file), results_of(change(new=new), source=source), NOW, DAYS)[0].findings
        for source, new in ((DriftSource.DOCUMENT, 3), (DriftSource.DOCUMENT, 4), (DriftSource.PAGE, 4))
    ]
    assert (first.findings, [len(findings) for findings in reported]) == ((), [0, 1, 0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "\x00",
        json.dumps({**GOOD, "format": 2}),
        json.dumps({**GOOD, "drifts": []}),
        json.dumps({**GOOD, "drifts": {"page:00": {}}}),
        json.dumps({**GOOD, "drifts": {"nobody:00": GOOD["drifts"]["page:00"]}}),
        json.dumps({**GOOD, "drifts": {"page:00": {**GOOD["drifts"]["page:00"], "reported": "yesterday"}}}),
        json.dumps({**GOOD, "fetched": {"https://example.org": {"content": 1}}}),
    ],
)
def test_a_corrupt_state_is_refused_and_left_unchanged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadDriftState, match="not a state file of `bodydouble drift`") as caught:
        read_state(file)
    assert str(file) in str(caught.value)
    assert file.read_text(encoding="utf-8") == text


def test_a_folder_is_refused_as_state(tmp_path: Path) -> None:
    with pytest.raises(BadDriftState, match="not a regular file"):
        read_state(tmp_path)


def test_a_device_is_refused_as_state() -> None:
    with pytest.raises(BadDriftState, match="not a regular file"):
        read_state(Path(os.devnull))


def test_a_state_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.json"
    write_state(file, DriftState())
    before = file.read_bytes()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _, state = compare(DriftState(), results_of(change()), NOW, DAYS)
    with pytest.raises(
        BadDriftState, match="No space left on device; the state could not be written, and the file is unchanged"
    ):
        write_state(file, state)
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (before, [file])


def test_a_link_to_a_state_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "cache.json", tmp_path / "state.json"
    write_state(target, DriftState())
    link.symlink_to(target)
    _, state = compare(DriftState(), results_of(change()), NOW, DAYS)
    write_state(link, state)
    assert (link.is_symlink(), read_state(target)) == (True, state)


@pytest.mark.parametrize(
    "fetched",
    [
        Fetched("https://example.org", b"{}"),
        Fetched("https://example.org", b"\xff", etag="x"),
        Fetched("https://example.org", b" " * 2_000_000, etag="x"),
    ],
    ids=["no validators", "no text", "too large"],
)
def test_content_without_validators_or_too_large_is_not_cached(fetched: Fetched) -> None:
    before = DriftState().with_fetched([Fetched("https://example.org", b"old", etag="x")])
    assert before.with_fetched([fetched]).fetched == {}
