"""The calls of a client to the mock in the same process, for httpx and httpx2.

Faults raise the exceptions of the library that they cause on a socket.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.faults import EXTENSION

__all__ = ["InProcess"]


class InProcess:
    """The calls of a client of httpx or httpx2 to a server in this process; ``library`` is that module, whose requests and errors are used."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], library: Any) -> None:
        self._app = app
        self._library = library
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    async def send(self, request: Any) -> Any:
        """Return the response to a request of an async client."""
        read_s: float | None = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(read_s) as read_timeout:

                async def app(scope: Scope, receive: Receive, send: Send) -> None:
                    async def send_in_time(message: MutableMapping[str, Any]) -> None:
                        await send(message)
                        if read_s is not None:
                            # As on a socket, the timeout applies to each read.
                            read_timeout.reschedule(asyncio.get_running_loop().time() + read_s)

                    scope["extensions"] = {EXTENSION: _InProcessConnection(request, self._library)}
                    await self._app(scope, receive, send_in_time)

                return await self._library.ASGITransport(app).handle_async_request(request)
        except TimeoutError:
            raise self._library.ReadTimeout("timed out", request=request) from None

    def send_sync(self, request: Any) -> Any:
        """Return the response to a request of a sync client; the server runs in its own event loop, in a thread."""
        body = request.read()
        copy = self._library.Request(
            request.method, request.url, headers=request.headers, content=body, extensions=request.extensions
        )
        return asyncio.run_coroutine_threadsafe(self._read_response(copy), self._sync_loop()).result()

    def close(self) -> None:
        """Stop the event loop of the sync client, if there is one."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    async def _read_response(self, request: Any) -> Any:
        response = await self.send(request)
        # Undecoded: the client decodes it and meets the faults in it.
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
        stream = self._library.ByteStream(raw)
        return self._library.Response(response.status_code, headers=response.headers, stream=stream)

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

    def __init__(self, request: Any, library: Any) -> None:
        self._request = request
        self._library = library
        self._written = b""

    def write(self, data: bytes) -> None:
        """Store bytes below HTTP until the connection ends."""
        self._written += data

    def close(self) -> None:
        """Raise the error of a connection that ends early."""
        if self._written.startswith(b"HTTP/"):
            raise self._library.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=self._request
            )
        raise self._library.RemoteProtocolError("illegal status line", request=self._request)

    def reset(self) -> None:
        """Raise the error of a reset."""
        raise self._library.ReadError("[Errno 104] Connection reset by peer", request=self._request)

    def hang(self) -> None:
        """Raise the error of a read timeout."""
        raise self._library.ReadTimeout("timed out", request=self._request)
