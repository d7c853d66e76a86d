"""``--format`` and ``--report``: one interface of every command that reports."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bodydouble.app import app
from bodydouble.fixture import BackgroundServer
from bodydouble_mockserver import create_app
from typer.testing import CliRunner, Result

DATA = Path(__file__).resolve().parents[2] / "spec" / "tests" / "data"
NOVEMBER, JANUARY = (str(DATA / f"revision-{name}.json") for name in ("2025-11-27-8ef28615", "2026-01-16-b8e4f5ad"))
SEND = """
import json, os, urllib.request as u
body = json.dumps({"model": "google/gemini-2.5-flash-image-edit", "prompt": "hat", "image_urls": [], "num_images": 9}).encode()
try: u.urlopen(u.Request(os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations", body, {"Content-Type": "application/json"}))
except u.HTTPError: pass
"""
# Each with findings.
COMMANDS: dict[str, tuple[str, ...]] = {
    "contract check": ("contract", "check", "--fail-on", "warning"),
    "contract update": ("contract", "update", JANUARY, "--dry-run"),
    "diff": ("diff", NOVEMBER, JANUARY),
    "history": ("history", NOVEMBER, JANUARY),
    "drift": ("drift", "--contract", NOVEMBER, "--upstream", JANUARY, "--no-impact"),
    "run": ("run", "--", sys.executable, "-c", SEND),
}
FORMATS: dict[str, Callable[[str], object]] = {
    "text": lambda text: "\nerror " in text or "\nwarning " in text,
    "json": lambda text: json.loads(text)["summary"],
    "markdown": lambda text: text.startswith("# "),
    "junit": lambda text: ElementTree.fromstring(text).tag.startswith("testsuite"),
    "html": lambda text: text.startswith("<!doctype html>"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, outside of GitHub."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def with_options(command: str, *options: str) -> Result:
    """Run a command with more options, which stand before the program that `run` starts."""
    given = COMMANDS[command]
    at = given.index("--") if "--" in given else len(given)
    return run(*given[:at], *options, *given[at:])


@pytest.mark.parametrize("command", COMMANDS)
def test_each_report_has_its_file_and_the_console_is_never_empty(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    usual = with_options(command)
    options = [word for name in FORMATS for word in ("--report", f"{name}:here.{name}")]
    result = with_options(command, *options)
    assert (result.exit_code, len(result.output) > 100) == (usual.exit_code, True), result.output
    for name, is_right in FORMATS.items():
        assert is_right(Path(f"here.{name}").read_text(encoding="utf-8")), name


def test_a_report_without_a_file_has_the_suffix_of_its_format() -> None:
    with_options("diff", *(word for name in FORMATS for word in ("--report", name)))
    assert sorted(path.name for path in Path().iterdir()) == [
        f"bodydouble-report.{suffix}" for suffix in ("html", "json", "md", "txt", "xml")
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_github_run_has_annotations_and_a_summary(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("before\n", encoding="utf-8")
    result = with_options(command)
    assert "\n::" in result.output
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert summary.startswith("before\n# ")
    assert "**report**" in summary


def test_a_program_that_reads_the_output_gets_no_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert json.loads(with_options("diff", "--format", "json").stdout)["changes"]


def test_annotations_can_be_asked_for_anywhere() -> None:
    result = with_options("diff", "--report", "github")
    assert ("\nerror " in result.stdout, "\n::error " in result.stdout, [*Path().iterdir()]) == (True, True, [])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("pdf:x.pdf", "formats are text, json"),
        ("html:", "FORMAT:FILE"),
        ("html:missing/x.html", "folder that exists"),
        ("html:.", "folder that exists"),
    ],
)
def test_a_bad_report_option_ends_in_one_line_before_any_work(command: str, report: str, words: str) -> None:
    result = with_options(command, "--report", report)
    assert (result.exit_code, result.stdout, result.stderr.count("\n"), words in result.stderr) == (2, "", 1, True)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "run"])
def test_a_report_that_cannot_be_written_is_exit_code_2_and_printed_all_the_same(command: str) -> None:
    result = with_options(command, "--report", "html:/dev/full")
    assert (result.exit_code, len(result.stdout) > 100, "/dev/full" in result.stderr) == (2, True, True)


def test_a_summary_that_cannot_be_written_does_not_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    result = with_options("history")
    assert (result.exit_code, "GITHUB_STEP_SUMMARY=/dev/full" in result.stderr) == (0, True)


def test_verify_takes_the_same_options() -> None:
    with BackgroundServer(create_app()) as server:
        result = run(
            "verify", "--base-url", server.url, "--check", "wrong-key-refused", "--report", "html:v.html", "--quiet"
        )
    assert (result.exit_code, Path("v.html").read_text(encoding="utf-8")[:9]) == (0, "<!doctype"), result.output


@pytest.mark.parametrize("command", ["diff", "drift"])
def test_a_baseline_mutes_what_is_known_in_one_line(command: str) -> None:
    first = with_options(command)
    assert first.exit_code == 1
    shown = sum(map(int, re.findall(r"\d+", first.stdout.splitlines()[-1])))
    assert with_options(command, "--write-baseline", "known.json").exit_code == 0
    known = json.loads(Path("known.json").read_text(encoding="utf-8"))["findings"]
    again = with_options(command, "--baseline", "known.json")
    assert again.exit_code == 0
    assert re.fullmatch(
        rf"Nothing new was found( in the published document)?; {shown} known before (is|are) still there",
        again.stdout.splitlines()[0],
    )
    del known[0]
    Path("known.json").write_text(json.dumps({"findings": known}), encoding="utf-8")
    new = with_options(command, "--baseline", "known.json")
    verdict = new.stdout.splitlines()[0]
    assert (" known before " in verdict, "Nothing new was found in" in verdict) == (shown > 1, False)
    assert not verdict.startswith(("No findings", "No changes", "Nothing new was found;"))


def test_a_json_report_of_changes_is_a_baseline() -> None:
    with_options("diff", "--report", "json:yesterday.json")
    assert with_options("diff", "--baseline", "yesterday.json").exit_code == 0


def test_the_second_day_with_an_open_drift_says_that_it_is_known() -> None:
    assert with_options("drift", "--state", "state.json").exit_code == 1
    second = with_options("drift", "--state", "state.json")
    verdict = second.stdout.splitlines()[0]
    assert (second.exit_code, verdict.startswith("Nothing new was found in the published document; ")) == (0, True)
    assert verdict.endswith(" known before are still there")


@pytest.mark.parametrize("command", ["diff", "drift"])
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--baseline=missing.json", "--write-baseline FILE writes one"),
        ("--write-baseline=missing/x", "folder that exists"),
    ],
)
def test_a_baseline_that_cannot_be_used_ends_in_one_line(command: str, option: str, words: str) -> None:
    result = with_options(command, option)
    assert (result.exit_code, result.stdout, result.stderr.count("\n"), words in result.stderr) == (2, "", 1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--report=htm:x.html",), "did you mean html?"),
        (("--report=json:x.out", "--report=html:./x.out"), "two reports go to x.out"),
    ],
)
def test_a_report_that_would_get_lost_is_refused_before_the_run(options: tuple[str, ...], words: str) -> None:
    result = with_options("diff", *options)
    assert (result.exit_code, result.stdout, words in result.stderr) == (2, "", True)


def test_the_log_of_a_github_run_has_the_verdict_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = with_options("diff").stdout.splitlines()
    assert (lines.count(lines[0]), any(line.startswith("::error ") for line in lines)) == (1, True)
