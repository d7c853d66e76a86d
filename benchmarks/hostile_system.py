"""Attacks on what is around a mock and a paid call: signals, full disks, the temporary folder, the log; used by hostile.py."""

import base64
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["BODY", "CANARY", "PATH", "PATIENCE_S", "SYSTEM_ATTACKS", "System", "folder"]

PATH = "/v1/images/generations"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
CANARY = "sk-canary-0123456789"
PATIENCE_S = 60.0
_PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(5_000_000)).decode()


class System:
    """A mock as a process, in a folder of its own, with what it has logged."""

    def __init__(self, folder: Path, *options: str, before: Callable[[], None] | None = None, **environ: str) -> None:
        self.log = folder / "log.txt"
        command = [sys.executable, "-m", "bodydouble", "serve", "--port", "0", *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environ}, preexec_fn=before
            )
        assert self.process.stdout is not None
        text = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", text)):
            text += self.process.stdout.readline()
        self.port = int(found[1])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def call(self, path: str = PATH, **changes: object) -> tuple[int, bytes]:
        """Make a call, or get another path; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {CANARY}", "Content-Type": "application/json"}
            body = json.dumps({**BODY, **changes}) if path.startswith(PATH) else None
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def health(self) -> str:
        """Return the status that the mock tells, with the problems."""
        told = json.loads(self.call("/_bodydouble/health")[1])
        return ": ".join([told["status"], *told.get("problems", ())])

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """End the process; return the exit code and the seconds that it took."""
        begun = time.perf_counter()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        return f"exit code {code} after {time.perf_counter() - begun:.1f} s"


@contextmanager
def folder() -> Generator[Path]:
    """Make a folder for the time of an attack."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def delayed_calls() -> str:
    """End a server with twenty calls that wait, and compare what they got with the journal."""
    with folder() as place:
        journal = place / "journal.jsonl"
        system = System(place, "--quiet", "--latency", "300", "--journal", str(journal))
        with ThreadPoolExecutor(20) as callers:
            calls = [callers.submit(system.call) for _ in range(20)]
            while len(json.loads(system.call("/_bodydouble/requests")[1])["requests"]) < 20:
                time.sleep(0.05)
            ended = system.end()
            read = {call.result()[0] for call in calls}
        lines = journal.read_text().splitlines()
        recorded = {json.loads(line)["answer"]["status"] for line in lines}
    return f"read {read}, in the journal {recorded} of {len(lines)}; {ended}"


def temporary_folder_gone() -> str:
    """Remove the temporary folder of a running mock, and send an input of 5 MB twice."""
    with folder() as place:
        temporary = place / "tmp"
        temporary.mkdir()
        system = System(place, "--quiet", TMPDIR=str(temporary))
        shutil.rmtree(temporary)
        answers = [system.call(image_urls=[_PICTURE]) for _ in range(2)]
        url = json.loads(answers[1][1])["data"][0]["url"]
        picture, _ = system.call(url[url.index("/generations") :])
        return f"{[status for status, _ in answers]}, its picture {picture}; {system.end()}"


def temporary_folder_left() -> str:
    """Kill a mock that has an input of 5 MB in its temporary folder, and start the next one."""
    with folder() as place:
        system = System(place, "--quiet", TMPDIR=str(place))
        system.call(image_urls=[_PICTURE])
        system.process.kill()
        system.process.wait()
        left = [*place.glob("bodydouble-inputs-*")]
        for item in left:
            os.utime(item, (0, 0))
        system = System(place, "--quiet", TMPDIR=str(place))
        system.call(image_urls=[_PICTURE])
        still = sum(item.exists() for item in left)
        return f"{len(left)} left by the killed one, {still} after the next start; {system.end()}"


def full_disk() -> str:
    """Let the journal file grow to 4 kB only."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    with folder() as place:
        system = System(place, "--quiet", "--journal", str(place / "journal.jsonl"), before=limit)
        statuses = {system.call()[0] for _ in range(20)}
        time.sleep(1)
        told = re.sub(r"/\S+/", "", system.health())
        return f"{statuses}, health {told}; {system.end()}"


def temporary_folder_full() -> str:
    """Let no file grow beyond 1 MB, and send an input of 5 MB twice."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    with folder() as place:
        system = System(place, "--quiet", before=limit, TMPDIR=str(place))
        answers = [system.call(image_urls=[_PICTURE]) for _ in range(2)]
        url = json.loads(answers[1][1])["data"][0]["url"]
        picture, _ = system.call(url[url.index("/generations") :])
        return f"{[status for status, _ in answers]}, its picture {picture}; {system.end()}"


