"""An httpx transport that runs the mock in process, so that tests need no port.

Faults raise the httpx exceptions that they cause on a socket.
"""

import asyncio
import threading
from collections.abc import MutableMapping
from typing import Any

import httpx

from bodydouble_mockserver.app import MockServer
from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.faults import EXTENSION

__all__ = ["MockTransport"]


class MockTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Sends the requests of an httpx client, sync or async, to a mock server in this process::

        client = httpx.Client(transport=MockTransport(create_app()), base_url="http://localhost")

    ``Prefer: fault=…`` raises the same exception as on a socket: ReadError for a reset, RemoteProtocolError for a short body or bytes that are
    not HTTP, ReadTimeout for a hanging connection (immediately, without the wait). Delays respect the client's read timeout.
    """

    def __init__(self, app: MockServer) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        read_s: float | None = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(read_s) as read_timeout:

                async def app(scope: Scope, receive: Receive, send: Send) -> None:
                    async def send_in_time(message: MutableMapping[str, Any]) -> None:
                        await send(message)
                        if read_s is not None:
                            # As on a socket, the timeout applies to each read.
                            read_timeout.reschedule(asyncio.get_running_loop().time() + read_s)

                    scope["extensions"] = {EXTENSION: _InProcessConnection(request)}
                    await self._app(scope, receive, send_in_time)

                return await httpx.ASGITransport(app).handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("timed out", request=request) from None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport; the server runs in its own event loop, in a thread."""
        body = request.read()
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=body, extensions=request.extensions
        )
        return asyncio.run_coroutine_threadsafe(self._read_response(copy), self._sync_loop()).result()

    def close(self) -> None:
        """Stop the event loop of the sync client, if there is one."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    async def aclose(self) -> None:
        """See `close`."""
        self.close()

    async def _read_response(self, request: httpx.Request) -> httpx.Response:
        response = await self.handle_async_request(request)
        # Undecoded: the client decodes it and meets the faults in it.
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(raw))

    def _sync_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(loop,), name="bodydouble-transport", daemon=True).start()
                self._loop = loop
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


class _InProcessConnection:
    """A `RawConnection` that raises in the client's call when it ends."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._written = b""

    def write(self, data: bytes) -> None:
        """Store bytes below HTTP until the connection ends."""
        self._written += data

    def close(self) -> None:
        """Raise the error of a connection that ends early."""
        if self._written.startswith(b"HTTP/"):
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=self._request
            )
        raise httpx.RemoteProtocolError("illegal status line", request=self._request)

    def reset(self) -> None:
        """Raise the error of a reset."""
        raise httpx.ReadError("[Errno 104] Connection reset by peer", request=self._request)

    def hang(self) -> None:
        """Raise the error of a read timeout."""
        raise httpx.ReadTimeout("timed out", request=self._request)
