"""The words of a report: verdict first, places as a reader writes them, no picture as text."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.report import Report, ReportCheck, ReportFormat, render, wrapped
from bodydouble_spec.report.places import place
from hypothesis import given, settings
from hypothesis import strategies as st

SCHEMA = "/paths/~1v1~1images~1generations/post/requestBody/content/application~1json/schema"
ANSWER = "/paths/~1v1~1images~1generations/post/responses/200/content/application~1json/schema"
PICTURE = "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 8).decode()
PEOPLE = [format_ for format_ in ReportFormat if format_ is not ReportFormat.JSON]


def a_finding(severity: Severity = Severity.ERROR, **changes: Any) -> Finding:
    return replace(Finding("a-rule", severity, Evidence.DOCUMENTED, "/n", "a sentence"), **changes)


def a_report(errors: int = 0, warnings: int = 0, infos: int = 0, **changes: Any) -> Report:
    counts = {Severity.ERROR: errors, Severity.WARNING: warnings, Severity.INFO: infos}
    found = [a_finding(severity, pointer=f"/{n}") for severity, count in counts.items() for n in range(count)]
    return replace(Report("drift", tuple(found)), **changes)


def of_rules(*rules: str) -> Report:
    return Report("drift", tuple(a_finding(id=rule) for rule in rules))


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (a_report(3, breaks="your calls"), "1 thing breaks your calls in 3 places"),
        (a_report(1, 2, 1), "1 thing breaks the contract; also 1 warning and 1 remark"),
        (a_report(0, 1, 0), "Nothing was found that breaks the contract: 1 warning"),
        (a_report(2, key="changes", breaks="clients"), "1 change breaks clients in 2 places"),
        (of_rules("a", "b"), "2 things break the contract"),
        (a_report(examined="40 checks"), "No findings in 40 checks"),
        (a_report(1, known=4), "1 new thing breaks the contract; 4 known before are still there"),
        (a_report(known=1), "Nothing new was found; 1 known before is still there"),
        (
            a_report(1, incomplete="interrupted"),
            "Not everything was examined: interrupted. 1 thing breaks the contract",
        ),
        (a_report(incomplete="no answer", is_empty=True), "Nothing was examined: no answer"),
    ],
)
@pytest.mark.parametrize("format_", PEOPLE)
def test_every_report_begins_with_its_verdict(report: Report, verdict: str, format_: ReportFormat) -> None:
    text = render(report, format_)
    if format_ in {ReportFormat.HTML, ReportFormat.JUNIT}:
        assert f"<h1>{verdict}</h1>" in text or f'name="verdict" value="{verdict}"' in text
    else:
        assert text.removeprefix("# ").splitlines()[0] == verdict


@pytest.mark.parametrize(
    ("pointer", "direction", "words"),
    [
        ("/num_images", "request", "request.num_images"),
        ("/image_urls/0", "request", "request.image_urls[0]"),
        ("", "response", "response"),
        ("/data/0/url", None, "data[0].url"),
        ("/odd name", "request", 'request["odd name"]'),
        (f"{SCHEMA}/properties/model/enum/0", "request", "request.model"),
        (f"{SCHEMA}/allOf/1/properties/image_urls/items/pattern", "request", "request.image_urls[]"),
        (f"{ANSWER}/properties/data/items/properties/url", "response", "response.data[].url"),
        ("/paths/~1v1~1x/post/responses/429", None, "response 429"),
        ("/components/schemas/Pet/properties/name", None, "schemas.Pet.properties.name"),
        ("", None, "whole"),
    ],
)
def test_a_place_is_written_as_a_reader_would(pointer: str, direction: str | None, words: str) -> None:
    assert place(a_finding(pointer=pointer, direction=direction), with_operation=False) == words


@pytest.mark.parametrize("format_", ReportFormat)
def test_no_format_prints_a_picture_as_text(format_: ReportFormat) -> None:
    held = a_finding(message=f"{PICTURE} is not reachable", got=[PICTURE], request={"image_urls": [PICTURE]})
    text = render(Report("run", (replace(held, witness=PICTURE, covers=(held,)),)), format_)
    assert ("base64," in text, "data URI: image/png, 2.0 kB" in text) == (False, True)


@pytest.mark.parametrize("format_", ReportFormat)
def test_no_format_prints_megabytes(format_: ReportFormat) -> None:
    values: dict[str, Any] = {"got": ["x" * 300_000], "expected": [*range(60_000)], "message": "y" * 300_000}
    assert len(render(Report("run", (a_finding(**values),)), format_)) < 200_000


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.HTML, ReportFormat.JUNIT, ReportFormat.GITHUB])
def test_backticks_mark_names_and_are_not_shown(format_: ReportFormat) -> None:
    text = render(Report("run", (a_finding(message="`n` is not in the contract"),)), format_)
    assert ("`" in text, "is not in the contract" in text) == (False, True)


def test_the_findings_of_one_rule_stand_together() -> None:
    found = [a_finding(id=rule, pointer=f"/{n}") for n, rule in enumerate("abab")]
    assert [finding.id for finding in Report("run", tuple(found)).ordered()] == ["a", "a", "b", "b"]


def test_the_page_shows_the_findings_before_what_is_folded() -> None:
    report = a_report(1, details={"coverage": [{"element": "model"}]}, checks=(ReportCheck("id", "Claim.", "passed"),))
    text = render(report, ReportFormat.HTML)
    assert text.index("a sentence") < text.index("What was covered") < text.index("Claim.")
    assert "<details open" not in text


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.JUNIT, ReportFormat.HTML])
def test_a_report_names_its_date_and_version(format_: ReportFormat) -> None:
    report = a_report(made_at=datetime(2026, 6, 12, 9, 30, tzinfo=UTC), version="1.2.3")
    assert "2026-06-12 09:30 UTC, bodydouble 1.2.3" in render(report, format_)


def test_junit_has_the_times_of_checks_and_of_the_whole() -> None:
    report = a_report(checks=(ReportCheck("id", "Claim.", "passed", seconds=1.25),), seconds=3.5)
    (suite,) = ElementTree.fromstring(render(report, ReportFormat.JUNIT).encode())
    assert (suite.get("time"), [case.get("time") for case in suite.iter("testcase")]) == ("3.500", ["1.250"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("abcde", min_size=1, max_size=30), max_size=40), st.integers(40, 120))
def test_a_terminal_line_breaks_between_words_only(words: list[str], columns: int) -> None:
    lines = wrapped(f"error    {' '.join(words)}".rstrip(), columns).split("\n")
    assert " ".join(lines).split() == ["error", *words]
    assert max(map(len, lines)) <= columns


def test_what_is_found_in_many_places_is_said_once_with_its_places() -> None:
    names = [f"field_{number}" for number in range(12)]
    many = [
        a_finding(pointer=f"/{name}", direction="request", message=f"{name} in the request may be null")
        for name in names
    ]
    other = a_finding(pointer="/other", direction="request", message="other in the request was removed")
    text = render(Report("diff", (*many, other)))
    assert text.count("may be null") == 1
    assert "  also      request.field_1, request.field_2, " in text
    assert "request.field_8 and 3 more\n" in text
    assert "other in the request was removed" in text
    page = render(Report("diff", (*many, other)), ReportFormat.HTML)
    assert [page.count(f"{name} in the request may be null") for name in names] == [1] * 12


def test_findings_that_differ_in_a_value_stand_together_with_their_sentences() -> None:
    found = [
        a_finding(pointer="/ratio", message=f"ratio may no longer be {value!r}", got=value) for value in ("3:2", "21:9")
    ]
    assert "  also      ratio may no longer be '21:9'\n" in render(Report("diff", tuple(found)))


def test_a_report_has_no_line_with_a_value_that_its_sentence_has() -> None:
    text = render(Report("run", (a_finding(message="9 is too large; it must be at most 4", expected=4, got=9),)))
    assert "expected" not in text
    assert "got" not in text
    assert "got       1\n" in render(Report("run", (a_finding(message="10 and 1.5 are too large", got=1),)))


def test_a_wide_table_has_a_line_for_the_first_cell_of_each_row() -> None:
    rows = [{"document": "/a/very/long/path" * 4, "operations": 2, "fingerprint": "c4b1" * 16}]
    text = wrapped(render(Report("check", (), {"documents": rows})), 80)
    lines = ["  documents", f"    {'/a/very/long/path' * 4}", "        operations 2", f"        {'c4b1' * 16}"]
    assert "\n".join(lines) in text


def test_a_command_is_never_broken() -> None:
    command = "curl --globoff \\\n  --header 'content-type: application/json' \\\n  --data-raw '" + "a b " * 40 + "'"
    text = wrapped(render(Report("verify", (a_finding(request=command),))), 80)
    assert f"  --data-raw '{'a b ' * 40}'\n" in text
