"""Fixtures of the client's tests: a server that can misbehave, both clients, and a fake clock."""

import asyncio
import copy
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest
from bodydouble_client import BASE_URL_VARIABLES, KEY_VARIABLES, AsyncClient, Client
from bodydouble_client._retry import Clock

CANARY_KEY = "sk-canary-5f2b81"
GOOD_BODY: dict[str, Any] = {
    "data": [{"url": "http://pictures.test/1.png", "b64_json": None}],
    "meta": {"usage": {"credits_used": 84000}},
}

Behaviour = Callable[[socket.socket, threading.Event], None]


@dataclass
class Received:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A raw server on loopback: each connection gets the next queued behaviour, and a good answer when none is left."""

    url: str
    requests: list[Received] = field(default_factory=list[Received])
    behaviours: list[Behaviour] = field(default_factory=list[Behaviour])
    connections: int = 0
    greeting: bytes = b""  # sent before anything is read
    reads_bodies: bool = True
    stopping: threading.Event = field(default_factory=threading.Event)
    disconnected: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def enqueue(self, *behaviours: Behaviour) -> "Server":
        """Queue behaviours for the next connections."""
        self.behaviours.extend(behaviours)
        return self

    @staticmethod
    def answer(status: int = 200, body: Any = GOOD_BODY, **headers: str) -> Behaviour:
        """Send a complete answer; ``body`` is bytes, or is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Server.raw(_head(status, headers, len(content)) + content)

    @staticmethod
    def raw(data: bytes) -> Behaviour:
        """Send these bytes, then close the connection."""
        return lambda connection, _: connection.sendall(data)

    @staticmethod
    def reset(after: bytes = b"") -> Behaviour:
        """Send these bytes, then a TCP reset."""

        def behave(connection: socket.socket, _: threading.Event) -> None:
            connection.sendall(after)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return behave

    @staticmethod
    def drip(head: bytes, drop: bytes = b" ") -> Behaviour:
        """Send these bytes, then one drop every 20 ms until the client disconnects."""

        def behave(connection: socket.socket, stopping: threading.Event) -> None:
            connection.sendall(head)
            while not stopping.wait(0.02):
                connection.sendall(drop)

        return behave

    @staticmethod
    def hang() -> Behaviour:
        """Send nothing until the client disconnects."""

        def behave(connection: socket.socket, stopping: threading.Event) -> None:
            while not stopping.wait(0.02):
                if _ended(connection):
                    return

        return behave

    @staticmethod
    def head(status: int = 200, length: int = 1000, **headers: str) -> bytes:
        """Make a status line and headers with a Content-Length of ``length``."""
        return _head(status, headers, length)

    def serve(self, listener: socket.socket) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(self.greeting)
                self.requests.append(_receive(connection, self.reads_bodies))
                behaviour = self.behaviours.pop(0) if self.behaviours else self.answer()
                behaviour(connection, self.stopping)
            except OSError:
                pass  # the client disconnected
        self.disconnected.release()


def _ended(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def _head(status: int, headers: dict[str, str], length: int) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(length)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _receive(connection: socket.socket, with_body: bool) -> Received:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    while with_body and len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Received(line, headers, body)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a misbehaving server on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread = threading.Thread(target=running.serve, args=(listener,), daemon=True)
    thread.start()
    yield running
    running.stopping.set()
    # shutdown() wakes a blocked accept(), close() does not
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def closed_port() -> str:
    """Return a base URL without a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Twin:
    """One of the two clients, called in the same way."""

    asynchronous: bool

    def run(self, use: Callable[[Any], Any], *, handler: Any = None, pictures: Any = None, **setup: Any) -> Any:
        """Return the result of ``use(client)``; ``handler`` and ``pictures`` replace the network."""
        setup = {"api_key": CANARY_KEY, "base_url": "http://api.test", **setup}
        return (
            asyncio.run(self._run(use, handler, pictures, setup))
            if self.asynchronous
            else self._run_blocking(use, handler, pictures, setup)
        )

    def call(self, method: str, *arguments: Any, options: dict[str, Any] | None = None, **setup: Any) -> Any:
        """Call a method with these arguments; ``options`` are its keyword arguments."""
        return self.run(lambda client: getattr(client, method)(*arguments, **options or {}), **setup)

    def edit(self, *, handler: Any = None, images: Any = ("http://in.test/a.png",), **setup: Any) -> Any:
        """Run an edit with valid arguments."""
        return self.call("edit", "prompt", images, handler=handler, **setup)

    @staticmethod
    def _run_blocking(use: Callable[[Any], Any], handler: Any, pictures: Any, setup: dict[str, Any]) -> Any:
        with (
            httpx.Client(transport=httpx.MockTransport(handler)) as http,
            httpx.Client(transport=httpx.MockTransport(pictures)) as downloads,
            Client(**_stand_ins(handler and http, pictures and downloads), **setup) as client,
        ):
            return use(client)

    @staticmethod
    async def _run(use: Callable[[Any], Any], handler: Any, pictures: Any, setup: dict[str, Any]) -> Any:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http,
            httpx.AsyncClient(transport=httpx.MockTransport(pictures)) as downloads,
            AsyncClient(**_stand_ins(handler and http, pictures and downloads), **setup) as client,
        ):
            return await use(client)


def _stand_ins(http: Any, downloads: Any) -> dict[str, Any]:
    return {"http_client": http or None, "download_client": downloads or None}


@pytest.fixture(params=["blocking", "asynchronous"])
def twin(request: pytest.FixtureRequest) -> Twin:
    """Return each of the two clients in turn."""
    return Twin(request.param == "asynchronous")


class FakeTime:
    """A clock that moves only in ``sleep``; ``waits`` has the seconds of each sleep."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def date(self, offset_s: float) -> str:
        """Return the HTTP date this many seconds from now."""
        return formatdate(self.now + offset_s, usegmt=True)

    def clock(self, jitter: float = 0.5) -> Clock:
        return Clock(
            monotonic=lambda: self.now,
            wall_time=lambda: self.now,
            sleep=self.sleep,
            sleep_async=self.sleep_async,
            jitter=lambda: jitter,
        )


@pytest.fixture
def fake_time() -> FakeTime:
    """Return a fake time; a client uses it with ``_clock=fake_time.clock()``."""
    return FakeTime()


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with one trusted certificate: loading all of them takes 30 ms, for each of hundreds of clients."""
    first = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    path.write_text(first[0] + first[1])
    return path


@pytest.fixture(autouse=True)
def _no_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch, one_certificate: Path) -> None:
    proxies = [f"{scheme}_PROXY" for scheme in ("HTTP", "HTTPS", "ALL")]
    for name in (*KEY_VARIABLES, *BASE_URL_VARIABLES, *proxies, *map(str.lower, proxies)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


@pytest.fixture
def key() -> str:
    """Return the key that the clients of ``twin`` send."""
    return CANARY_KEY


@pytest.fixture
def good_body() -> dict[str, Any]:
    """Return a success body as the contract describes it."""
    return copy.deepcopy(GOOD_BODY)
