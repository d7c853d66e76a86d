"""A mock server on a port of its own, in a thread with an event loop of its own, that starts and ends in milliseconds."""

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
    """Serves ``app`` on ``port`` of this machine (0: a free one) until `close`, and closes it; ``url`` is its address.

    Raises CannotServe when the port cannot be had.
    """

    def __init__(self, app: MockServer, port: int = 0) -> None:
        listener = bind(_HOST, port)
        self._port: int = listener.getsockname()[1]
        self.url = f"http://{_HOST}:{self._port}"
        self._server = _QuickServer(server_config(app))
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
        """Stop serving; calls that are still waiting for an answer are cut off. Harmless twice."""
        self._server.end()
        self._thread.join()

    def control(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        """Call one of the routes below ``/_bodydouble/``; its status and JSON. Raises TypeError for a value that is not JSON."""
        # Not through a library that reads the environment's proxies, or that a test may have replaced.
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=_CONTROL_S)
        with contextlib.closing(connection):
            connection.request(method, f"/_bodydouble/{path}", None if value is None else orjson.dumps(value))
            response = connection.getresponse()
            return response.status, orjson.loads(response.read())


class _Quick(uvicorn.Server):
    """uvicorn's server without its waits: it looks every tenth of a second whether it should end, and takes as long to do so."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; ``ready`` is set also when it could not start."""
        try:
            super().run(sockets)
        finally:
            self.ready.set()

    def end(self) -> None:
        """End `main_loop`, from another thread."""
        self.should_exit = True
        if self._loop is not None and self._ended is not None:
            # The loop is gone when this is called twice.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        """Keep the date header right until `end` is called."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut off what is still open, and wait for nothing but the end of that."""
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


class _QuickServer(Server, _Quick):
    """The mock's own server, whose `shutdown` ends streams quietly, over the quick one."""
