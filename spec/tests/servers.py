"""Servers that tests start on a free port of loopback, in a thread or as a process, and that end with the ``with`` block."""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import HTTPServer
from pathlib import Path
from typing import IO

import pytest
import uvicorn

SERVE = [sys.executable, "-m", "bodydouble", "serve"]
# A server that does not start or end in this time fails the test instead of blocking all tests.
PATIENCE_S = 60


@contextmanager
def serve_asgi(server: uvicorn.Server, *more: socket.socket) -> Generator[str]:
    """Run a server of uvicorn in a thread, on ``more`` listening sockets too; gives its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if server.config.is_ssl else "http"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, *more]}, daemon=True)
    thread.start()
    try:
        # The socket is already listening: the first request waits until the server accepts it.
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listener.close()
    assert not thread.is_alive(), "the server did not end"


class Quiet:
    """A mixin before ``BaseHTTPRequestHandler``: log nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        """Log nothing."""


@contextmanager
def serve_http(server: HTTPServer) -> Generator[str]:
    """Run a server of the standard library in a thread; gives its origin."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    with server:
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class ServeProcess:
    """A running ``bodydouble serve``: its address, what it has printed up to there, and after `end` the rest."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.pid = process.pid
        self._out = process.stdout
        self._log = log
        self.banner = ""
        while not (found := re.search(r"https?://\S+:\d+", self.banner)):
            line = self._out.readline()
            assert line, f"it ended without an address, with exit code {process.wait()}"
            self.banner += line
        self.address = found[0]

    def read_until(self, text: str) -> str:
        """Return the standard output after `banner`, to the end of the line that has this text."""
        lines: list[str] = []
        while not lines or text not in lines[-1]:
            lines.append(self._out.readline())
            assert lines[-1], f"it ended without {text!r}"
        return "".join(lines)

    def errors(self) -> str:
        """Return the standard error so far."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Return the exit code, the standard output after `banner`, and the standard error."""
        self._process.send_signal(number)
        with _killed_when_late(self._process):
            out = self._out.read()
            code = self._process.wait()
        self._log.seek(0)
        return code, out, self._log.read()


@contextmanager
def run_serve(*options: str) -> Generator[ServeProcess]:
    """Run ``bodydouble serve`` as a process and wait for its address; it ends with SIGTERM unless `ServeProcess.end` ended it."""
    with (
        tempfile.NamedTemporaryFile("w+", encoding="utf-8") as log,
        subprocess.Popen(
            [*SERVE, "--port", "0", *options], stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
        ) as process,
    ):
        try:
            with _killed_when_late(process):
                served = ServeProcess(process, log)
            yield served
        finally:
            process.terminate()
            with _killed_when_late(process):
                process.wait()


@contextmanager
def _killed_when_late(process: subprocess.Popen[str]) -> Generator[None]:
    timer = threading.Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def unfitted_files() -> Generator[None]:
    """Let mocks serve the files of `Settings.pictures` as they are: a server whose pictures have a wrong size."""

    def as_it_is(data: bytes, _size: tuple[int, int]) -> tuple[bytes, str]:
        return data, ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bodydouble_mockserver.answer.gallery.fit", as_it_is)
        yield
