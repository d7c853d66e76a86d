"""The parts of ``bodydouble verify`` that need no server: target server, progress, pictures, report, plan."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from bodydouble.commands.verify_report import (
    LogLines,
    build_report,
    format_cost,
    plan_text,
    progress_text,
    report_pictures,
)
from bodydouble_contract_tests.verification import (
    CannotVerify,
    Case,
    ExpectedOutcome,
    FetchedPicture,
    Observation,
    OperationProfile,
    Plan,
    Progress,
    Verification,
    catalogue,
    default_recording,
    resolve_server,
)
from bodydouble_spec import Contract, Evidence, Finding, Severity, render
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

SUBJECT = OperationProfile(Contract.load())
CASE = Case("accepted/1:1", "valid-accepted", {}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
FINDING = Finding("image-count", Severity.ERROR, Evidence.DOCUMENTED, "", "3 for 4")


def server_of(base_url: str | None = None, *, is_live: bool = False, api_key: str | None = None, **environ: str) -> Any:
    return resolve_server(SUBJECT, base_url=base_url, api_key=api_key, is_live=is_live, environ=environ)


# The target server


def test_a_live_run_goes_to_the_server_of_the_contract() -> None:
    assert server_of(is_live=True, AIML_API_KEY="k").base_url == "https://api.aimlapi.com"


@pytest.mark.parametrize("name", ["AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY"])
def test_a_live_run_finds_the_key_under_each_name(name: str) -> None:
    assert server_of(is_live=True, **{name: "k"}).api_key == "k"


def test_the_key_of_the_environment_is_used_only_in_live_runs() -> None:
    assert server_of("http://gateway.example", AIMLAPI_KEY="real-key").api_key != "real-key"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.aimlapi.com",
        "https://API.aimlapi.com/v1/",
        "https://api.aimlapi.com:443",
        "https://api.aimlapi.com.",
    ],
)
def test_the_real_api_is_recognised_in_every_spelling(url: str) -> None:
    with pytest.raises(CannotVerify, match="--live"):
        server_of(url)


def test_the_repr_of_a_server_has_no_key() -> None:
    assert "secret-key" not in repr(server_of("http://127.0.0.1:1", api_key="secret-key"))


def test_a_recording_is_named_after_the_time_in_utc() -> None:
    assert (
        default_recording(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)).name == "bodydouble-verify-20260102T030405Z.jsonl"
    )


# Progress


def lines_of(*events: Progress) -> list[str]:
    said: list[str] = []
    listener = LogLines(said.append)
    for event in events:
        listener(event)
    return said


def test_a_line_is_written_after_the_first_call_and_every_fifty() -> None:
    said = lines_of(*(Progress("case", number, 120) for number in range(120)))
    assert [text.partition(" of ")[0] for text in said] == ["1", "51", "101"]


def test_every_payment_and_every_wait_is_a_line() -> None:
    spent = [Progress("case", number, 9, spent_usd=number // 2, left_usd=1.0) for number in range(6)]
    assert len(lines_of(*spent, Progress("case", 6, 9, 2, 1.0, waiting_s=10))) == 4


def test_progress_has_the_money_spent_and_left() -> None:
    text = progress_text(Progress("accepted/1:1", 12, 86, 0.126, 0.624, findings=2))
    assert text == "12 of 86 calls, spent 0.126 USD, left 0.624 USD, 2 findings: accepted/1:1"


# Cost


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ((1, 84_000, 0.042), "1 image, 84,000 credits, 0.042 USD"),
        ((12, 1_008_000, 0.504), "12 images, 1,008,000 credits, 0.504 USD"),
        ((0, 0, 0.0), "0 images, 0 USD"),
        ((2, 0, None), "2 images"),
        ((100, 0, 10.0), "100 images, 10 USD"),
    ],
)
def test_a_cost_is_formatted_as_far_as_a_price_is_known(amounts: tuple[int, float, float | None], text: str) -> None:
    assert format_cost(*amounts) == text


# Pictures


def png(mode: str = "RGB", size: tuple[int, int] = (1024, 512)) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


def received(content: bytes, pixels: tuple[int, int] | None = (1024, 512), **changes: Any) -> Observation:
    picture = FetchedPicture(
        "/data/0", "https://cdn.example/a.png", 200, "image/png", "image/png", pixels, content, **changes
    )
    return Observation(CASE, b"{}", 200, pictures=(picture,))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16", "LA"])
def test_a_picture_of_any_mode_becomes_a_small_jpeg(mode: str) -> None:
    (picture,) = report_pictures([received(png(mode))], lambda _: "curl")
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (picture.media_type, image.format, image.size) == ("image/jpeg", "JPEG", (384, 192))


def test_a_transparent_picture_is_shown_on_white() -> None:
    (picture,) = report_pictures([received(png("RGBA"))], lambda _: "curl")
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


def test_a_report_has_at_most_thirty_pictures() -> None:
    assert len(report_pictures([received(b"")] * 40, lambda _: "curl")) == 30


@settings(max_examples=30)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_bytes_that_are_no_picture_are_described_and_not_shown(tail: bytes, kept: int) -> None:
    broken = png(size=(64, 64))[:kept] + tail
    (picture,) = report_pictures([received(broken, (64, 64), problem="it is torn")], lambda _: "curl")
    assert (picture.content, "it is torn" in picture.note) == (b"", True)


def test_a_picture_too_large_to_decode_is_described_and_not_shown() -> None:
    (picture,) = report_pictures([received(png(), (100_000, 100_000))], lambda _: "curl")
    assert (picture.content, "100000x100000" in picture.note) == (b"", True)


# Report and plan


def report(outcomes: Mapping[str, str], *findings: Finding, **changes: Any) -> Any:
    return build_report(SUBJECT, Verification(catalogue(SUBJECT), findings, outcomes, **changes), {"server": "x"})


def test_checks_are_counted_by_outcome() -> None:
    outcomes = dict.fromkeys((check.id for check in catalogue(SUBJECT)), "passed") | {"image-count": "failed"}
    shown = report(outcomes | {"body-length": "not run"}, FINDING)
    assert shown.facts["checks"] == f"{len(outcomes) - 2} passed, 1 failed, 1 not run"
    assert shown.details["not run"] == "body-length"


def test_a_check_all_of_whose_findings_are_known_is_muted() -> None:
    checks = report({"image-count": "failed"}, muted=(FINDING,)).checks
    assert {check.outcome for check in checks if check.id == "image-count"} == {"muted"}


def test_a_check_with_a_new_finding_beside_a_known_one_failed() -> None:
    other = Finding("image-count/other", Severity.ERROR, Evidence.DOCUMENTED, "", "new")
    checks = report({"image-count": "failed"}, other, muted=(FINDING,)).checks
    assert {check.outcome for check in checks if check.id == "image-count"} == {"failed"}


def test_a_check_with_information_beside_a_known_failure_passed_with_remarks() -> None:
    other = Finding("image-count/other", Severity.INFO, Evidence.ASSUMED, "", "new")
    checks = report({"image-count": "failed"}, other, muted=(FINDING,)).checks
    assert {check.outcome for check in checks if check.id == "image-count"} == {"passed with remarks"}


def test_coverage_is_listed_by_property_with_the_elements_not_covered() -> None:
    coverage = {
        "aspect_ratio=1:1": 2,
        "aspect_ratio=9:16": 0,
        "num_images maximum (4)": 1,
        "required properties only": 0,
    }
    rows = [tuple(row.values()) for row in report({}, coverage=coverage).details["coverage"]]
    assert rows == [
        ("aspect_ratio", "1 of 2", "aspect_ratio=9:16"),
        ("num_images", "1 of 1", None),
        ("required properties only", "0 of 1", "required properties only"),
    ]


def test_a_run_that_was_interrupted_says_so_first() -> None:
    text = render(report({}, FINDING, incomplete="interrupted"))
    assert text.startswith("Not everything was examined: interrupted. 1 thing breaks the contract\n")


def test_a_run_without_an_answer_says_why_and_never_that_nothing_was_found() -> None:
    text = render(report({}, incomplete="the server cannot be reached"))
    assert (text.splitlines()[0], "No findings" in text) == (
        "Nothing was examined: the server cannot be reached",
        False,
    )


def test_the_time_of_a_check_is_that_of_its_calls() -> None:
    case = Case("accepted/a", "image-count", {}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    calls = tuple(Observation(case, b"", 200, elapsed_s=seconds) for seconds in (0.25, 0.5))
    checks = {check.id: check.seconds for check in report({}, observations=calls).checks}
    assert (checks.pop("image-count"), {*checks.values()}) == (0.75, {0})


def test_a_plan_names_an_element_at_the_first_call_that_covers_it() -> None:
    cases = [
        Case(f"accepted/{name}", "valid-accepted", {}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, covers=covers)
        for name, covers in (("a", ("model", "n=1")), ("b", ("model", "n=2")))
    ]
    plan = Plan(catalogue(SUBJECT), (), tuple(cases), elements=("model", "n=1", "n=2"))
    lines = plan_text(plan, SUBJECT, "here", is_billed=True).splitlines()
    first = lines.index("  accepted/a  1")
    assert lines[first + 1 : first + 4] == ["      covers model, n=1", "  accepted/b  1", "      covers n=2"]
