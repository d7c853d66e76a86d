"""Sample apps as public ones are written, unchanged: the address in the code, a client made at import, several routes, downloads."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bodydouble.app import app

pytest_plugins = ["pytester"]

APPS = Path(__file__).parent / "data" / "apps"
CAT = "https://example.org/cat.png"
# The same three arguments for each of them: picture, text, and the number of copies.
WITH_THE_ADDRESS = [
    [sys.executable, str(APPS / "constant.py")],
    ["node", str(APPS / "constant.mjs")],
    ["java", str(APPS / "Constant.java")],
]
CHAT = [sys.executable, str(APPS / "chat_then_edit.py"), CAT, "a hat"]
DOWNLOADS = [sys.executable, str(APPS / "downloads.py"), CAT, "a hat", "cat.png"]
Run = Callable[..., tuple[int, dict[str, str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program with ``bodydouble run``, intercepted by default; returns the exit code and the severities of the findings by their ids."""
    monkeypatch.chdir(tmp_path)

    def run(command: list[str], *options: str, intercept: bool = True) -> tuple[int, dict[str, str]]:
        report = tmp_path / "report.json"
        own = ["--intercept"] if intercept else []
        arguments = ["run", *own, "--format", "json", "--output", str(report), *options, "--", *command]
        with pytest.raises(SystemExit) as end:
            app(args=arguments, prog_name="bodydouble")
        assert isinstance(end.value.code, int)
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        return end.value.code, {finding["id"]: finding["severity"] for finding in findings}

    return run


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[..., str]:
    """Write scripted answers to a file."""

    def write(*answers: object) -> str:
        file = tmp_path / "scenario.json"
        file.write_text(json.dumps({"answers": answers}), encoding="utf-8")
        return str(file)

    return write


@pytest.mark.parametrize("command", WITH_THE_ADDRESS, ids=["python", "node", "java"])
def test_an_app_with_the_address_in_it_is_answered_and_its_faults_are_found(
    run: Run, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run([*command, CAT, "Hello", "9"]) == (1, {"request-maximum": "error"})
    assert "/generations/" not in capfd.readouterr().out


def test_the_same_app_without_interception_has_asked_for_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing of this test may reach the real service.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    command = [sys.executable, str(APPS / "constant.py"), CAT, "Hello"]
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


@pytest.mark.parametrize(
    ("picture", "rule"),
    [
        ("http://localhost:3000/cat.png", "request-input-unreachable"),
        ("data:image/png;base64,aGVsbG8gd29ybGQ=", "request-input-not-an-image"),
    ],
)
def test_a_picture_that_the_service_cannot_use_is_told(run: Run, picture: str, rule: str) -> None:
    assert run([*WITH_THE_ADDRESS[0], picture, "Hello"]) == (0, {rule: "warning"})


def test_a_client_made_at_import_is_judged_in_every_test(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    shutil.copytree(APPS / "module_client", pytester.path, dirs_exist_ok=True)
    result = run_files()
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_any_number_of_variations[[]9[]]*", "*9 is too large*"])
