"""``bodydouble verify`` against mocks on ports: findings, reports, plans, costs and errors."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bodydouble import __main__
from bodydouble.fixture.server import BackgroundServer
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import ReportFormat
from PIL import Image
from playwright.sync_api import Route, sync_playwright

from spec.tests.servers import unfitted_files

KEY = "sk-canary-5f21c09a77"
DOCS = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```(?:shell|sh)\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ONE = ("--check", "no-key-refused")
CHECKS = ("image-count", "picture-pixels", "no-key-refused")


@dataclass
class Ended:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


@dataclass
class Server:
    """A mock and its address."""

    app: MockServer
    url: str

    @property
    def options(self) -> tuple[str, ...]:
        return "--base-url", self.url, "--api-key", KEY, "--quiet"


Run = Callable[..., Ended]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command in an empty folder, without keys other than those that a test sets."""
    monkeypatch.chdir(tmp_path)
    for name in ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bodydouble", "verify", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        captured = capfd.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return call


def words_of(command: str, url: str) -> list[str]:
    """Return a command of the docs with the mock's address for that of the docs' mock and of the real API."""
    live = command.replace("--live", f"--live --base-url {url}")
    words = shlex.split(live.replace("http://127.0.0.1:8000", url).replace("demo", KEY))
    return [sys.executable, "-m", *words]


def serve(settings: Settings) -> Iterator[Server]:
    app = create_app(settings=settings)
    with BackgroundServer(app) as server:
        yield Server(app, server.url)


@pytest.fixture(scope="module")
def sound() -> Iterator[Server]:
    yield from serve(Settings(api_keys=(KEY,), seed=1))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a mock whose pictures all have the same wrong size."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.new("RGB", (8, 6), "teal").save(folder / "a.png")
    with unfitted_files():
        yield from serve(Settings(api_keys=(KEY,), seed=1, pictures=folder))


@dataclass
class Reports:
    """The reports of one complete run, by format."""

    ended: subprocess.CompletedProcess[str]
    texts: dict[str, str]
    page: Path


