"""The journal as server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from starlette.datastructures import QueryParams

from bodydouble_mockserver.asgi import Receive, Scope, Send, header
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.journal.journal import Journal

__all__ = ["Events"]

_HEARTBEAT_S = 15.0
# The size of one batch. After each batch the stream waits for a slow reader, then continues with the entries that the journal still holds.
_MAX_BATCH_ENTRIES = 50
_MAX_BATCH_BYTES = 256 * 1024
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Events:
    """An ASGI endpoint that sends each new exchange as an event ``exchange`` with the exchange's id.

    A reader that reconnects with ``Last-Event-ID``, or connects with ``?after=ID``, continues after that entry; the id of another run starts with the oldest entry. Entries that
    the journal dropped before the reader reached them are reported as an event ``lost`` with ``{"lost": n}``. Nothing is queued for a reader: it
    reads the journal at its own pace. A comment is sent after every ``heartbeat_s`` seconds without an exchange.
    """

    def __init__(self, journal: Journal, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._journal = journal
        self._heartbeat_s = heartbeat_s
        self._is_closed = False
        self._streams: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send exchanges until the reader disconnects or `close` is called."""
        await self.stream(scope, receive, send, _exchange_event)

    async def stream(
        self, scope: Scope, receive: Receive, send: Send, write: Callable[[str, bytes], bytes], *, pace_s: float = 0.0
    ) -> None:
        """Send what ``write`` makes of the id and the line of each exchange, with ``pace_s`` seconds between two batches."""
        next_number = self._first_number_after(_last_event_id(scope))
        with self._journal.listening() as entry_added:
            stream = (asyncio.get_running_loop(), entry_added)
            self._streams.add(stream)
            disconnected = asyncio.create_task(_wait_for_disconnect(receive))
            try:
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                # Its reader connects again.
                with contextlib.suppress(StateUnavailable):
                    async for chunk in self._chunks(next_number, entry_added, disconnected, write):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                        if pace_s:
                            await asyncio.sleep(pace_s)
                if not disconnected.done():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                self._streams.discard(stream)
                disconnected.cancel()

    def close(self) -> None:
        """End all streams, also those opened later, since a server that shuts down waits for its connections. Thread-safe."""
        self._is_closed = True
        for loop, entry_added in tuple(self._streams):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(entry_added.set)

    async def _chunks(
        self,
        next_number: int,
        entry_added: asyncio.Event,
        disconnected: asyncio.Task[None],
        write: Callable[[str, bytes], bytes],
    ) -> AsyncGenerator[bytes]:
        yield b"retry: 1000\n\n"
        while not self._is_closed and not disconnected.done():
            entry_added.clear()
            chunk, next_number = self._next_events(next_number, write)
            if chunk:
                yield chunk
            elif not await _wait_for_entry(entry_added, disconnected, self._heartbeat_s):
                yield b": keep-alive\n\n"

    def _next_events(self, next_number: int, write: Callable[[str, bytes], bytes]) -> tuple[bytes, int]:
        """Return the next events from a number on, and the number after them."""
        parts: list[bytes] = []
        numbers = self._journal.numbers()
        if next_number < numbers.start:
            parts.append(b'event: lost\ndata: {"lost":%d}\n\n' % (numbers.start - next_number))
            next_number = numbers.start
        size = 0
        while next_number < numbers.stop and len(parts) < _MAX_BATCH_ENTRIES and size < _MAX_BATCH_BYTES:
            line = self._journal.line(next_number)
            if line is None:  # dropped meanwhile: the next call reports it
                break
            parts.append(write(self._journal.identifier(next_number), line))
            size += len(line)
            next_number += 1
        return b"".join(parts), next_number

    def _first_number_after(self, last: str | None) -> int:
        numbers = self._journal.numbers()
        if last is None:
            return numbers.stop
        number = self._journal.number(last)
        return numbers.start if number is None or number >= numbers.stop else number + 1


def _exchange_event(identifier: str, line: bytes) -> bytes:
    return b"id: %b\nevent: exchange\ndata: %b\n" % (identifier.encode(), line)


def _last_event_id(scope: Scope) -> str | None:
    sent = header(scope, b"last-event-id")
    # A browser sends the header only when it comes back.
    return sent.decode("latin-1") if sent else QueryParams(scope.get("query_string", b"")).get("after")


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for_entry(entry_added: asyncio.Event, disconnected: asyncio.Task[None], timeout_s: float) -> bool:
    """Return whether an entry was added or the reader disconnected before the timeout."""
    waiting = asyncio.create_task(entry_added.wait())
    try:
        done, _ = await asyncio.wait((waiting, disconnected), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return bool(done)