def rotated_journal() -> str:
    """Rename the journal file while a mock writes to it, then copy and empty it, as logrotate does."""
    with folder() as place:
        journal = place / "journal.jsonl"
        system = System(place, "--quiet", "--journal", str(journal))
        counts: list[int] = []
        for how in ("rename", "copytruncate", "none"):
            for _ in range(10):
                system.call()
            time.sleep(1)
            counts.append(sum(1 for line in journal.read_text().splitlines() if json.loads(line)))
            if how == "rename":
                journal.rename(place / "old.jsonl")
            elif how == "copytruncate":
                shutil.copy(journal, place / "copy.jsonl")
                os.truncate(journal, 0)
        return f"lines before each step {counts}, health {system.health()}; {system.end()}"


def two_servers() -> str:
    """Let two mocks write to one journal file."""
    with folder() as place:
        journal = place / "journal.jsonl"
        systems = [System(place, "--quiet", "--journal", str(journal)) for _ in range(2)]
        with ThreadPoolExecutor(8) as callers:
            statuses = {
                call.result()[0]
                for call in [callers.submit(systems[number % 2].call, prompt="x" * 9000) for number in range(200)]
            }
        codes = {system.end().split(" after")[0] for system in systems}
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return f"{statuses}, {len(lines)} whole lines of 200; {codes}"


def key_everywhere() -> str:
    """Send the key in path, query and body, and in what is no HTTP; look for it in everything that is written."""
    with folder() as place:
        journal = place / "journal.jsonl"
        system = System(place, "--journal", str(journal))
        for path in (f"{PATH}?api_key={CANARY}", f"{PATH}/{CANARY}"):
            system.call(path, prompt=f"my key is {CANARY}", **{CANARY: CANARY})
        scenario = {"answers": [{"status": 429, "match": {"prompt": CANARY}}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{system.port}/_bodydouble/scenarios",
            json.dumps(scenario).encode(),
            {"Authorization": f"Bearer {CANARY}"},
        )
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request)
        own = ("/_bodydouble/requests", "/_bodydouble/", "/_bodydouble/scenarios", "/_bodydouble/requests.jsonl")
        read = b"".join(system.call(path)[1] for path in own)
        ended = system.end()
        exits = {"log": system.log.read_bytes(), "journal": journal.read_bytes(), "routes": read}
    found = [name for name, data in exits.items() if CANARY.encode() in data]
    return f"found in: {', '.join(found) or 'nothing'}; {ended}"


class _Paid(BaseHTTPRequestHandler):
    """Answers a call with the URL of a picture that never ends."""

    def do_POST(self) -> None:
        """Send the answer of a paid call."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = f"http://{self.headers['Host']}/picture.png"
        data = json.dumps({"data": [{"url": url}], "meta": {"usage": {"credits_used": 84000}}}).encode()
        self.send_response(200)
        for name, value in (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(data))),
            ("x-request-id", "paid-1"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """Begin to send a picture."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"\x89PNG\r\n\x1a\n")
            _ASKED.set()
            threading.Event().wait(PATIENCE_S)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        """Log nothing."""


_ASKED = threading.Event()


def interrupted_edit(number: signal.Signals) -> Callable[[], str]:
    """Send a signal to ``bodydouble edit`` while it downloads what was paid for."""

    def attack() -> str:
        _ASKED.clear()
        with folder() as place, ThreadingHTTPServer(("127.0.0.1", 0), _Paid) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            command = [sys.executable, "-m", "bodydouble", "edit", "x", "https://example.org/a.png", "-o", str(place / "out.png"),
                       "--base-url", f"http://127.0.0.1:{server.server_port}"]  # fmt: skip
            environ = {**os.environ, "AIMLAPI_KEY": CANARY, "NO_COLOR": "1"}
            with subprocess.Popen(
                command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
            ) as process:
                _ASKED.wait(PATIENCE_S)
                process.send_signal(number)
                out, errors = process.communicate(timeout=PATIENCE_S)
            server.shutdown()
            told = out + errors
            named = [word for word in ("picture.png", "paid-1", "84,000", "charged") if word in told]
            return f"exit code {process.returncode}, named: {', '.join(named)}; files: {[path.name for path in place.iterdir()]}"

    return attack


SYSTEM_ATTACKS: dict[str, Callable[[], str]] = {
    "20 delayed calls and SIGTERM": delayed_calls,
    "edit: SIGINT after the 200": interrupted_edit(signal.SIGINT),
    "edit: SIGTERM after the 200": interrupted_edit(signal.SIGTERM),
    "temporary folder gone": temporary_folder_gone,
    "temporary folder full": temporary_folder_full,
    "temporary folder of a killed one": temporary_folder_left,
    "full disk under the journal": full_disk,
    "rotated journal file": rotated_journal,
    "two servers, one journal file": two_servers,
    "the key everywhere": key_everywhere,
}
"""Attacks by name; each returns what was seen."""
