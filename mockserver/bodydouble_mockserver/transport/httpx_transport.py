"""The in-process transport for clients of httpx."""

from collections.abc import Awaitable, Callable

import httpx

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.transport.in_process import InProcess

__all__ = ["MockTransport"]


class MockTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Sends the requests of an httpx client, sync or async, to a mock server in this process::

        client = httpx.Client(transport=MockTransport(create_app()), base_url="http://localhost")

    ``Prefer: fault=…`` raises the same exception as on a socket: ReadError for a reset, RemoteProtocolError for a short body or bytes that are
    not HTTP, ReadTimeout for a hanging connection (immediately, without the wait). Delays respect the client's read timeout. For httpx2, see
    `Httpx2Transport`.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._in_process = InProcess(app, httpx)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        response: httpx.Response = await self._in_process.send(request)
        return response

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        response: httpx.Response = self._in_process.send_sync(request)
        return response

    def close(self) -> None:
        """Stop the event loop of the sync client, if there is one."""
        self._in_process.close()

    async def aclose(self) -> None:
        """See `close`."""
        self.close()
