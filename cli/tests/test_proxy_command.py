"""``bodydouble proxy``: what cannot start is one line, and a run ends with its report and exit code."""

import itertools
import json
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble.app import app
from bodydouble_spec.recording import CallFacts, RecordingFolder, read_recording_folder
from typer.testing import CliRunner

from spec.tests.servers import PATIENCE_S, Quiet, serve_http

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
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--upstream", AWAY], **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        banner = dict(line.split(maxsplit=1) for line in itertools.islice(process.stdout, 13) if line.strip())
        address = banner["address"].strip()
        headers = {"authorization": "Bearer sk-real-0123456789"}
        answer = httpx.post(f"{address}/v1/images/generations", json=BODY, headers=headers, timeout=60)
        process.send_signal(signal.SIGINT)
        report, log = process.stdout.read(), process.stderr.read()
    assert (answer.status_code, process.returncode) == (502, 1)
    assert f"{AWAY} cannot be reached" in answer.json()["message"]
    assert "\n1 thing breaks your calls\n" in report
    assert "upstream-unreachable" in report
    assert (banner["upstream"], banner["page"]) == (f"{AWAY}\n", f"{address}/_bodydouble/\n")
    assert (banner["recording"], banner["cap"][:20]) == (f"{tmp_path / 'r'}\n", "1.000 USD for this r")
    assert "POST /v1/images/generations 502 " in log
    assert '"x" (0.000 USD, not recorded) ' in log
    assert re.search(r"cost +0\.000 USD of 1\.000", report)


RELEASED = threading.Event()


class SlowUpstream(Quiet, BaseHTTPRequestHandler):
    """A server whose answer to one prompt comes when it is released, and to any other never ends."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"9\r\ndata: 1\n\n\r\n")
        is_released = RELEASED.wait(PATIENCE_S)
        if body["prompt"] == "slow" and is_released:
            self.wfile.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
        else:
            self.rfile.read(1)


def test_calls_under_way_get_their_answers_after_a_signal_and_are_cut_recorded_and_paid_after_a_second(
    tmp_path: Path,
) -> None:
    folder, ledger = tmp_path / "r", tmp_path / "spent.jsonl"
    began = threading.Barrier(3)

    def ask(address: str, prompt: str) -> bytes:
        url, got = f"{address}/v1/images/generations", b""
        headers = {"authorization": "Bearer sk-real-0123456789"}
        with httpx.stream("POST", url, json={**BODY, "prompt": prompt}, headers=headers, timeout=PATIENCE_S) as answer:
            try:
                for part in answer.iter_raw():
                    got += part
                    if got == b"data: 1\n\n":
                        began.wait(PATIENCE_S)
            except httpx.RemoteProtocolError:
                got += b"cut"
        return got

    options = ["--port", "0", "--record", str(folder), "--max-usd-per-day", "1", "--ledger", str(ledger)]
    with (
        serve_http(ThreadingHTTPServer(("127.0.0.1", 0), SlowUpstream)) as upstream,
        subprocess.Popen(
            [sys.executable, "-m", "bodydouble", "proxy", *options, "--upstream", upstream],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process,
        ThreadPoolExecutor() as threads,
    ):  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("  address"))
        slow, endless = (threads.submit(ask, address, prompt) for prompt in ("slow", "endless"))
        began.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        assert "waiting up to 60 s for the answers to 2 calls" in process.stderr.readline()
        RELEASED.set()
        assert slow.result(PATIENCE_S) == b"data: 1\n\ndata: 2\n\n"
        process.send_signal(signal.SIGINT)
        assert endless.result(PATIENCE_S) == b"data: 1\n\ncut"
        report = process.stdout.read()
    recording = read_recording_folder(folder)
    facts = [CallFacts.of(call) for call in recording.exchanges]
    assert [(fact.trouble, fact.usd) for fact in facts if fact] == [(None, 0.042), ("broken", 0.042)]
    assert recording.findings == ()
    assert ledger.read_text().count('"charged_usd":0.042') == 2
    assert ("proxy-stopped" in report, "| calls | 2 (" in (folder / "README.md").read_text()) == (True, True)
