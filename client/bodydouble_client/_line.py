"""The progress of one attempt, observed through the ``trace`` extension of httpx, and a way to abort it."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

__all__ = ["AttemptAborted", "ConnectionTrace"]


class AttemptAborted(Exception):
    """Raised inside an aborted attempt, so that it does not send its request."""


class ConnectionTrace:
    """A trace of the connection of one attempt.

    ``sent`` is None until the first event (the transport of a caller may report none), False while connecting and True
    as soon as sending begins.
    """

    def __init__(self) -> None:
        self.sent: bool | None = None
        self._aborted = False
        self._stream: Any = None
        self._lock = threading.Lock()

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Record one event of httpcore; raises AttemptAborted after ``abort``."""
        with self._lock:
            if event.endswith(("connect_tcp.started", "connect_unix_socket.started")):
                self._raise_if_aborted()
                self.sent = False
            elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._stream = info["return_value"]
                if self._aborted:
                    self._stream.close()
                self._raise_if_aborted()
            elif event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
                self._raise_if_aborted()
                self.sent = True  # CONNECT only opens a tunnel through a proxy

    def _raise_if_aborted(self) -> None:
        if self._aborted:
            raise AttemptAborted

    async def observe_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Do the same as ``observe``, for the asynchronous transport."""
        self.observe(event, info)

    def abort(self) -> bool | None:
        """Abort the attempt, wake a thread that waits for its socket, and return the final ``sent``."""
        with self._lock:
            self._aborted = True
            sent, stream = self.sent, self._stream
        connection = None if stream is None else stream.get_extra_info("socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the connection may have ended already
                connection.shutdown(socket.SHUT_RDWR)
        return sent
