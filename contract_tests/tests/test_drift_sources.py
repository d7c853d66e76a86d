"""Sources of drift: recorded answers, a verification's report, and the merged list of findings."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.drift import (
    DriftSource,
    SourceResult,
    merge_findings,
    read_recording,
    recording_findings,
    report_findings,
)
from bodydouble_contract_tests.verification import OperationProfile, verify_recording, with_baseline
from bodydouble_mockserver import create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import (
    Contract,
    Evidence,
    Exchange,
    ExchangeLog,
    Finding,
    RecordedAnswer,
    RecordedPicture,
    Report,
    ReportFormat,
    Severity,
    UnreadableDocument,
    flattened,
    render,
)
from bodydouble_spec.report import Baseline
from hypothesis import given, settings
from hypothesis import strategies as st

JSON_TYPE = {"content-type": "application/json; charset=utf-8"}
GOOD: dict[str, Any] = {
    "data": [{"url": "https://example.org/1.png", "b64_json": None}],
    "meta": {"usage": {"credits_used": 84000}},
}
REQUEST: dict[str, Any] = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "make it night",
    "image_urls": ["https://example.com/a.png"],
}
PICTURE = RecordedPicture("0" * 64, "image/png", 1000, (8, 8), is_data_uri=False).to_dict()


def exchange(answered: object, number: int = 1, **changes: Any) -> Exchange:
    answer = RecordedAnswer(changes.pop("status", 200), changes.pop("headers", JSON_TYPE), answered)
    made = Exchange(
        id=f"call-{number}",
        time=f"2026-11-{number:02}T10:00:00.000Z",
        method="POST",
        path="/v1/images/generations",
        operation="POST /v1/images/generations",
        body=REQUEST,
        answer=answer,
    )
    return replace(made, **changes)


def item(**members: Any) -> dict[str, Any]:
    return {**GOOD, "data": [{**GOOD["data"][0], **members}]}


def ids(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(finding.id, finding.pointer) for finding in findings}


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: exchanges as JSON lines, or a text."""

    def write(content: Sequence[Exchange] | str) -> Path:
        file = tmp_path / "recording.jsonl"
        text = content if isinstance(content, str) else b"".join(one.to_line() for one in content).decode()
        file.write_text(text, encoding="utf-8")
        return file

    return write


def finding(rule: str = "a-rule", pointer: str = "", **changes: Any) -> Finding:
    made = Finding(rule, Severity.ERROR, Evidence.DOCUMENTED, pointer, "it is so", operation="POST /things")
    return replace(made, **changes)


def test_answers_that_keep_the_contract_give_nothing(vendored: Contract) -> None:
    assert recording_findings([exchange(GOOD)], vendored) == []


def test_an_answer_is_read_strictly(vendored: Contract) -> None:
    findings = recording_findings([exchange({"images": []})], vendored)
    assert ("answer-strict/undocumented", "/images") in ids(findings)


def test_one_deviation_in_many_answers_is_one_finding_that_counts_them(vendored: Contract) -> None:
    answers = [exchange(GOOD, 1), exchange(item(seed=1), 2), exchange(item(seed=2), 3)]
    (found,) = recording_findings(answers, vendored)
    expected = ("recording", "2 of 3 answers, the first at 2026-11-02T10:00:00.000Z (call-2)")
    assert (found.source, found.witness) == expected


def test_the_number_of_an_item_makes_no_difference(vendored: Contract) -> None:
    other = {**GOOD["data"][0], "url": "https://cdn.example/2.png", "seed": 1}
    two = {**GOOD, "data": [GOOD["data"][0], other]}
    assert ids(recording_findings([exchange(two), exchange(item(seed=1), 2)], vendored)) == {
        ("image-count/more", "/data"),
        ("answer-strict/undocumented", "/data/*/seed"),
    }


def test_a_picture_that_was_taken_out_counts_as_one(vendored: Contract) -> None:
    assert recording_findings([exchange(item(url=None, b64_json=PICTURE))], vendored) == []


def test_a_refusal_in_an_unknown_envelope_is_a_warning_at_most(vendored: Contract) -> None:
    refused = exchange({"code": 400, "reason": "no"}, status=400, body=REQUEST | {"num_images": 9})
    findings = recording_findings([refused], vendored)
    assert {found.severity for found in findings} <= {Severity.WARNING, Severity.INFO}
    assert findings


