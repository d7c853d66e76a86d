"""A mock server on its own port, thread and event loop, which starts and stops in milliseconds."""

import asyncio
import contextlib
import http.client
import socket
import threading
from types import TracebackType
from typing import Any

import orjson
import uvicorn
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.server import CannotServe, Server, bind, server_config

__all__ = ["BackgroundServer"]

_HOST = "127.0.0.1"
_TICK_S = 0.1
_CONTROL_S = 30


class BackgroundServer:
    """A server of ``app`` on ``port`` of this machine (0: a free one) until `close`; ``url`` is its address.

    Raises CannotServe when the port is not available.
    """

    def __init__(self, app: MockServer, port: int = 0) -> None:
        listener = bind(_HOST, port)
        self._port: int = listener.getsockname()[1]
        self.url = f"http://{_HOST}:{self._port}"
        self._server = _MockServer(server_config(app))
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="bodydouble-server", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            listener.close()
            raise CannotServe(f"the mock did not start on {self.url}; the error above says why")

    def __enter__(self) -> "BackgroundServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and cut off calls that wait for an answer. A second call has no effect."""
        self._server.end()
        self._thread.join()

    def control(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        """Call a route below ``/_bodydouble/`` and return its status and JSON. Raises TypeError when ``value`` is not JSON."""
        # Not with a library that uses the environment's proxies, or that a test may have patched.
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=_CONTROL_S)
        with contextlib.closing(connection):
            connection.request(method, f"/_bodydouble/{path}", None if value is None else orjson.dumps(value))
            response = connection.getresponse()
            return response.status, orjson.loads(response.read())


class _PromptServer(uvicorn.Server):
    """A uvicorn server that stops at once; uvicorn's own checks for that every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Run as uvicorn does; ``ready`` is set also when the server could not start."""
        try:
            super().run(sockets)
        finally:
            self.ready.set()

    def end(self) -> None:
        """End `main_loop`, from another thread."""
        self.should_exit = True
        if self._loop is not None and self._ended is not None:
            # The loop is closed when this is called twice.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        """Keep the date header up to date until `end` is called."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut off open connections and cancel their tasks, without waiting for answers."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        tasks = tuple(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.lifespan.shutdown()


class _MockServer(Server, _PromptServer):
    """The mock's server, whose `shutdown` ends streams cleanly, on top of the prompt one."""
