"""The examples, as public apps are written: the address in the code, a client made at import, several routes, downloads."""

import gc
import json
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from bodydouble.app import app

pytest_plugins = ["pytester"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CAT = "https://example.org/cat.png"
# The same three arguments for each of them: picture, text, and the number of copies.
WITH_THE_ADDRESS = [
    [sys.executable, str(EXAMPLES / "requests" / "greeting.py")],
    ["node", str(EXAMPLES / "node" / "greeting.mjs")],
    ["java", str(EXAMPLES / "java" / "Greeting.java")],
    ["sh", str(EXAMPLES / "curl" / "greeting.sh")],
]
CHAT = [sys.executable, str(EXAMPLES / "httpx" / "chat_then_edit.py"), CAT, "a hat"]
DOWNLOADS = [sys.executable, str(EXAMPLES / "requests" / "downloads.py"), CAT, "a hat", "cat.png"]
Run = Callable[..., tuple[int, dict[str, str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program with ``bodydouble run``, intercepted by default; returns the exit code and the severities of the findings by their ids."""
    monkeypatch.chdir(tmp_path)

    def run(command: list[str], *options: str, intercept: bool = True) -> tuple[int, dict[str, str]]:
        report = tmp_path / "report.json"
        own = ["--intercept"] if intercept else []
        arguments = ["run", *own, "--report", f"json:{report}", *options, "--", *command]
        with pytest.raises(SystemExit) as end:
            app(args=arguments, prog_name="bodydouble")
        assert isinstance(end.value.code, int)
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        return end.value.code, {finding["id"]: finding["severity"] for finding in findings}

    return run


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[..., str]:
    """Write scripted answers, and limits, to a file."""

    def write(*answers: object, **more: object) -> str:
        file = tmp_path / "scenario.json"
        file.write_text(json.dumps({"answers": answers, **more}), encoding="utf-8")
        return str(file)

    return write


@pytest.mark.parametrize("command", WITH_THE_ADDRESS, ids=["python", "node", "java", "curl"])
def test_an_app_with_the_address_in_it_is_answered_and_its_faults_are_found(
    run: Run, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run([*command, CAT, "Hello", "9"]) == (1, {"request-maximum": "error"})
    assert "/generations/" not in capfd.readouterr().out


def test_the_same_app_without_interception_has_asked_for_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing of this test may reach the real service.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    command = [sys.executable, str(EXAMPLES / "requests" / "greeting.py"), CAT, "Hello"]
    assert run(command, intercept=False)[1] == {"no-request": "error"}


def test_chat_before_an_edit_is_named_as_a_route_without_a_contract(run: Run) -> None:
    assert run(CHAT) == (1, {"route-not-stood-in": "error"})


def test_chat_before_an_edit_is_scripted_and_the_edit_is_judged(
    run: Run, scenario: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    chat = {"path": "/v1/chat/completions", "body": {"choices": [{"message": {"content": "a very red hat"}}]}}
    assert run(CHAT, "--scenario", scenario(chat)) == (0, {})
    assert "/generations/" in capfd.readouterr().out
    assert run([*CHAT, "9"], "--scenario", scenario(chat)) == (1, {"request-maximum": "error"})


def test_downloads_with_retries_survive_failures_and_what_they_send_in_vain_is_told(
    run: Run, scenario: Callable[..., str]
) -> None:
    failures = scenario({"status": 503, "times": 2}, {"fault": "reset-mid-body"})
    warnings = {"picture-key-sent": "warning", "request-undocumented-property": "warning"}
    assert run(DOWNLOADS, "--scenario", failures) == (0, warnings)
    assert Path("cat.png").read_bytes().startswith(b"\x89PNG")


def test_retries_that_are_not_made_are_found(run: Run, scenario: Callable[..., str]) -> None:
    code, findings = run(DOWNLOADS, "--scenario", scenario({"status": 503, "times": 4}, {"status": 429}))
    assert (code, findings["answer-unused"]) == (1, "error")


# The Node app once for each argument, in one run, with its own key over the one that `run` has set.
EACH_KEY = f'for key in "$@"; do AIMLAPI_KEY="$key" node {EXAMPLES}/node/greeting.mjs {CAT} Hello || exit; done'
EACH_PICTURE = f'for picture in "$@"; do node {EXAMPLES}/node/greeting.mjs "$picture" Hello || exit; done'
KEYS = {
    "sk-aiml-4f7c1e0a9b2d": "not the dummy key",
    "undefined": "unset variable",
    "null": "unset variable",
    "None": "unset variable",
    "${AIMLAPI_KEY}": "name of a variable",
    "<YOUR_API_KEY>": "placeholder",
    "Bearer sk-4f7c1e": "repeats the name of the scheme",
    '"sk-4f7c1e"': "quotation marks",
    "'sk-4f7c1e'": "quotation marks",
}
PICTURES = {
    "http://localhost:3000/cat.png": "this computer",
    "http://192.168.1.5/cat.png": "private network",
    "https://nas.local/cat.png": "local network",
    "http://[::1]/cat.png": "this computer",
    "file:///home/me/cat.png": "this computer's disk",
    "blob:https://app.example/9c5b94b1": "this browser",
    "data:image/png;base64,aGVsbG8gd29ybGQ=": "is text",
    "./photos/cat.png": "path of a file",
    "cat.png": "name of a file",
    "undefined": "unset variable",
    "example.org/cat.png": "https://example.org/cat.png",
}


def _messages_by_request() -> dict[int, str]:
    """Return the messages of the errors and warnings in the report, by the number of the request."""
    found: dict[int, str] = {}
    for finding in json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]:
        if finding["severity"] != "info":
            numbers = re.findall(r"\d+", finding["witness"].partition(" of ")[0])
            found.update({int(number): finding["message"] for number in numbers})
    return found


def test_a_key_that_looks_real_or_was_not_filled_in_is_told_and_not_shown(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    code, findings = run(["sh", "-c", EACH_KEY, "sh", *KEYS], "--fail-on", "warning")
    assert (code, findings) == (1, dict.fromkeys(["request-key-unexpected", "request-key-placeholder"], "warning"))
    told = _messages_by_request()
    assert [words in told[number] for number, words in enumerate(KEYS.values(), 1)] == [True] * len(KEYS)
    report = Path("report.json").read_text(encoding="utf-8") + capfd.readouterr().err
    assert [key for key in KEYS if "4f7c1e" in key and key.strip("\"'") in report] == []


def test_a_picture_that_the_service_cannot_use_is_explained(run: Run) -> None:
    code, findings = run(["sh", "-c", EACH_PICTURE, "sh", *PICTURES])
    assert code == 1
    assert {"request-input-unreachable", "request-input-not-an-image"} < {*findings}
    told = _messages_by_request()
    assert [words in told[number] for number, words in enumerate(PICTURES.values(), 1)] == [True] * len(PICTURES)


def test_what_the_downloads_make_of_expired_cut_slow_and_other_files_is_seen(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    shutil.copy(EXAMPLES / "requests" / "downloads.py", pytester.path)
    pytester.makepyfile("""
        import pathlib
        import pytest
        import requests

        FILES = {"path": "/generations/*"}
        PNG = b"\\x89PNG"

        @pytest.fixture
        def save(bodydouble, monkeypatch, tmp_path):
            monkeypatch.syspath_prepend(str(pathlib.Path(__file__).parent))
            import downloads
            downloads.session.headers["Authorization"] = "Bearer bodydouble-dummy-key"

            def save():
                (url,) = downloads.edit("https://example.org/cat.png", "a hat", 1)
                downloads.save(url, tmp_path / "cat.png")
                return (tmp_path / "cat.png").read_bytes()
            return save

        pytestmark = pytest.mark.bodydouble(intercept=True)

        def test_expired(bodydouble, save):
            bodydouble.answer(status=404, match=FILES)
            with pytest.raises(requests.HTTPError):
                save()

        def test_cut_off_once(bodydouble, save):
            bodydouble.answer(fault="wrong-length", match=FILES)
            assert save().startswith(PNG)
            assert len(bodydouble.pictures) == 2

        def test_slow(bodydouble, save):
            bodydouble.answer(delay_s=0.1, match=FILES)
            assert save().startswith(PNG)

        def test_html(bodydouble, save):
            bodydouble.answer(body="<!doctype html>", headers={"Content-Type": "text/html"}, match=FILES)
            assert save().startswith(PNG)

        def test_truncated(bodydouble, save):
            bodydouble.answer(fault="truncated-json", match=FILES)
            assert b"IEND" in save()

        @pytest.mark.bodydouble(fail_on="warning")
        def test_key(bodydouble, save):
            assert save().startswith(PNG)
    """)
    result = run_files()
    result.assert_outcomes(passed=4, failed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_key*", "*picture-key-sent*", "*download 1 of 1*"])
    result.stdout.fnmatch_lines(["FAILED *::test_html*", "FAILED *::test_truncated*"])


def test_a_download_after_the_end_of_its_life_is_an_error_of_the_app(
    run: Run, scenario: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(DOWNLOADS, "--scenario", scenario(limits={"expires_after_s": 0}))[0] == 1
    assert "404 Client Error" in capfd.readouterr().err


def test_a_client_made_at_import_is_judged_in_every_test(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    shutil.copytree(EXAMPLES / "openai", pytester.path, dirs_exist_ok=True)
    pytester.makepyfile("""
        import studio

        def test_too_many():
            assert studio.variations("https://example.org/cat.png", "a hat", 9) == []
    """)
    result = run_files()
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_too_many*", "*9 is too large*"])


COMMANDS = re.findall(r"^\|.*\| `(.+)` \|$", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tests_of_an_example_pass(
    command: str, run: Run, pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    program, *words = command.split()
    if program == "pytest":
        shutil.copytree(EXAMPLES / words[0], pytester.path, dirs_exist_ok=True)
        outcomes = run_files().parseoutcomes()
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()  # clients of the apps, which end with their process as a rule
        assert (set(outcomes), outcomes["passed"] >= 2) == ({"passed"}, True)
    else:
        shutil.copytree(EXAMPLES, ".", dirs_exist_ok=True)
        assert words[:3] == ["run", "--intercept", "--"]
        assert run(words[3:]) == (0, {})


def test_every_example_has_tests_that_are_run() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()} - {"compose", "replicas"}
    assert folders == {re.split(r"[ /]", command)[-1 if command.startswith("pytest") else -2] for command in COMMANDS}
