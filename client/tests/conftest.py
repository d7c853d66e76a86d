"""What the client's tests share: a server that can misbehave, both clients behind one face, and a fake clock."""

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
from bodydouble_client._hooks import Hooks

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
    """A raw server on loopback: each connection gets the next behaviour of its script, then good answers."""

    url: str
    requests: list[Received] = field(default_factory=list[Received])
    script: list[Behaviour] = field(default_factory=list[Behaviour])
    connections: int = 0
    greeting: bytes = b""  # sent before anything is read
    reads_bodies: bool = True
    stopping: threading.Event = field(default_factory=threading.Event)
    left: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def will(self, *behaviours: Behaviour) -> "Server":
        """Put behaviours into the script."""
        self.script.extend(behaviours)
        return self

    @staticmethod
    def answer(status: int = 200, body: Any = GOOD_BODY, **headers: str) -> Behaviour:
        """A whole answer; ``body`` is bytes or becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Server.raw(_head(status, headers, len(content)) + content)

    @staticmethod
    def raw(data: bytes) -> Behaviour:
        """These bytes, then the end of the connection."""
        return lambda connection, _: connection.sendall(data)

    @staticmethod
    def reset(after: bytes = b"") -> Behaviour:
        """These bytes, then a TCP reset."""

        def behave(connection: socket.socket, _: threading.Event) -> None:
            connection.sendall(after)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return behave

    @staticmethod
    def drip(head: bytes, drop: bytes = b" ") -> Behaviour:
        """These bytes, then one drop every 20 ms until the client hangs up."""

        def behave(connection: socket.socket, stopping: threading.Event) -> None:
            connection.sendall(head)
            while not stopping.wait(0.02):
                connection.sendall(drop)

        return behave

    @staticmethod
    def hang() -> Behaviour:
        """Nothing, until the client hangs up."""

        def behave(connection: socket.socket, stopping: threading.Event) -> None:
            while not stopping.wait(0.02):
                if _ended(connection):
                    return

        return behave

    @staticmethod
    def head(status: int = 200, length: int = 1000, **headers: str) -> bytes:
        """Status line and headers that promise ``length`` bytes."""
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
                behaviour = self.script.pop(0) if self.script else self.answer()
                behaviour(connection, self.stopping)
            except OSError:
                pass  # the client hung up
        self.left.release()


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


def _receive(connection: socket.socket, whole: bool) -> Received:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    while whole and len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Received(line, headers, body)


@pytest.fixture
def server() -> Iterator[Server]:
    """A misbehaving server on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread = threading.Thread(target=found.serve, args=(listener,), daemon=True)
    thread.start()
    yield found
    found.stopping.set()
    # a blocked accept() is not woken by close(), but by shutdown()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def closed_port() -> str:
    """A base URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Twin:
    """The blocking and the asynchronous client behind one face."""

    asynchronous: bool

    def run(self, use: Callable[[Any], Any], *, handler: Any = None, pictures: Any = None, **setup: Any) -> Any:
        """What ``use(client)`` gives; ``handler`` and ``pictures`` answer in place of the network."""
        setup = {"api_key": CANARY_KEY, "base_url": "http://api.test", **setup}
        return (
            asyncio.run(self._run(use, handler, pictures, setup))
            if self.asynchronous
            else self._run_blocking(use, handler, pictures, setup)
        )

    def call(self, method: str, *arguments: Any, options: dict[str, Any] | None = None, **setup: Any) -> Any:
        """What a method gives for these arguments; ``options`` are its keyword arguments."""
        return self.run(lambda client: getattr(client, method)(*arguments, **options or {}), **setup)

    def edit(self, *, handler: Any = None, images: Any = ("http://in.test/a.png",), **setup: Any) -> Any:
        """An edit with any valid arguments."""
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
    """Each of the two clients in turn."""
    return Twin(request.param == "asynchronous")


class FakeTime:
    """A clock that moves only when someone waits; ``waits`` are the seconds of each wait."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def date(self, offset_s: float) -> str:
        """An HTTP date this many seconds from now."""
        return formatdate(self.now + offset_s, usegmt=True)

    def hooks(self, chance: float = 0.5) -> Hooks:
        return Hooks(
            clock=lambda: self.now,
            wall_clock=lambda: self.now,
            sleep=self.sleep,
            sleep_async=self.sleep_async,
            chance=lambda: chance,
        )


@pytest.fixture
def fake_time() -> FakeTime:
    """A clock to hand to a client as ``_hooks=fake_time.hooks()``."""
    return FakeTime()


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one trusted certificate: all of them take 30 ms to load, for each of hundreds of clients."""
    first = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    path.write_text(first[0] + first[1])
    return path


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, one_certificate: Path) -> None:
    proxies = [f"{scheme}_PROXY" for scheme in ("HTTP", "HTTPS", "ALL")]
    for name in (*KEY_VARIABLES, *BASE_URL_VARIABLES, *proxies, *map(str.lower, proxies)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


@pytest.fixture
def key() -> str:
    """The key that the twins send, to be found nowhere else."""
    return CANARY_KEY


@pytest.fixture
def good_body() -> dict[str, Any]:
    """A success body as the contract describes it."""
    return copy.deepcopy(GOOD_BODY)