@pytest.fixture(scope="module")
def reports(sound: Server, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Return the first run of the docs, against the sound mock, with a report in every format."""
    folder = tmp_path_factory.mktemp("reports")
    files = {str(name): folder / f"report.{name}" for name in ReportFormat}
    wanted = [word for name, file in files.items() for word in ("--report", f"{name}:{file}")]
    (shown,) = (line for line in COMMANDS if "--report" in line)
    command = [*words_of(shown, sound.url), "--record", str(folder / "record.jsonl"), *wanted]
    command += [word for check in CHECKS for word in ("--check", check)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    texts["record"] = (folder / "record.jsonl").read_text(encoding="utf-8")
    return Reports(ended, texts, files[ReportFormat.HTML])


# The docs


def test_the_docs_start_a_mock_that_takes_one_key() -> None:
    assert COMMANDS[0] == "bodydouble serve --api-key demo"


def test_every_other_command_of_the_docs_runs_in_order(
    run: Run, sound: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", KEY)
    # The complete run is that of the fixture `reports`.
    commands = [
        words_of(line, sound.url)
        for line in COMMANDS
        if line.startswith("bodydouble verify ") and "--report" not in line
    ]
    assert [(words, ended.err) for words in commands if (ended := run(*words[4:])).code != 0] == []


# A complete run


def test_a_sound_server_gives_no_finding_and_exit_code_0(reports: Reports) -> None:
    ended = reports.ended
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, f"No findings in {len(CHECKS)} checks")


def test_progress_without_a_terminal_is_a_few_lines(reports: Reports) -> None:
    lines = reports.ended.stderr.splitlines()
    assert 1 <= len(lines) <= 6
    assert all(re.fullmatch(r"bodydouble: \d+ of \d+ calls: \S+", line) for line in lines)


def test_the_json_report_has_its_results_at_the_top_level(reports: Reports) -> None:
    parsed = json.loads(reports.texts["json"])
    needed = {"findings", "checks", "requests", "paid_images", "credits", "usd", "coverage", "unbought", "incomplete"}
    assert needed <= parsed.keys()
    assert {check["id"]: check["outcome"] for check in parsed["checks"]} == dict.fromkeys(CHECKS, "passed")


def test_the_junit_report_has_one_test_for_each_check(reports: Reports) -> None:
    cases = ElementTree.fromstring(reports.texts["junit"]).findall("testsuite/testcase")
    assert [case.attrib["classname"] for case in cases] == [f"bodydouble.{check}" for check in CHECKS]


def test_the_key_is_in_no_report_and_in_no_recording(reports: Reports) -> None:
    texts = {**reports.texts, "out": reports.ended.stdout, "err": reports.ended.stderr}
    assert [name for name, text in texts.items() if KEY in text] == []


def test_the_html_report_shows_the_pictures_and_fetches_nothing(reports: Reports) -> None:
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.url.partition(":")[0])
        route.continue_()

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.route("**/*", note)
        page.goto(reports.page.as_uri())
        widths: list[int] = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        browser.close()
    # One for each ratio, and four of one call; only the page itself was loaded from a file.
    assert (len(widths) > 12, min(widths) > 100, asked.count("file"), {*asked} - {"file", "data"}) == (
        True,
        True,
        1,
        set(),
    )


def test_a_recording_is_checked_without_a_server(run: Run, reports: Reports, tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").write_text(reports.texts["record"], encoding="utf-8")
    ended = run("--exchanges", "record.jsonl", "--format", "json")
    parsed = json.loads(ended.out)
    assert (ended.code, parsed["findings"], parsed["requests"]) == (0, [], 0)


# Findings, baseline


def test_a_deviation_is_reported_with_a_command_that_shows_it(run: Run, faulty: Server, tmp_path: Path) -> None:
    ended = run(*faulty.options, "--check", "picture-pixels", "--format", "json")
    finding = json.loads(ended.out)["findings"][0]
    environment = {**os.environ, "AIMLAPI_KEY": KEY}
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "picture.png")
    command = ["sh", "-c", finding["request"]]
    shown = subprocess.run(command, capture_output=True, env=environment, check=True, cwd=tmp_path)
    assert (ended.code, finding["id"].partition("/")[0], "data" in json.loads(shown.stdout)) == (
        1,
        "picture-pixels",
        True,
    )


def test_findings_in_a_baseline_are_muted_and_those_no_longer_found_are_listed(
    run: Run, faulty: Server, sound: Server
) -> None:
    pixels = ("--check", "picture-pixels", "--format", "json")
    written = run(*faulty.options, *pixels, "--write-baseline", "known.json")
    # The baseline has the findings that another one covers too.
    count = len(json.loads(Path("known.json").read_text(encoding="utf-8"))["findings"])
    assert count >= len(json.loads(written.out)["findings"]) > 0
    muted, gone = (run(*server.options, *pixels, "--baseline", "known.json") for server in (faulty, sound))
    assert (written.code, muted.code, gone.code) == (0, 0, 0)
    assert [len(json.loads(muted.out)[name]) for name in ("findings", "muted", "gone")] == [0, count, 0]
    assert [len(json.loads(gone.out)[name]) for name in ("findings", "muted", "gone")] == [0, 0, count]


def test_a_muted_check_is_no_failure_to_junit(run: Run, faulty: Server) -> None:
    run(*faulty.options, "--check", "picture-pixels", "--write-baseline", "known.json")
    ended = run(*faulty.options, "--check", "picture-pixels", "--baseline", "known.json", "--format", "junit")
    assert ElementTree.fromstring(ended.out).get("failures") == "0"


def test_fail_on_decides_which_findings_make_the_exit_code(run: Run, faulty: Server) -> None:
    assert run(*faulty.options, "--check", "picture-pixels", "--fail-on", "never").code == 0


# Runs that cannot be started or finished


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--base-url URL, or --live"),
        (("--base-url", "ftp://x"), "not a base URL"),
        (("--base-url", "https://api.aimlapi.com/v1"), "--live"),
        (("--live",), "AIMLAPI_KEY"),
        (("--live", "--api-key", "k", "--base-url", "http://api.aimlapi.com"), "clear text"),
        (("--base-url", "http://127.0.0.1:1", "--check", "nope"), "nope"),
        (("--base-url", "http://127.0.0.1:1", "--report", "html:"), "FORMAT:FILE"),
        (("--base-url", "http://127.0.0.1:1", "--report", "pdf:x.pdf"), "formats are"),
        (("--base-url", "http://127.0.0.1:1", "--report", "html:nowhere/x.html"), "folder that exists"),
        (("--base-url", "http://127.0.0.1:1", "--write-baseline", "nowhere/x"), "folder that exists"),
        (("--base-url", "http://127.0.0.1:1", "--baseline", "nowhere.json"), "nowhere.json"),
        (("--base-url", "http://127.0.0.1:1", "--baseline", __file__), "not JSON"),
        (("--base-url", "http://127.0.0.1:1", "--contract", "nowhere.json"), "nowhere.json"),
        (("--base-url", "http://127.0.0.1:1", "--resume", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--base-url", "http://127.0.0.1:1", "--ca", "nowhere.pem"), "nowhere.pem"),
        (("--base-url", "http://127.0.0.1:1", *ONE), "cannot be reached"),
        (("--exchanges", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--exchanges", os.devnull), "that can be checked"),
        (("--exchanges", __file__, "--check", "nope"), "nope"),
        (("--list", "--format", "html"), "text or json"),
    ],
)
def test_a_run_that_cannot_start_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = run(*arguments, "--quiet")
    assert ended.code == 2
    assert re.fullmatch(rf"bodydouble: .*{re.escape(words)}.*\n", ended.err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_findings_and_is_exit_code_2(sound: Server, tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "bodydouble", "verify", "--base-url", sound.url, "--api-key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        assert " calls" in process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate()
    # Without an answer before, nothing was examined, and the reason is all there is.
    assert (process.returncode, out == "" or out.startswith("Not everything was examined: interrupted. ")) == (2, True)
    assert "bodydouble: incomplete: interrupted" in err.splitlines()


# Checks and plans


def test_the_list_names_every_check_with_its_evidence_and_price(run: Run) -> None:
    text, parsed = run("--list").out, json.loads(run("--list", "--format", "json").out)
    assert [check["id"] for check in parsed["checks"] if f"\n{check['id']}: {check['claim']}\n" not in text] == []
    assert "documented (the published contract); 1 image, 84,000 credits, 0.042 USD" in text


def test_the_plan_of_the_real_api_fits_the_budget_and_sends_nothing(run: Run) -> None:
    ended = run("--dry-run", "--format", "json")
    plan = json.loads(ended.out)
    assert (ended.code, plan["server"], plan["is_billed"]) == (0, "https://api.aimlapi.com", True)
    assert plan["usd"] == pytest.approx(plan["paid_images"] * 0.042)
    assert 0 < plan["usd"] <= 0.75


def test_the_plan_lists_the_paid_calls_and_the_elements_beyond_the_budget(run: Run) -> None:
    ended = run("--dry-run", "--max-usd", "0.05")
    assert re.search(r"paid calls +1 +1 image, 84,000 credits, 0\.042 USD\n", ended.out)
    assert "left out (beyond the budget of 1 picture" in ended.out


def test_the_plan_of_a_local_server_is_free(run: Run, sound: Server) -> None:
    before = len(sound.app.journal.exchanges())
    ended = run(*sound.options, "--dry-run")
    assert ("free on this server" in ended.out, len(sound.app.journal.exchanges())) == (True, before)


def test_a_dry_run_counts_every_call_that_the_run_makes(run: Run, sound: Server) -> None:
    text = run(*sound.options, *ONE, "--dry-run").out
    shown = re.findall(r"^  (?:free calls|calls with pictures|further calls) +(\d+)", text, re.MULTILINE)
    plan, made = (json.loads(run(*sound.options, *ONE, "--format", "json", *dry).out) for dry in (("--dry-run",), ()))
    listed = sum(call["repeats"] for call in plan["calls"])
    assert [sum(map(int, shown)), listed, plan["requests"]] == [made["requests"]] * 3


# Money


def calls_of(server: Server) -> int:
    return sum(exchange.status == 200 and exchange.method == "POST" for exchange in server.app.journal.exchanges())


def test_a_live_run_is_recorded_and_no_call_is_paid_twice(
    run: Run, faulty: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", KEY)
    live = ("--live", "--base-url", faulty.url, "--max-usd", "0.09", "--format", "json", "--check", "picture-pixels")
    before = calls_of(faulty)
    first = run(*live)
    (recording,) = tmp_path.glob("bodydouble-verify-*.jsonl")
    between = calls_of(faulty)
    second = run(*live, "--resume", recording)
    assert f"--resume {recording.name}" in first.err.splitlines()[0]
    assert (between - before, calls_of(faulty) - between) == (json.loads(first.out)["paid_images"], 0)
    same = ("findings", "paid_images", "usd", "credits")
    assert {name: json.loads(first.out)[name] for name in same} == {name: json.loads(second.out)[name] for name in same}
    assert KEY not in first.out + first.err + second.out + second.err + recording.read_text(encoding="utf-8")


def test_the_key_of_the_environment_is_sent_only_in_live_runs(
    run: Run, sound: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", KEY)
    ended = run("--base-url", sound.url, "--quiet", "--check", "unknown-key-tolerated")
    # The mock accepts only KEY.
    assert (ended.code, "does not accept the API key" in ended.err) == (2, True)
