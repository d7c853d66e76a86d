"""The harness for claims: a mock server that keeps each request as received, and the two clients that call it."""

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

from bodydouble_contract_tests.claims.calls import ClientCall

__all__ = ["CALL_KEY", "CallRecord", "Harness", "PostResult", "ReceivedRequest", "RecordingServer"]

CALL_KEY = "A-Key"
"""The key of each call; in both letter cases, since a key is not a name."""

T = TypeVar("T")
Pictures: TypeAlias = "tuple[bytes | BaseException, ...]"
_IN_PROCESS = "http://127.0.0.1"
_READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(slots=True)
class ReceivedRequest:
    """A request as received, and the answer as far as it was sent. ``status`` is None when the connection was broken instead."""

    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int | None = None
    answer_headers: dict[str, str] = field(default_factory=dict[str, str])
    answer: bytes = b""
    is_answered: bool = False


class RecordingServer(MockServer):
    """A mock server that keeps every request that could be charged, byte for byte, in ``received``."""

    def __init__(self, contract: Contract, settings: Settings | None = None) -> None:
        super().__init__(contract, settings or Settings())
        self.received: list[ReceivedRequest] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or scope["method"] in _READING or scope["path"].startswith("/_bodydouble/"):
            await super().__call__(scope, receive, send)
            return
        request = ReceivedRequest(scope["path"], _texts(scope["headers"]))
        self.received.append(request)

        async def note_request() -> MutableMapping[str, Any]:
            message = await receive()
            request.body += message.get("body", b"")
            return message

        async def note_answer(message: MutableMapping[str, Any]) -> None:
            # Recorded before it is sent, because the client may read it at once.
            if message["type"] == "http.response.start":
                request.status, request.answer_headers = message["status"], _texts(message["headers"])
            else:
                request.answer += message.get("body", b"")
                request.is_answered = not message.get("more_body", False)
            await send(message)

        await super().__call__(scope, note_request, note_answer)


def _texts(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call, the requests received for it, and its outcome after ``elapsed_s`` seconds.

    ``outcome`` is the result or the exception raised instead. ``downloads`` has the bytes of each picture, or the exception raised instead.
    """

    call: ClientCall
    received: tuple[ReceivedRequest, ...]
    outcome: EditResult | BaseException
    elapsed_s: float
    deadline_s: float
    downloads: Pictures = ()


@dataclass(frozen=True, slots=True)
class PostResult:
    """A body that was posted without the client, and the answer to it."""

    body: Any
    status: int
    content_type: str
    answer: bytes


class Harness:
    """Calls a `RecordingServer` through the client: in process, or over the port where it is served as ``base_url``.

    ``asynchronous`` selects the asyncio client. Each call may take ``deadline_s`` seconds, downloads included, and is retried up to ``retries`` times.
    """

    def __init__(
        self,
        server: RecordingServer,
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
        # The settings of the client's own HTTP clients, but without the environment's proxies.
        options: dict[str, Any] = {"trust_env": False, "limits": httpx.Limits(max_keepalive_connections=0)}
        self._http = httpx.Client(transport=self._transport, **options)
        self._http_async = httpx.AsyncClient(transport=self._transport, **options) if asynchronous else None
        self._runner = asyncio.Runner() if asynchronous else None

    def __enter__(self) -> "Harness":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections. The server is left open."""
        if self._runner is not None and self._http_async is not None:
            self._runner.run(self._http_async.aclose())
            self._runner.close()
        self._http.close()

    def run(self, call: ClientCall, *, key: str = CALL_KEY, downloads: bool = False) -> CallRecord:
        """Make a call, and download its pictures if wanted. Exceptions of the client are recorded, not raised."""
        self.server.received.clear()
        began = time.monotonic()
        if self._runner is None or self._http_async is None:
            result, pictures = self._call(call, key, downloads)
        else:
            result, pictures = self._runner.run(self._call_async(self._http_async, call, key, downloads))
        elapsed_s = time.monotonic() - began
        return CallRecord(call, tuple(self.server.received), result, elapsed_s, self.deadline_s, pictures)

    def post(self, operation: Operation, body: Any, content: bytes) -> PostResult:
        """Post a body without the client, as these bytes of JSON."""
        content_type = {"Content-Type": operation.json_media_type}
        path, headers = operation.security.authorize(CALL_KEY, operation.path, content_type)
        answer = self._http.request(
            operation.method,
            f"{self._base_url}{path}",
            content=content,
            headers=headers,
            timeout=self.deadline_s,
        )
        return PostResult(body, answer.status_code, answer.headers.get("content-type", ""), answer.content)

    def _call(self, call: ClientCall, key: str, downloads: bool) -> tuple[EditResult | BaseException, Pictures]:
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
        self, http_client: httpx.AsyncClient, call: ClientCall, key: str, downloads: bool
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
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see `Harness.run`
        return error


async def _caught_async(act: Callable[[], Awaitable[T]]) -> T | BaseException:
    try:
        return await act()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see `Harness.run`
        return error
