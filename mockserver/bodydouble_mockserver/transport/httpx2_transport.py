"""The in-process transport for clients of httpx2, on which openai 3 and Starlette's test client are."""

from collections.abc import Awaitable, Callable

import httpx2

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.transport.in_process import InProcess

__all__ = ["Httpx2Transport"]


class Httpx2Transport(httpx2.AsyncBaseTransport, httpx2.BaseTransport):
    """Sends the requests of an httpx2 client, sync or async, to a mock server in this process.

    Faults raise the exceptions of httpx2 that they cause on a socket.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._in_process = InProcess(app, httpx2)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See httpx2.AsyncBaseTransport."""
        response: httpx2.Response = await self._in_process.send(request)
        return response

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See httpx2.BaseTransport."""
        response: httpx2.Response = self._in_process.send_sync(request)
        return response

    def close(self) -> None:
        """Stop the event loop of the sync client, if there is one."""
        self._in_process.close()

    async def aclose(self) -> None:
        """See `close`."""
        self.close()
