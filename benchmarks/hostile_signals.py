"""Attacks by signals, and on the end of a server: bodies that are being sent, slow clients, event streams; used by hostile.py."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hostile_documents import document, text
from hostile_system import BODY, CANARY, PATH, PATIENCE_S, System, folder

__all__ = ["SIGNAL_ATTACKS"]

_HEAD = f"POST {PATH} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\nContent-Length: "


def _send_again_and_again(port: int, end: threading.Event) -> None:
    """Send bodies of 30 MB that take long to read."""
    body = json.dumps({**BODY, "prompt": '"' * 15_000_000}).encode()
    while not end.is_set():
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            with contextlib.closing(connection):
                connection.request(
                    "POST", PATH, body, {"Authorization": "Bearer k", "Content-Type": "application/json"}
                )
                connection.getresponse().read()


def _send_slowly(port: int, end: threading.Event) -> None:
    """Send a byte of a body now and then."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"{_HEAD}9000000\r\n\r\n".encode())
        while not end.wait(0.1):
            connection.sendall(b" ")


def _read_events(port: int, _end: threading.Event) -> None:
    """Read the event stream."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /_bodydouble/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while connection.recv(65536):
            pass


def end_under(*clients: Callable[[int, threading.Event], None]) -> Callable[[], str]:
    """End a mock while clients keep it busy."""

    def attack() -> str:
        end = threading.Event()
        with folder() as place:
            system = System(place, "--quiet")
            threads = [threading.Thread(target=client, args=(system.port, end), daemon=True) for client in clients]
            for thread in threads:
                thread.start()
            time.sleep(3)
            told = system.end()
            end.set()
            for thread in threads:
                thread.join(PATIENCE_S)
        return told

    return attack


def interrupted_verify(number: signal.Signals) -> Callable[[], str]:
    """Send a signal to ``bodydouble verify --live`` in the middle of its calls; the service is a mock."""

    def attack() -> str:
        with folder() as place:
            system = System(place, "--quiet", "--latency", "0.1", "--api-key", CANARY)
            command = ["verify", "--live", "--base-url", f"http://127.0.0.1:{system.port}", "--format", "json"]
            with _started(command, place, AIMLAPI_KEY=CANARY) as process:
                # The second one is on its way, so that the first was paid for.
                while _pictures_made(system) < 2:
                    time.sleep(0.1)
                process.send_signal(number)
                out, errors = process.communicate(timeout=PATIENCE_S)
            system.end()
            report = json.loads(out)
            recordings = [path.name for path in place.glob("*") if path.name != "log.txt"]
        charged = {name: report.get(name) for name in ("requests", "paid_images", "usd") if name in report}
        last = errors.strip().splitlines()[-1][:100]
        return f"exit code {process.returncode}, {charged}, {len(report['findings'])} findings, kept: {len(recordings)}; {last}"

    return attack


def _pictures_made(system: System) -> int:
    listed = json.loads(system.call("/_bodydouble/requests?limit=1000&status=200")[1])["requests"]
    return sum("data" in (call["answer"]["body"] or {}) for call in listed if call["method"] == "POST")


def interrupted_drift(number: signal.Signals) -> Callable[[], str]:
    """Send a signal to ``bodydouble drift`` while it tries the calls of a thousand operations."""

    def attack() -> str:
        with folder() as place:
            for name, rules in (("old", {}), ("new", {"minLength": 1})):
                (place / f"{name}.json").write_text(json.dumps(document(text(**rules), 1000)))
            command = [
                "drift",
                "--contract",
                "old.json",
                "--upstream",
                "new.json",
                "--state",
                "state.json",
                "--format",
                "json",
            ]
            with _started(command, place) as process:
                time.sleep(20)  # the documents have been compared by then
                process.send_signal(number)
                out, errors = process.communicate(timeout=PATIENCE_S)
            has_state = (place / "state.json").exists()
        found = len(json.loads(out)["findings"]) if out else 0
        last = (errors.strip().splitlines() or [""])[-1][:100]
        return (
            f"exit code {process.returncode}, {found} findings, state {'written' if has_state else 'as before'}; {last}"
        )

    return attack


def _started(command: list[str], place: Path, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "bodydouble", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        env={**os.environ, "NO_COLOR": "1", **environ},
    )


SIGNAL_ATTACKS: dict[str, Callable[[], str]] = {
    "SIGTERM under three large bodies": end_under(*[_send_again_and_again] * 3),
    "SIGTERM under slow clients": end_under(*[_send_slowly] * 20),
    "SIGTERM under event streams": end_under(*[_read_events] * 20),
    "SIGTERM under all of them": end_under(*[_send_again_and_again] * 3, *[_send_slowly] * 5, *[_read_events] * 5),
    "verify --live: SIGINT": interrupted_verify(signal.SIGINT),
    "verify --live: SIGTERM": interrupted_verify(signal.SIGTERM),
    "verify --live: SIGHUP": interrupted_verify(signal.SIGHUP),
    "drift: SIGINT": interrupted_drift(signal.SIGINT),
    "drift: SIGTERM": interrupted_drift(signal.SIGTERM),
}
"""Attacks by name; each returns what was seen."""
