"""Where claims are put to the test: a mock server that keeps what arrives as it came, and the two clients that call it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

import httpx
from bodydouble_client import AsyncClient, Client, EditResult
from bodydouble_mockserver import MockServer, Settings
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Operation
from starlette.types import Receive, Scope, Send

from bodydouble_contract_tests._claims_calls import Call

__all__ = ["Arrival", "Encounter", "Reply", "Stage", "Witness"]

T = TypeVar("T")
Pictures: TypeAlias = "tuple[bytes | BaseException, ...]"
_IN_PROCESS = "http://127.0.0.1"
_READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(slots=True)
class Arrival:
    """One request as it arrived, and the answer as far as it was sent; ``status`` None when the connection was broken instead."""

    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int | None = None
    answer_headers: dict[str, str] = field(default_factory=dict[str, str])
    answer: bytes = b""
    is_answered: bool = False


class Witness(MockServer):
    """A mock server that keeps every request which could be paid for, byte for byte, in ``arrivals``."""

    def __init__(self, contract: Contract, settings: Settings | None = None) -> None:
        super().__init__(contract, settings or Settings())
        self.arrivals: list[Arrival] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or scope["method"] in _READING or scope["path"].startswith("/_bodydouble/"):
            await super().__call__(scope, receive, send)
            return
        arrival = Arrival(scope["path"], _texts(scope["headers"]))
        self.arrivals.append(arrival)

        async def note_request() -> MutableMapping[str, Any]:
            message = await receive()
            arrival.body += message.get("body", b"")
            return message

        async def note_answer(message: MutableMapping[str, Any]) -> None:
            # Before it leaves: the client may have read it before this line would be reached.
            if message["type"] == "http.response.start":
                arrival.status, arrival.answer_headers = message["status"], _texts(message["headers"])
            else:
                arrival.answer += message.get("body", b"")
                arrival.is_answered = not message.get("more_body", False)
            await send(message)

        await super().__call__(scope, note_request, note_answer)


def _texts(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


@dataclass(frozen=True, slots=True)
class Encounter:
    """A call, what arrived of it, and what came of it within ``elapsed_s`` seconds.

    ``outcome`` is the result or whatever was raised instead; ``downloads`` are its pictures, each the bytes or what was raised.
    """

    call: Call
    arrivals: tuple[Arrival, ...]
    outcome: EditResult | BaseException
    elapsed_s: float
    deadline_s: float
    downloads: Pictures = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A body that was sent as it is, past the client, and the answer to it."""

    body: Any
    status: int
    content_type: str
    answer: bytes


class Stage:
    """Calls a `Witness` through the client: in process, or on the port where it is served as ``base_url``.

    ``asynchronous`` takes the client for asyncio. Each call may take ``deadline_s``, pictures included, and is tried ``retries`` times more.
    """

    def __init__(
        self,
        server: Witness,
        base_url: str | None = None,
        *,
        asynchronous: bool = False,
        deadline_s: float = 20.0,
        retries: int = 0,
    ) -> None:
        self.server = server
        self.deadline_s = deadline_s
        self._retries = retries
        self._base_url = base_url or _IN_PROCESS
        self._transport = MockTransport(server) if base_url is None else None
        # As in the clients that the client makes for itself, but for the environment's proxies.
        options: dict[str, Any] = {"trust_env": False, "limits": httpx.Limits(max_keepalive_connections=0)}
        self._http = httpx.Client(transport=self._transport, **options)
        self._http_async = httpx.AsyncClient(transport=self._transport, **options) if asynchronous else None
        self._runner = asyncio.Runner() if asynchronous else None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections; the server stays."""
        if self._runner is not None and self._http_async is not None:
            self._runner.run(self._http_async.aclose())
            self._runner.close()
        self._http.close()

    def meet(self, call: Call, *, key: str = "a-key", downloads: bool = False) -> Encounter:
        """Make the call, and fetch its pictures if wanted. Nothing is raised: what a client raises is what claims are about."""
        self.server.arrivals.clear()
        began = time.monotonic()
        if self._runner is None or self._http_async is None:
            result, pictures = self._call(call, key, downloads)
        else:
            result, pictures = self._runner.run(self._call_async(self._http_async, call, key, downloads))
        elapsed_s = time.monotonic() - began
        return Encounter(call, tuple(self.server.arrivals), result, elapsed_s, self.deadline_s, pictures)

    def post(self, operation: Operation, body: Any, content: bytes) -> Reply:
        """Send a body past the client, as these bytes of JSON."""
        headers = {"Authorization": "Bearer a-key", "Content-Type": "application/json"}
        answer = self._http.request(
            operation.method,
            f"{self._base_url}{operation.path}",
            content=content,
            headers=headers,
            timeout=self.deadline_s,
        )
        return Reply(body, answer.status_code, answer.headers.get("content-type", ""), answer.content)

    def _call(self, call: Call, key: str, downloads: bool) -> tuple[EditResult | BaseException, Pictures]:
        client = Client(
            key,
            self._base_url,
            deadline_s=self.deadline_s,
            retries=self._retries,
            http_client=self._http,
            download_client=self._http,
        )
        result = _caught(lambda: client.edit(**call.arguments()))
        images = result.images if downloads and isinstance(result, EditResult) else ()
        return result, tuple(_caught(partial(client.download, image)) for image in images)

    async def _call_async(
        self, http_client: httpx.AsyncClient, call: Call, key: str, downloads: bool
    ) -> tuple[EditResult | BaseException, Pictures]:
        client = AsyncClient(
            key,
            self._base_url,
            deadline_s=self.deadline_s,
            retries=self._retries,
            http_client=http_client,
            download_client=http_client,
        )
        result = await _caught_async(lambda: client.edit(**call.arguments()))
        images = result.images if downloads and isinstance(result, EditResult) else ()
        return result, tuple([await _caught_async(partial(client.download, image)) for image in images])


def _caught(act: Callable[[], T]) -> T | BaseException:
    try:
        return act()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see `Stage.meet`
        return error


async def _caught_async(act: Callable[[], Awaitable[T]]) -> T | BaseException:
    try:
        return await act()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see `Stage.meet`
        return error