def test_the_refusals_of_the_stand_in_are_no_drift(vendored: Contract) -> None:
    calls: list[dict[str, Any]] = [{}, {"headers": {"Authorization": "Bearer any-key"}, "json": {"num_images": 9}}]
    with httpx.Client(transport=MockTransport(create_app()), base_url="http://stand-in") as client:
        refusals = [client.post("/v1/images/generations", **call) for call in calls]
    recorded = [
        exchange(reply.json(), status=reply.status_code, headers=dict(reply.headers), body=call.get("json"))
        for reply, call in zip(refusals, calls, strict=True)
    ]
    assert [reply.status_code for reply in refusals] == [401, 400]
    assert recording_findings(recorded, vendored) == []


def test_an_answer_whose_body_was_not_kept_is_checked_by_its_type_only(vendored: Contract) -> None:
    raw = {"bytes": 9_000_000, "sha256": "0" * 64, "text": "{"}
    answer = RecordedAnswer(200, JSON_TYPE, raw=raw)
    other = RecordedAnswer(200, {"content-type": "text/html"}, raw=raw)
    assert recording_findings([exchange(None, answer=answer)], vendored) == []
    assert ids(recording_findings([exchange(None, answer=other)], vendored)) == {("answer-media-type", "")}


FAULTY = [
    exchange(item(seed=1), 1),
    exchange(item(b64_json=PICTURE, url="/relative.png"), 2),
    exchange({"data": "text"}, 3),
    exchange(GOOD, 4, headers={"content-type": "text/html"}),
    exchange(GOOD, 5, body=REQUEST | {"num_images": 9}),
    exchange(GOOD, 6, body=REQUEST | {"num_images": 2}),
    exchange({"message": "no"}, 7, status=500),
    exchange({"reason": "no"}, 8, status=400, body=REQUEST | {"num_images": 9}),
    exchange({**GOOD, "meta": {"usage": {"credits_used": 0}}}, 9, operation=None, path="/images/generations/"),
]


def test_a_baseline_of_verify_mutes_the_same_faults_in_drift(vendored: Contract) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    verified = verify_recording(OperationProfile(vendored), ExchangeLog(tuple(FAULTY), ()), now)
    drifted = recording_findings(FAULTY, vendored)
    assert {found.fingerprint: found.severity for found in drifted} == {
        found.fingerprint: found.severity for found in flattened(verified.findings)
    }
    assert {found.id.partition("/")[0] for found in drifted} >= {
        "answer-strict", "answer-conforms", "answer-media-type", "picture-url-absolute", "invalid-refused", "image-count", "valid-accepted",
        "refusal-envelope", "credits-positive",
    }  # fmt: skip
    result = with_baseline(replace(verified, findings=tuple(drifted)), Baseline.of(verified.findings))
    assert (result.findings, len(result.muted), result.gone) == ((), len(drifted), ())


def test_a_fault_of_the_same_kind_in_other_calls_has_the_same_identity(vendored: Contract) -> None:
    monday, tuesday = (
        recording_findings([exchange({"message": "no"}, day, status=500), exchange(GOOD, day + 1, body={})], vendored)
        for day in (1, 3)
    )
    assert len(monday) >= 2
    assert monday == tuesday


def test_the_lines_of_one_call_are_one_answer(vendored: Contract) -> None:
    (found,) = recording_findings([exchange(item(seed=1)), exchange(item(seed=1))], vendored)
    assert (found.witness or "").startswith("1 of 1 answers")


def test_an_exchange_without_an_operation_is_known_by_its_route(vendored: Contract) -> None:
    assert recording_findings([exchange({}, operation=None, path="/v1/images/generations/?a=b")], vendored)


@pytest.mark.parametrize("changes", [{"answer": None}, {"operation": None, "path": "/v1/models"}])
def test_a_recording_without_an_answer_of_the_operation_is_refused(
    vendored: Contract, put: Callable[..., Path], changes: dict[str, Any]
) -> None:
    with pytest.raises(UnreadableDocument, match="no answer of POST /v1/images/generations in 1 exchange;"):
        read_recording(put([exchange(GOOD, **changes)]), vendored)


def test_a_recording_notes_the_number_and_days_of_its_answers(vendored: Contract, put: Callable[..., Path]) -> None:
    result = read_recording(put([exchange(GOOD, 3), exchange(GOOD, 1)]), vendored).result
    assert (result.source, result.note) == (DriftSource.RECORDING, "2 answers, 2026-11-01 to 2026-11-03")


