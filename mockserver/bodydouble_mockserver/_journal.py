"""What an app sent, and what it was told: the last calls, bounded by count and bytes, without a key in them."""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable

import orjson
from bodydouble_spec import Exchange, Redactor, parse_exchange

from bodydouble_mockserver._journal_entry import LineWriter
from bodydouble_mockserver._journal_file import JournalFile
from bodydouble_mockserver._served import HandledRequest

__all__ = ["Journal"]

# Calls are formatted some at a time, soon after they were answered: the code that does it stays in the processor's cache meanwhile,
# and an app does not wait for it. Until then a call is held as it came, its key included.
_MAX_PENDING_CALLS = 16
_FORMAT_DELAY_S = 0.25
# A larger call does not wait, so that what waits stays small.
_MAX_PENDING_BYTES = 16 * 1024
_ENTRY_OVERHEAD_BYTES = 150


class Journal:
    """The last ``entries`` calls in about ``max_bytes`` of memory; the oldest go first. Safe to use from several threads.

    ``hash_key`` gives the short hash that stands for a key; ``keys`` are secrets to look for beside each call's own (the
    configured keys); ``file`` gets every exchange as well. ``run`` begins each id (default: eight random digits), so that ids of two
    runs in one file differ. Entries are numbered from 1, and numbers are not used again after `clear`.
    """

    def __init__(
        self,
        hash_key: Callable[[bytes], str],
        *,
        entries: int = 1000,
        max_bytes: int = 32 * 1024 * 1024,
        keys: Iterable[str] = (),
        file: JournalFile | None = None,
        run: str | None = None,
    ) -> None:
        self._max_entries = entries
        self._max_bytes = max_bytes
        self._writer = LineWriter(Redactor(keys), hash_key)
        self._pending: deque[HandledRequest] = deque()
        self._scheduled_loop: asyncio.AbstractEventLoop | None = None
        self._file = file
        self._run = run or secrets.token_hex(4)
        self._entries: deque[bytes] = deque()
        self._first = 1
        self._bytes = 0
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    def append(self, handled: HandledRequest) -> None:
        """Keep one call. It is redacted and formatted within a quarter of a second, and before anybody reads it."""
        pending = self._pending
        pending.append(handled)
        if (
            len(pending) >= _MAX_PENDING_CALLS
            or self._listeners
            or len(handled.body) + len(handled.answer.body) > _MAX_PENDING_BYTES
            or not self._schedule_formatting()
        ):
            self.format_pending()
            if self._listeners:
                self._notify_listeners()

    def _schedule_formatting(self) -> bool:
        """Whether the running loop will call `settle`; without a loop nobody will."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._scheduled_loop:
            self._scheduled_loop = loop
            loop.call_later(_FORMAT_DELAY_S, self._format_scheduled)
        return True

    def _format_scheduled(self) -> None:
        self._scheduled_loop = None
        self.format_pending()

    def format_pending(self) -> None:
        """Format the calls that wait for it."""
        with self._lock:
            self._format_pending()

    def _format_pending(self) -> None:
        pending = self._pending
        while pending:
            line = self._writer.line(self.identifier(self._first + len(self._entries)), pending.popleft())
            if self._file is not None:
                self._file.append(line)
            self._entries.append(line)
            self._bytes += len(line) + _ENTRY_OVERHEAD_BYTES
            if self._bytes > self._max_bytes or len(self._entries) > self._max_entries:
                self._evict_oldest()

    def line(self, number: int) -> bytes | None:
        """The exchange of that number as JSON, with a newline; None when it is gone or not there yet."""
        with self._lock:
            self._format_pending()
            index = number - self._first
            return self._entries[index] if 0 <= index < len(self._entries) else None

    def exchange(self, number: int) -> Exchange | None:
        """The exchange of that number; None when it is gone or not there yet."""
        line = self.line(number)
        return None if line is None else parse_exchange(orjson.loads(line))

    def exchanges(self) -> list[Exchange]:
        """All exchanges that are there, the oldest first."""
        found = (self.exchange(number) for number in self.numbers())
        return [exchange for exchange in found if exchange is not None]

    def numbers(self) -> range:
        """The numbers of the entries that are there; the end is the number that comes next."""
        with self._lock:
            self._format_pending()
            return range(self._first, self._first + len(self._entries))

    def number(self, identifier: str) -> int | None:
        """The number in an id of this run, whether or not its entry is still there; None for any other text."""
        run, _, digits = identifier.rpartition("-")
        is_ours = run == self._run and digits.isascii() and digits.isdigit() and len(digits) <= 15
        return int(digits) if is_ours else None

    def identifier(self, number: int) -> str:
        """The id of the entry of that number."""
        return f"{self._run}-{number}"

    @property
    def size_bytes(self) -> int:
        """About how much memory the entries take."""
        self.format_pending()
        return self._bytes

    def clear(self) -> int:
        """Forget all entries; how many there were. What is in the file stays there."""
        with self._lock:
            self._format_pending()
            count = len(self._entries)
            self._entries.clear()
            self._first += count
            self._bytes = 0
            return count

    @contextlib.contextmanager
    def listening(self) -> Generator[asyncio.Event]:
        """An event of the running loop that is set at each new entry, whichever thread appends it."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        self._listeners.append(listener)
        try:
            yield listener[1]
        finally:
            self._listeners.remove(listener)

    def close(self) -> None:
        """Write what is not in the file yet, and close it."""
        self.format_pending()
        if self._file is not None:
            self._file.close()

    def _evict_oldest(self) -> None:
        while self._entries and (self._bytes > self._max_bytes or len(self._entries) > self._max_entries):
            self._bytes -= len(self._entries.popleft()) + _ENTRY_OVERHEAD_BYTES
            self._first += 1

    def _notify_listeners(self) -> None:
        for loop, event in tuple(self._listeners):
            # A loop that ended with its listener still waiting takes no more calls.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)
