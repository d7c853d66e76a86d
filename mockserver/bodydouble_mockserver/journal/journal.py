"""The journal: the last calls and their answers, bounded by count and bytes, without API keys."""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator

import orjson
from bodydouble_spec import Exchange, ExchangeFilter, Redactor, parse_exchange

from bodydouble_mockserver.endpoints import PICTURE, HandledRequest
from bodydouble_mockserver.journal.entry import JournalEntry, LineWriter
from bodydouble_mockserver.journal.file import JournalFile

__all__ = ["Journal", "matching_entries"]

_LINE_OVERHEAD_BYTES = 150
# Formatting a full journal takes a while.
_ENTRIES_PER_TURN = 50


class Journal:
    """The last ``entries`` calls in about ``max_bytes`` of memory; the oldest are dropped first. Thread-safe.

    ``hash_key`` returns the short hash of a key; ``redactor`` removes further secrets beside each call's own key (the configured
    keys); ``file`` receives every exchange as well. ``run`` is the prefix of each id (default: eight random digits), so that ids of
    two runs in one file differ. Entries are numbered from 1, and `clear` does not reset the numbers.
    """

    def __init__(
        self,
        hash_key: Callable[[bytes], str],
        *,
        entries: int = 1000,
        max_bytes: int = 32 * 1024 * 1024,
        redactor: Redactor | None = None,
        file: JournalFile | None = None,
        run: str | None = None,
    ) -> None:
        self._max_entries = entries
        self._max_bytes = max_bytes
        self._writer = LineWriter(redactor or Redactor(), hash_key)
        self._file = file
        self._run = run or secrets.token_hex(4)
        self._entries: deque[JournalEntry | bytes] = deque()
        self._first = 1
        self._bytes = 0
        self._dropped = 0
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    def append(self, handled: HandledRequest) -> None:
        """Add one call without its secrets; it is formatted for the file at once, and else when it is read."""
        with self._lock:
            # For a file it is formatted here and not in the thread of that, which would hold up the calls meanwhile.
            entry = (None if self._file is None else self._filed(self._file, handled)) or self._writer.keep(handled)
            if entry is None:
                entry = self._writer.write(self._next_identifier, handled)
            size = _size(entry)
            self._entries.append(entry)
            self._bytes += size
            if self._bytes > self._max_bytes or len(self._entries) > self._max_entries:
                self._evict_oldest()
        if self._listeners:
            self._notify_listeners()

    def _filed(self, file: JournalFile, handled: HandledRequest) -> bytes | None:
        """Queue the line of a call for the file, and return it; None where it cannot be formatted."""
        try:
            line = self._writer.write(self._next_identifier, handled)
        except Exception as error:  # noqa: BLE001 - a call is answered whatever its entry holds
            file.lose(f"{type(error).__name__}: {error}")
            return None
        file.append(line)
        return line

    @property
    def _next_identifier(self) -> str:
        return self.identifier(self._first + len(self._entries))

    @property
    def writer(self) -> LineWriter:
        """The writer of entries, for a recording of the same calls."""
        return self._writer

    def line(self, number: int) -> bytes | None:
        """Return the exchange with that number as JSON, with a newline; None when it was dropped or does not exist yet."""
        with self._lock:
            index = number - self._first
            if not 0 <= index < len(self._entries):
                return None
            entry = self._entries[index]
        return entry if isinstance(entry, bytes) else self._writer.line(self.identifier(number), entry)

    def exchange(self, number: int) -> Exchange | None:
        """Return the exchange with that number; None when it was dropped or does not exist yet."""
        line = self.line(number)
        return None if line is None else parse_exchange(orjson.loads(line))

    def exchanges(self) -> list[Exchange]:
        """Return the stored calls, the oldest first, without the requests for files of pictures and to the account."""
        return [exchange for exchange in self._all() if exchange.kind is None]

    def pictures(self) -> list[Exchange]:
        """Return the stored requests for files of pictures, the oldest first."""
        return [exchange for exchange in self._all() if exchange.kind == PICTURE]

    def _all(self) -> Iterator[Exchange]:
        found = (self.exchange(number) for number in self.numbers())
        return (exchange for exchange in found if exchange is not None)

    def numbers(self) -> range:
        """Return the numbers of the stored entries; the end of the range is the next number."""
        with self._lock:
            return range(self._first, self._first + len(self._entries))

    def number(self, identifier: str) -> int | None:
        """Return the number in an id of this run, whether or not its entry is still stored; None for any other text."""
        run, _, digits = identifier.rpartition("-")
        is_ours = run == self._run and digits.isascii() and digits.isdigit() and len(digits) <= 15
        return int(digits) if is_ours else None

    def identifier(self, number: int) -> str:
        """Return the id of the entry with that number."""
        return f"{self._run}-{number}"

    @property
    def size_bytes(self) -> int:
        """The approximate memory use of the entries in bytes."""
        return self._bytes

    @property
    def dropped(self) -> int:
        """The number of entries that made room for others since the last `clear`."""
        return self._dropped

    def clear(self) -> int:
        """Remove all entries and return their number. The file is not changed."""
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
            self._first += count
            self._bytes = self._dropped = 0
            return count

    @contextlib.contextmanager
    def listening(self) -> Generator[asyncio.Event]:
        """Provide an event of the running loop that is set at each new entry, appended by any thread."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        self._listeners.append(listener)
        try:
            yield listener[1]
        finally:
            self._listeners.remove(listener)

    @property
    def problem(self) -> str | None:
        """The loss of the file, in one sentence; None without a file, and while all is written."""
        return None if self._file is None else self._file.problem

    def close(self) -> None:
        """Write what is queued for the file, and close it."""
        if self._file is not None:
            self._file.close()

    def _evict_oldest(self) -> None:
        while self._entries and (self._bytes > self._max_bytes or len(self._entries) > self._max_entries):
            self._bytes -= _size(self._entries.popleft())
            self._first += 1
            self._dropped += 1

    def _notify_listeners(self) -> None:
        for loop, event in tuple(self._listeners):
            # A closed loop, whose listener was still waiting, raises here.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)


def _size(entry: JournalEntry | bytes) -> int:
    return len(entry) + _LINE_OVERHEAD_BYTES if isinstance(entry, bytes) else entry.size_bytes


async def matching_entries(
    journal: Journal, chosen: ExchangeFilter, numbers: Iterable[int] | None = None
) -> AsyncGenerator[tuple[int, Exchange]]:
    """Yield number and exchange of each entry that the filter chooses, of these ``numbers`` (default: all, the oldest first).

    Entries that were dropped meanwhile are skipped, and the loop answers other calls in between.
    """
    for number in journal.numbers() if numbers is None else numbers:
        exchange = journal.exchange(number)
        if exchange is not None and chosen.matches(exchange):
            yield number, exchange
        if number % _ENTRIES_PER_TURN == 0:
            await asyncio.sleep(0)