def test_a_single_exchange_is_no_report(vendored: Contract, put: Callable[..., Path]) -> None:
    assert read_recording(put([exchange(GOOD)]), vendored).result.source is DriftSource.RECORDING


def test_an_unreadable_line_is_reported_and_the_others_are_checked(
    vendored: Contract, put: Callable[..., Path]
) -> None:
    file = put("{}\n" + exchange(item(seed=1)).to_line().decode())
    recording = read_recording(file, vendored)
    assert len(recording.result.findings) == 1
    assert recording.problems[0].startswith(f"{file}: line 1 was skipped")


def test_of_many_unreadable_lines_the_first_is_reported(vendored: Contract, put: Callable[..., Path]) -> None:
    file = put("{}\n" * 40 + exchange(GOOD).to_line().decode())
    (problem,) = read_recording(file, vendored).problems
    assert problem.endswith("(and 39 more)")


def test_a_line_that_is_still_being_written_is_no_problem(vendored: Contract, put: Callable[..., Path]) -> None:
    lines = exchange(GOOD).to_line().decode()
    assert read_recording(put(lines + lines[:40]), vendored).problems == ()


def test_exchanges_can_come_through_a_pipe(vendored: Contract, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(exchange({}).to_line()))
    writer.start()
    recording = read_recording(pipe, vendored)
    writer.join()
    assert recording.result.findings


def test_a_report_is_read_as_it_was_written(vendored: Contract, put: Callable[..., Path]) -> None:
    original = finding(expected=2, got=1, direction="response", covers=(finding("another-rule"),))
    recording = read_recording(put(render(Report("verify", (original,)), ReportFormat.JSON)), vendored)
    (read,) = recording.result.findings
    assert read.to_dict() == original.to_dict()
    assert recording.result.source is DriftSource.VERIFY_REPORT


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": None}, "/findings/0/id must be a string"),
        ({"severity": "bad"}, "/findings/0/severity must be one of error, warning, info"),
        ({"evidence": ["documented"]}, "/findings/0/evidence must be one of documented"),
        ({"covers": 1}, "/findings/0/covers must be an array"),
        ({"covers": [1]}, "/findings/0/covers/0 is not a finding"),
    ],
)
def test_a_report_with_something_else_in_it_is_refused_by_its_place(
    vendored: Contract, put: Callable[..., Path], changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(UnreadableDocument, match=place):
        read_recording(put(json.dumps({"findings": [{**finding().to_dict(), **changes}]})), vendored)


@pytest.mark.parametrize("text", ["", "\n", "[]", "no exchange", '{"findings": 3}', "\x00"])
def test_a_file_of_something_else_is_refused(vendored: Contract, put: Callable[..., Path], text: str) -> None:
    with pytest.raises(UnreadableDocument):
        read_recording(put(text), vendored)


def test_every_finding_names_its_source() -> None:
    findings = (finding("a"), finding("b", source="page, line 3"), finding("c", source="executed"))
    sources = [found.source for found in merge_findings([SourceResult(DriftSource.PAGE, "page.md", findings)])]
    assert sources == ["page", "page, line 3", "page, executed"]


def test_the_same_finding_of_two_sources_names_both() -> None:
    both = [SourceResult(DriftSource.PAGE, "p", (finding(),)), SourceResult(DriftSource.RECORDING, "r", (finding(),))]
    assert [found.source for found in merge_findings(both)] == ["page", "recording"]


def test_the_same_finding_of_one_kind_of_source_is_listed_once() -> None:
    twice = [SourceResult(DriftSource.VERIFY_REPORT, name, (finding(),)) for name in ("monday.json", "tuesday.json")]
    assert len(merge_findings(twice)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "covers", "severity", "pointer", "message", "evidence"]), inner, max_size=6
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(JSON, max_size=3))
def test_any_report_gives_findings_or_a_reason(findings: list[Any]) -> None:
    try:
        read = report_findings({"findings": findings}, "report.json")
    except ValueError as error:
        assert "/findings/" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert len(read) == len(findings)


@settings(max_examples=40, deadline=None)
@given(
    JSON | st.just(GOOD),
    st.sampled_from([100, 200, 204, 400, 500, 999]),
    st.sampled_from([JSON_TYPE, {}, {"content-type": "x"}]),
)
def test_any_answer_can_be_checked(body: Any, status: int, headers: dict[str, str]) -> None:
    findings = recording_findings([exchange(body, status=status, headers=headers)], Contract.load())
    assert all((found.witness or "").startswith("1 of 1 answers") for found in findings)
