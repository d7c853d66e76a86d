"""How far one request has got, seen through httpx's ``trace`` extension, and the means to hang up on it."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

__all__ = ["HungUp", "Line"]


class HungUp(Exception):
    """Raised inside an attempt that was given up, so that it does not send its request after all."""


class Line:
    """The connection of one attempt.

    ``sent`` is None until something is seen (a caller's transport may show nothing), False while connecting and True
    once the request begins to leave.
    """

    def __init__(self) -> None:
        self.sent: bool | None = None
        self._hung_up = False
        self._stream: Any = None
        self._lock = threading.Lock()

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of one event of httpcore; raises HungUp when the attempt was given up."""
        with self._lock:
            if event.endswith(("connect_tcp.started", "connect_unix_socket.started")):
                self._still_wanted()
                self.sent = False
            elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._stream = info["return_value"]
                if self._hung_up:
                    self._stream.close()
                self._still_wanted()
            elif event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
                self._still_wanted()
                self.sent = True  # CONNECT only asks a proxy for a tunnel

    def _still_wanted(self) -> None:
        if self._hung_up:
            raise HungUp

    async def observe_async(self, event: str, info: Mapping[str, Any]) -> None:
        """``observe`` for the asynchronous transport."""
        self.observe(event, info)

    def hang_up(self) -> bool | None:
        """Give the attempt up, wake a thread that waits on its socket, and return ``sent``, which stays as it is."""
        with self._lock:
            self._hung_up = True
            sent, stream = self.sent, self._stream
        connection = None if stream is None else stream.get_extra_info("socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # it may have ended by itself
                connection.shutdown(socket.SHUT_RDWR)
        return sent
