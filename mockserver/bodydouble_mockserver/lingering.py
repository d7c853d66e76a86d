"""A transport that closes so that the client can read the answer, although it is still sending."""

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["LingeringTransport"]

# Time without a byte from the client, and in all, until the connection is closed.
_QUIET_S = 2.0
_MAX_S = 30.0


class LingeringTransport:
    """A transport for uvicorn: `close` lingers where ``is_receiving`` says that the client is still sending.

    Closing with unread bytes resets the connection, and the client loses the answer. So the server's side is ended, and what the client sends is
    dropped until it stops.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_receiving: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._is_receiving = is_receiving
        self._end = 0.0
        self.is_lingering = False
        self.has_received = False
        # Called with each answer.
        self.write: Callable[[bytes], None] = transport.write

    def __getattr__(self, name: str) -> Any:
        """Return what the transport itself has of that name."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """See asyncio.Transport."""
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close, or begin to linger; a second call closes."""
        if self.is_lingering or not self._is_receiving():
            self._transport.close()
        else:
            self.linger()

    def linger(self) -> None:
        """End the server's side now, and close when the client has stopped sending."""
        self.is_lingering = True
        self.write = _drop
        self._end = self._loop.time() + _MAX_S
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(_QUIET_S, self._close_when_quiet)

    def _close_when_quiet(self) -> None:
        if self.has_received and self._loop.time() < self._end:
            self.has_received = False
            self._loop.call_later(_QUIET_S, self._close_when_quiet)
        else:
            self._transport.close()


def _drop(_data: bytes) -> None:
    """Drop an answer that comes after the server's side was ended: the request was refused meanwhile."""
