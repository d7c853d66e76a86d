"""A time limit for a whole exchange: a client's limits count from one byte to the next, so that a server may send its headers for ever."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

__all__ = ["Watchdog"]


class Watchdog:
    """End the connection of one exchange after some seconds, unless the block is left before.

    ``extensions`` are those of the request, which tell the watchdog about its connection. A transport in this process has none.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._stream: Any = None
        self.extensions: dict[str, Any] = {"trace": self._note}

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _note(self, event: str, values: Mapping[str, Any]) -> None:
        """Keep the connection; the one within TLS comes after the one below it."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = values.get("return_value")

    def _end(self) -> None:
        found = None if self._stream is None else self._stream.get_extra_info("socket")
        if isinstance(found, socket.socket):
            # It may have ended by itself.
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
