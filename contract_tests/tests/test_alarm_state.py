"""What the alarm remembers, so that it says nothing twice and forgets nothing."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodydouble_contract_tests.alarm import (
    AlarmState,
    BadAlarmState,
    Fetched,
    News,
    Statement,
    Witness,
    compare,
    read_state,
    write_state,
)
from bodydouble_spec import Evidence, Finding, Severity
from bodydouble_spec.changes import Change
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
DAYS = 30


def change(rule: str = "property-renamed", **changes: Any) -> Change:
    made = Change(
        rule, Severity.ERROR, Evidence.DOCUMENTED, "/a", "it was renamed", operation="POST /things", old=1, new=2
    )
    return replace(made, **changes)


def said(*findings: Finding, witness: Witness = Witness.DOCUMENT) -> list[Statement]:
    return [Statement(witness, "somewhere", findings)]


def told(
    first: Sequence[Statement], second: Sequence[Statement], after: timedelta = timedelta(days=1), **options: Any
) -> tuple[News, AlarmState]:
    """The news of a second run, some time after a first one."""
    _, state = compare(AlarmState(), first, NOW, DAYS)
    return compare(state, second, NOW + after, DAYS, **options)


def test_a_drift_is_news_the_first_time() -> None:
    news, _ = compare(AlarmState(), said(change()), NOW, DAYS)
    assert news.findings == (change(),)


def test_a_drift_that_was_reported_is_counted_and_not_said_again() -> None:
    news, _ = told(said(change()), said(change(), change("another")))
    assert ([finding.id for finding in news.findings], news.known) == (["another"], 1)


@pytest.mark.parametrize(
    "changes",
    [{"new": 3}, {"old": None}, {"severity": Severity.INFO}, {"covers": (change("removed"),)}, {"expected": 1}],
)
def test_a_drift_that_changed_is_said_again(changes: dict[str, Any]) -> None:
    news, _ = told(said(change()), said(change(**changes)))
    assert len(news.findings) == 1


@pytest.mark.parametrize(
    "changes", [{"message": "in other words"}, {"request": {"a": 1}}, {"witness": "document, again"}]
)
def test_other_words_are_no_other_drift(changes: dict[str, Any]) -> None:
    news, _ = told(said(change()), said(change(**changes)))
    assert news.findings == ()


def test_what_a_recorded_answer_had_this_time_is_no_other_drift() -> None:
    finding = Finding("response-type", Severity.ERROR, Evidence.DOCUMENTED, "/a", "it is 1", "text", 1)
    first, second = (said(replace(finding, got=got), witness=Witness.RECORDING) for got in (1, 2))
    assert told(first, second)[0].findings == ()


@pytest.mark.parametrize(("days", "is_said"), [(DAYS - 1, False), (DAYS, True), (DAYS + 1, True)])
def test_a_drift_is_due_again_after_the_days_of_the_reminder(days: int, is_said: bool) -> None:
    news, _ = told(said(change()), said(change()), timedelta(days=days))
    assert bool(news.findings) == is_said


def test_a_reminder_starts_the_days_anew() -> None:
    _, state = told(said(change()), said(change()), timedelta(days=DAYS))
    news, _ = compare(state, said(change()), NOW + timedelta(days=DAYS + 1), DAYS)
    assert news.findings == ()


def test_a_drift_that_went_away_is_said_once() -> None:
    news, state = told(said(change()), said())
    assert [(finding.id, finding.severity, finding.pointer) for finding in news.findings] == [
        ("drift-gone/property-renamed", Severity.INFO, "/a")
    ]
    assert compare(state, said(), NOW, DAYS)[0].findings == ()


@pytest.mark.parametrize(
    ("new", "is_same"),
    [
        ({"enum": ["b", "a"], "description": "as before", "properties": {"title": {"type": "string"}}}, True),
        ({"enum": ["a", "b"], "properties": {"title": {"type": "string", "x-order": 3}}}, True),
        ({"enum": ["a", "b"], "properties": {}}, False),
        ({"enum": ["a"], "properties": {"title": {"type": "string"}}}, False),
    ],
)
def test_prose_and_order_in_a_change_are_no_other_drift(new: dict[str, Any], is_same: bool) -> None:
    old = {"enum": ["a", "b"], "description": "words", "properties": {"title": {"type": "string"}}}
    news, _ = told(said(change(new=old)), said(change(new=new)))
    assert (news.findings == ()) == is_same


def test_a_drift_that_another_one_covers_now_is_not_over() -> None:
    news, _ = told(said(change()), said(change("model-replaced", covers=(change("group", covers=(change(),)),))))
    assert [finding.id for finding in news.findings] == ["model-replaced"]


def test_the_order_of_what_a_drift_covers_is_no_difference() -> None:
    first, second = change("one"), change("two")
    news, _ = told(said(change(covers=(first, second))), said(change(covers=(second, first))))
    assert news.findings == ()


def test_what_is_over_says_what_it_was_and_since_when() -> None:
    (finding,) = told(said(change()), said())[0].findings
    assert finding.message == "this is over: it was renamed (property-renamed, error, reported on 2026-11-22)"


def test_what_was_tried_and_worked_is_no_drift_that_could_be_over() -> None:
    fine = Finding("still-read", Severity.INFO, Evidence.DOCUMENTED, "/a", "still there", witness="executed")
    broken = replace(fine, id="refused", severity=Severity.ERROR)
    assert ["refused" in finding.message for finding in told(said(fine, broken), said())[0].findings] == [True]


def test_a_drift_that_comes_back_is_news() -> None:
    _, state = told(said(change()), said())
    assert compare(state, said(change()), NOW, DAYS)[0].findings == (change(),)


def test_a_witness_that_was_not_heard_takes_nothing_back() -> None:
    news, state = told(said(change()), said(witness=Witness.PAGE))
    assert news.findings == ()
    assert compare(state, said(change()), NOW, DAYS)[0].findings == ()


def test_nothing_is_over_when_the_hearing_was_not_complete() -> None:
    news, state = told(said(change()), said(), is_complete=False)
    assert news.findings == ()
    assert len(state.drifts) == 1


def test_the_same_drift_of_another_witness_is_another_one() -> None:
    news, _ = told(said(change()), [*said(change()), *said(change(), witness=Witness.PAGE)])
    assert [finding.witness for finding in news.findings] == ["page"]


def test_several_findings_at_one_place_are_all_said() -> None:
    both = (change(new=2), change(new=3))
    news, state = compare(AlarmState(), said(*both), NOW, DAYS)
    assert len(news.findings) == 2
    assert compare(state, said(*both), NOW, DAYS)[0] == News((), 2)


TEXTS = st.text(max_size=8)
FETCHED = st.builds(
    Fetched,
    source=st.just("https://example.org"),
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
    _, state = compare(AlarmState().with_fetched(fetched), said(*findings), NOW, DAYS)
    write_state(file, state)
    assert read_state(file) == state


@settings(max_examples=40, deadline=None)
@given(st.lists(FINDINGS, max_size=4), st.lists(FINDINGS, max_size=4))
def test_of_two_runs_the_second_says_what_differs_and_nothing_else(first: list[Change], second: list[Change]) -> None:
    news, state = told(said(*first), said(*second))
    gone = {finding.pointer for finding in news.findings if finding.id.startswith("drift-gone/")}
    assert gone == {finding.pointer for finding in first if finding not in second}
    assert {finding for finding in second if finding not in first} <= {*news.findings}
    assert compare(state, said(*second), NOW, DAYS)[0].findings == ()


def test_there_is_no_state_before_the_first_run(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") == AlarmState()


def test_a_folder_that_does_not_exist_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadAlarmState, match="does not exist; make it first"):
        read_state(tmp_path / "none" / "state.json")


GOOD: dict[str, Any] = {
    "format": 1,
    "drifts": {
        "page:00": {
            "digest": "1",
            "reported": "2026-11-22T00:00:00+00:00",
            "id": "a",
            "severity": "error",
            "witness": "page",
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
def test_a_corrupt_state_is_said_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadAlarmState, match="this is no state that the alarm wrote") as caught:
        read_state(file)
    assert str(file) in str(caught.value)
    assert file.read_text(encoding="utf-8") == text


def test_a_folder_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(BadAlarmState, match="this is no file"):
        read_state(tmp_path)


def test_a_device_is_no_state() -> None:
    with pytest.raises(BadAlarmState, match="this is no file"):
        read_state(Path(os.devnull))


def test_a_state_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.json"
    write_state(file, AlarmState())
    before = file.read_bytes()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _, state = compare(AlarmState(), said(change()), NOW, DAYS)
    with pytest.raises(BadAlarmState, match="No space left on device; it could not be written, and is as it was"):
        write_state(file, state)
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (before, [file])


def test_a_link_to_a_state_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "cache.json", tmp_path / "state.json"
    write_state(target, AlarmState())
    link.symlink_to(target)
    _, state = compare(AlarmState(), said(change()), NOW, DAYS)
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
def test_what_cannot_be_asked_for_changes_is_not_kept(fetched: Fetched) -> None:
    before = AlarmState().with_fetched([Fetched("https://example.org", b"old", etag="x")])
    assert before.with_fetched([fetched]).fetched == {}
