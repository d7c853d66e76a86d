"""``bodydouble proxy``: what cannot start is one line, and a run ends with its report and exit code."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from bodydouble.app import app
from bodydouble_spec.recording import RecordingFolder
from typer.testing import CliRunner

BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.com/a.png"]}
# Nothing listens there: port 9 of loopback is that of the discard service.
AWAY = "http://127.0.0.1:9"


def refused(*options: str, **variables: str) -> str:
    result = CliRunner().invoke(app, ["proxy", "--port", "0", *options], env=variables)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--upstream", "ftp://example.org"], "ftp://example.org"),
        (["--max-usd", "inf"], "it takes US dollars"),
        (["--upstream", AWAY, "--ca", "no-such.pem"], "name a PEM file of trusted authorities"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    said = refused("--record", str(tmp_path / "r"), *options)
    assert words in said
    assert said.count("\n") == 1


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with RecordingFolder(tmp_path):
        assert "another process is recording into this folder" in refused("--record", str(tmp_path), "--upstream", AWAY)


def test_a_shell_whose_variables_lead_to_a_server_of_ours_is_refused(tmp_path: Path) -> None:
    said = refused("--record", str(tmp_path), BODYDOUBLE_HOSTS="api.aimlapi.com")
    assert "start the proxy in another shell" in said


def test_a_server_that_is_away_is_a_502_a_finding_and_exit_code_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bodydouble", "proxy", "--port", "0", "--record", str(tmp_path / "r")]
    with subprocess.Popen([*command, "--upstream", AWAY, "--quiet"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        headers = {"authorization": "Bearer sk-real-0123456789"}
        answer = httpx.post(f"{address}/v1/images/generations", json=BODY, headers=headers, timeout=60)
        process.send_signal(signal.SIGINT)
        report = process.stdout.read()
    assert (answer.status_code, process.returncode) == (502, 1)
    assert f"{AWAY} cannot be reached" in answer.json()["message"]
    assert "upstream-unreachable" in report
    assert re.search(r"cost +0\.000 USD of 1\.000", report)
