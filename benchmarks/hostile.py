"""Attacks on a running mock, on paid calls, on `verify` and on `drift`: requests, signals, disks, documents and answers that ask for unbounded work.

    python benchmarks/hostile.py [--only WORDS]

Prints for each attack what came back, the seconds that it took, those of processor time in the attacked process, its peak memory in MB (Linux; of a command,
that of the largest one so far), and, for the mock, how long `/_bodydouble/health` had to wait meanwhile. All traffic stays on loopback.
"""

import argparse
import base64
import io
import json
import os
import re
import resource
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from hostile_documents import hostile_documents
from hostile_signals import SIGNAL_ATTACKS
from hostile_system import SYSTEM_ATTACKS
from PIL import Image

PATH = "/v1/images/generations"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
HEADERS = {"Authorization": "Bearer any", "Content-Type": "application/json"}
PATIENCE_S = 120.0
CLI = [sys.executable, "-m", "bodydouble"]


@dataclass
class Mock:
    """A running mock: its address and its process."""

    address: str
    process: "subprocess.Popen[str]"

    def ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        request = urllib.request.Request(self.address + path, body, HEADERS if headers is None else headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def picture(self, data: bytes, kind: str) -> str:
        """Send a request with an input picture and return the path of the answer's picture."""
        uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        _, answer = self.ask(PATH, json.dumps({**BODY, "image_urls": [uri]}).encode())
        return str(json.loads(answer)["data"][0]["url"]).removeprefix(self.address)


@contextmanager
def running_mock() -> Generator[Mock]:
    """Run a mock on a free port."""
    command = [*CLI, "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield Mock(process.stdout.readline().strip(), process)
        finally:
            process.terminate()


def peak_mb(pid: int) -> float:
    """Return the peak resident memory of a process in MB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a process took so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_commands_s() -> float:
    """Return the seconds of processor time of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peak_of_commands_mb() -> float:
    """Return the peak resident memory of the largest command that has ended, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


class Waits:
    """The longest wait for ``/_bodydouble/health`` while a block runs."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.longest_s = 0.0

    def __enter__(self) -> "Waits":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.02):
            begun = time.perf_counter()
            self._mock.ask("/_bodydouble/health")
            self.longest_s = max(self.longest_s, time.perf_counter() - begun)


def progressive(size: tuple[int, int], scans: int) -> bytes:
    """Make a progressive JPEG file whose last scan is repeated."""
    file = io.BytesIO()
    Image.new("RGB", size, (90, 120, 200)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (1 + scans - data.count(b"\xff\xda")) + data[-2:]


def narrow() -> bytes:
    """Make a PNG file of 1 x 64,000,000 pixels."""
    file = io.BytesIO()
    Image.new("L", (1, 64_000_000)).save(file, "PNG")
    return file.getvalue()


def zeros(count: int) -> Callable[[Mock], str]:
    """Send an array of zeros as inputs."""

    def attack(mock: Mock) -> str:
        status, answer = mock.ask(
            PATH, b'{"model": "x", "prompt": "x", "image_urls": [' + b"0, " * (count - 1) + b"0]}"
        )
        issues = len(json.loads(answer).get("error", {}).get("data", ()))
        return f"{status}, {issues} faults listed in {len(answer):,} bytes"

    return attack


def sent(**changes: Any) -> Callable[[Mock], str]:
    """Send a body of a shape that takes long to read."""

    def attack(mock: Mock) -> str:
        body = json.dumps({**BODY, **changes}).encode()
        status, answer = mock.ask(PATH, body)
        return f"{status} for {len(body):,} bytes, {len(answer):,} bytes"

    return attack


def drawn(data: bytes, kind: str, times: int = 1) -> Callable[[Mock], str]:
    """Ask for the picture behind an input, several times at once."""

    def attack(mock: Mock) -> str:
        path = mock.picture(data, kind)
        with ThreadPoolExecutor(times) as askers:
            answers = [*askers.map(mock.ask, [path] * times)]
        return f"{ {status for status, _ in answers} } with {len(answers[0][1]):,} bytes"

    return attack


def blocked_pictures(mock: Mock) -> str:
    """Ask for twelve hostile pictures at once, and for a plain one meanwhile."""
    paths = [mock.picture(progressive((4000 + number, 4000), 500), "jpeg") for number in range(12)]
    plain = mock.picture(progressive((64, 64), 10), "jpeg")
    threads = [threading.Thread(target=_ignoring, args=(mock, path), daemon=True) for path in paths]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    begun = time.perf_counter()
    status, _ = mock.ask(plain)
    took = time.perf_counter() - begun
    for thread in threads:
        thread.join()
    return f"{status} for the plain one after {took:.1f} s"


def large_head(mock: Mock) -> str:
    """Send a header of 20 MB."""
    url = mock.address.removeprefix("http://").split(":")
    with socket.create_connection((url[0], int(url[1]))) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000_000)
        except OSError:
            return "connection closed while it was sent"
        return connection.recv(100).split(b"\r\n")[0].decode()


def slow_heads(mock: Mock) -> str:
    """Open 500 connections with half a head, and ask on another one."""
    url = mock.address.removeprefix("http://").split(":")
    held = [socket.create_connection((url[0], int(url[1]))) for _ in range(500)]
    for connection in held:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
    status, _ = mock.ask("/_bodydouble/health")
    first = held[0].recv(100).split(b"\r\n")[0].decode()
    for connection in held:
        connection.close()
    return f"{status} meanwhile; the slow ones: {first}"


def many_connections(count: int, first: bytes) -> Callable[[Mock], str]:
    """Open connections that send this and then nothing, and ask on another one."""

    def attack(mock: Mock) -> str:
        host, port = mock.address.removeprefix("http://").split(":")
        held: list[socket.socket] = []
        for _ in range(count):
            held.append(socket.create_connection((host, int(port))))
            try:
                held[-1].sendall(first)
            except OSError:
                continue
        try:
            asked: int | str = mock.ask("/_bodydouble/health")[0]
        except OSError as error:
            asked = type(error).__name__
        for connection in held:
            connection.close()
        return f"{asked} meanwhile"

    return attack


def slow_readers(mock: Mock) -> str:
    """Ask for a hundred answers with four pictures in them, and read none of them."""
    host, port = mock.address.removeprefix("http://").split(":")
    body = json.dumps({**BODY, "num_images": 4}).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    held = [socket.create_connection((host, int(port))) for _ in range(100)]
    for connection in held:
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: mock\r\n{head}Prefer: images=b64_json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    time.sleep(5)
    status, _ = mock.ask("/_bodydouble/health")
    for connection in held:
        connection.close()
    return f"{status} meanwhile"


def large_scenarios(mock: Mock) -> str:
    """Script nine answers of 60 MB."""
    body = json.dumps({"answers": [{"body": {"text": "a" * 60_000_000}}]}).encode()
    outcomes: set[int | str] = set()
    for _ in range(9):
        try:
            outcomes.add(mock.ask("/_bodydouble/scenarios", body)[0])
        except OSError:
            outcomes.add("refused while it was sent")
    return f"{outcomes}"


def end_while_drawing(mock: Mock) -> str:
    """End the server while it draws twelve pictures of 64 megapixels."""
    file = io.BytesIO()
    Image.effect_noise((8000, 8000), 60).save(file, "PNG", compress_level=1)
    path = mock.picture(file.getvalue()[:20_000_000], "png")
    threads = [threading.Thread(target=lambda: _ignoring(mock, path), daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    begun = time.perf_counter()
    mock.process.terminate()
    code = mock.process.wait()
    return f"ended after {time.perf_counter() - begun:.2f} s with exit code {code}"


def _ignoring(mock: Mock, path: str) -> None:
    try:
        mock.ask(path)
    except OSError:
        return


MOCK_ATTACKS: dict[str, Callable[[Mock], str]] = {
    "99,000 zeros as inputs": zeros(99_000),
    "1,000,000 zeros as inputs": zeros(1_000_000),
    "10,000,000 zeros as inputs": zeros(10_000_000),
    "30 MB of escaped quotes": sent(prompt='"' * 15_000_000),
    "99,000 texts of 300 letters": sent(image_urls=["x" * 300] * 99_000),
    "90,000 names of 300 letters": sent(**{f"{number}{'y' * 300}": 0 for number in range(90_000)}),
    "90,000 pictures of 180 bytes": sent(image_urls=["iVBORw0KGgo" + "A" * 240] * 90_000),
    "3,000,000 small objects": sent(x=[{"a": 1}] * 3_000_000),
    "what looks like 10,000,000 names": sent(prompt='":' * 10_000_000),
    "a JPEG of 500 scans": drawn(progressive((4000, 4000), 500), "jpeg"),
    "a PNG of 1 x 64,000,000": drawn(narrow(), "png"),
    "twelve JPEGs of 500 scans": blocked_pictures,
    "one picture 50 times": drawn(progressive((4000, 4000), 10), "jpeg", 50),
    "a header of 20 MB": large_head,
    "500 heads that do not end": slow_heads,
    "1,200 heads that do not end": many_connections(1200, b"GET / HTTP/1.1\r\nX: "),
    "300 bodies of 3 MB that stop": many_connections(
        300, f"POST {PATH} HTTP/1.1\r\nHost: mock\r\nContent-Length: 9000000\r\n\r\n".encode() + b"x" * 3_000_000
    ),
    "100 readers that do not read": slow_readers,
    "nine scenarios of 60 MB": large_scenarios,
    "SIGTERM while drawing": end_while_drawing,
}


OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _endless(part: bytes, pause_s: float) -> Iterator[bytes]:
    while True:
        yield part
        time.sleep(pause_s)


def _whole(body: bytes, *headers: str) -> Iterator[bytes]:
    yield OK_HEAD + "".join(f"{one}\r\n" for one in headers).encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()


BOMB = _bomb()
# What a server sends instead of an answer to each call of `verify`.
ANSWERS: dict[str, Callable[[], Iterable[bytes]]] = {
    "300,000 bad items": lambda: _whole(json.dumps({"data": [{"url": 0}] * 300_000}).encode()),
    "300,000 names": lambda: _whole(json.dumps({f"k{number}": 1 for number in range(300_000)}).encode()),
    "10,000 headers": lambda: _whole(b"{}", *(f"X-{number}: y" for number in range(10_000))),
    "gzip of 200 MB": lambda: _whole(BOMB, "Content-Encoding: gzip"),
    "headers without an end": lambda: chain([OK_HEAD], _endless(b"X: y\r\n", 0.2)),
    "a body without an end": lambda: chain([OK_HEAD, b"\r\n"], _endless(b" " * 1_000_000, 0)),
    "a byte every half second": lambda: chain([OK_HEAD, b"\r\n"], _endless(b" ", 0.5)),
    "redirects in a circle": lambda: [b"HTTP/1.1 307 T\r\nLocation: /v1/images/generations\r\nContent-Length: 0\r\n\r\n"],
}  # fmt: skip


class HostileServer(socketserver.ThreadingTCPServer):
    """A server that reads each request and sends the parts of one answer."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, answer: Callable[[], Iterable[bytes]]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                while (line := self.rfile.readline()) not in {b"\r\n", b""}:
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                self.rfile.read(length)
                try:
                    for part in answer():
                        self.wfile.write(part)
                except OSError:
                    return

        super().__init__(("127.0.0.1", 0), Handler)


def run_command(arguments: list[str]) -> str:
    """Run a command of bodydouble; return its exit code, and the last line of what it printed."""
    try:
        done = subprocess.run([*CLI, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {PATIENCE_S:g} s"
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or [""]
    return f"exit code {done.returncode}: {lines[-1][:100]}"


def attack_drift(before: str, after: str, folder: Path) -> str:
    """Compare two documents as the alarm does."""
    old, new = folder / "old.json", folder / "new.json"
    old.write_text(before)
    new.write_text(after)
    return run_command(["drift", "--contract", str(old), "--upstream", str(new)])


def attack_serve(document_text: str, folder: Path) -> str:
    """Start a mock of a document, and end it once it serves."""
    file = folder / "served.json"
    file.write_text(document_text)
    begun = time.perf_counter()
    command = [*CLI, "serve", "--contract", str(file), "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline():
            took = time.perf_counter() - begun
            process.terminate()
            return f"serves after {took:.1f} s"
        return f"exit code {process.wait()}: {process.stderr.read().strip().splitlines()[-1][:100]}"


def attack_verify(answer: Callable[[], Iterable[bytes]]) -> str:
    """Verify a server that sends this answer to every call."""
    with HostileServer(answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = ["--timeout-s", "2", "--max-run-s", "60", "--quiet"]
        told = run_command(["verify", "--base-url", f"http://127.0.0.1:{server.server_address[1]}", *options])
        server.shutdown()
    return told


def main() -> None:
    """Run the attacks and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="attacks whose name contains this")
    only = parser.parse_args().only
    # A shell in the background has it ignored, and the attacked programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["NO_COLOR"] = "1"
    print(f"{'attack':34} {'s':>7} {'CPU s':>7} {'peak MB':>8} {'health s':>9}  outcome")
    for name, attack in MOCK_ATTACKS.items():
        if only in name:
            with running_mock() as mock:
                idle = peak_mb(mock.process.pid)
                begun, used = time.perf_counter(), cpu_s(mock.process.pid)
                if attack is end_while_drawing:
                    told, waited = attack(mock), "-"
                else:
                    with Waits(mock) as waits:
                        told = attack(mock)
                    waited = f"{waits.longest_s:.2f}"
                took = time.perf_counter() - begun
                used = max(0.0, cpu_s(mock.process.pid) - used)
                peak = peak_mb(mock.process.pid) - idle
                print(f"{name:34} {took:7.2f} {used:7.2f} {peak:+8.0f} {waited:>9}  {told}", flush=True)
    others: dict[str, Callable[[], str]] = {**SYSTEM_ATTACKS, **SIGNAL_ATTACKS}
    others |= {f"verify: {name}": partial(attack_verify, answer) for name, answer in ANSWERS.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, before, after in hostile_documents():
            others[f"drift: {name}"] = partial(attack_drift, before, after, Path(folder))
            others[f"serve: {name}"] = partial(attack_serve, after, Path(folder))
        for name, command in others.items():
            if only in name:
                begun, used = time.perf_counter(), cpu_of_commands_s()
                told = command()
                took, used, peak = time.perf_counter() - begun, cpu_of_commands_s() - used, peak_of_commands_mb()
                print(f"{name:34} {took:7.2f} {used:7.2f} {peak:8.0f} {'-':>9}  {told}", flush=True)


if __name__ == "__main__":
    main()
