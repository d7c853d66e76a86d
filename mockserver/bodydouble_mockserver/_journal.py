"""What an app sent, and what it was told: the last calls, bounded by count and bytes, without a key in them."""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable

import orjson
from bodydouble_spec import Exchange, Redactor, credentials, may_hold_key, parse_exchange

from bodydouble_mockserver._journal_entry import Kept, to_line
from bodydouble_mockserver._journal_file import JournalFile
from bodydouble_mockserver._served import Served

__all__ = ["Journal"]

_KEPT_HEADERS = frozenset(name.encode() for name in Redactor.kept_headers)
_CREDENTIAL_HEADERS = frozenset(name.encode() for name in Redactor.credential_headers)
# Up to here a call is held as it came and formatted when it is read; beyond, its pictures are replaced by their hashes at once.
_SMALL_BYTES = 16 * 1024
# What an entry costs beside its bytes: its objects and theirs.
_KEPT_COST = 2_500
_LINE_COST = 150


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
        self._hash_key = hash_key
        self._most_entries = entries
        self._most_bytes = max_bytes
        self._redactor = Redactor(keys)
        self._file = file
        self._run = run or secrets.token_hex(4)
        self._entries: deque[tuple[Kept | bytes, int]] = deque()
        self._first = 1
        self._bytes = 0
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    def append(self, served: Served) -> None:
        """Keep one call. What may hold its key or is large is redacted and formatted now, anything else when it is read."""
        kept_headers: list[tuple[bytes, bytes]] = []
        credential_headers: list[tuple[bytes, bytes]] = []
        target = f"{served.method} {served.path}".encode("utf-8", "surrogatepass")
        texts = [target, served.query, served.body, served.answer.body]
        for header in served.headers:
            if header[0] in _KEPT_HEADERS:
                kept_headers.append(header)
                texts.append(header[1])
            elif header[0] in _CREDENTIAL_HEADERS:
                credential_headers.append(header)
        answer = served.answer
        for _, value in answer.headers:
            texts.append(value)
        data = b"\0".join(texts)
        key = served.key
        kept = Kept(
            served.started,
            served.duration_s,
            served.method,
            served.path,
            served.query,
            kept_headers,
            served.body,
            self._hash_key(key),
            answer,
            served.operation,
            served.matched,
            served.applied,
        )
        # The header that the bearer key came in needs no second look.
        own = [key] if len(credential_headers) == 1 and key else [key, *_keys(credential_headers)]
        own = [secret for secret in own if len(secret) >= Redactor.shortest_key]
        may_hold = may_hold_key(data, own)
        if not may_hold and self._file is None and len(data) <= _SMALL_BYTES and not answer.findings:
            with self._lock:
                self._add(kept, len(data) + _KEPT_COST)
        else:
            redactor = self._redactor
            if may_hold and own:
                redactor = redactor.with_keys(secret.decode("latin-1") for secret in own)
            with self._lock:
                line = to_line(self.identifier(self._first + len(self._entries)), kept, redactor)
                if self._file is not None:
                    self._file.append(line)
                self._add(line, len(line) + _LINE_COST)
        if self._listeners:
            self._wake()

    def line(self, number: int) -> bytes | None:
        """The exchange of that number as JSON, with a newline; None when it is gone or not there yet."""
        with self._lock:
            index = number - self._first
            if not 0 <= index < len(self._entries):
                return None
            entry, cost = self._entries[index]
            if isinstance(entry, bytes):
                return entry
            line = to_line(self.identifier(number), entry, self._redactor)
            self._entries[index] = (line, len(line) + _LINE_COST)
            self._bytes += len(line) + _LINE_COST - cost
            self._shrink()
            return line

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
        return self._bytes

    def clear(self) -> int:
        """Forget all entries; how many there were. What is in the file stays there."""
        with self._lock:
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
        if self._file is not None:
            self._file.close()

    def _add(self, entry: Kept | bytes, cost: int) -> None:
        self._entries.append((entry, cost))
        self._bytes += cost
        if self._bytes > self._most_bytes or len(self._entries) > self._most_entries:
            self._shrink()

    def _shrink(self) -> None:
        while self._entries and (self._bytes > self._most_bytes or len(self._entries) > self._most_entries):
            self._bytes -= self._entries.popleft()[1]
            self._first += 1

    def _wake(self) -> None:
        for loop, event in tuple(self._listeners):
            # A loop that ended with its listener still waiting takes no more calls.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)


def _keys(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    found = credentials((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return [secret.encode("latin-1", "ignore") for secret in found]
