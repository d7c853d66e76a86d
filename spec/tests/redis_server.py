"""A Redis for tests, at a socket in a folder, which has its data too."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

__all__ = ["RedisServer", "run_redis"]

_PATIENCE_S = 30


class RedisServer:
    """A server that can be stopped, killed and started again, with all that it acknowledged."""

    def __init__(self, program: str, folder: Path) -> None:
        self._place = str(folder / "redis.sock")
        # On a busy machine, an answer may take a while.
        self.url = f"unix://{self._place}?db=0&socket_timeout=5"
        options = ["--port", "0", "--unixsocket", self._place, "--dir", str(folder), "--save", ""]
        self._command = [program, *options, "--appendonly", "yes", "--appendfsync", "always"]
        self._process = self._started()

    def pause(self) -> None:
        """Let it answer nothing, with its connections open."""
        self._process.send_signal(SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._process.send_signal(SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(SIGKILL)
        self._process.wait()

    def start(self) -> None:
        """Start it after it was killed."""
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert process.poll() is None, "redis-server ended"
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.02)
        return process

    def empty(self) -> None:
        """Remove all that it has."""
        assert self._ask(b"FLUSHALL") == b"+OK\r\n"

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING") == b"+PONG\r\n"
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._place)
            connection.sendall(command + b"\r\n")
            return connection.recv(100)


@contextmanager
def run_redis() -> Generator[RedisServer]:
    """Run a Redis as long as the block; skips the test where it is not installed."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("Redis is not installed; .ci/run packages installs it on Debian")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(program, Path(folder))
        try:
            yield server
        finally:
            server.kill()
