"""The journal of several processes, in Redis: the last calls of all, numbered together."""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import Any

from bodydouble_spec import Redactor

from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.journal import Journal, JournalFile
from bodydouble_mockserver.shared import lua
from bodydouble_mockserver.shared.connection import PREFIX, Connection

__all__ = ["SharedJournal"]

_OVERHEAD_BYTES = 150
# The number of an entry is known when Redis has it: until it is read, its id is this one.
_UNNUMBERED = "?"
# Entries are read so many at a time, and those of the last time kept.
_READ_AT_ONCE = 100
_LOOKED_FOR_EVERY_S = 0.5


class SharedJournal(Journal):
    """The last calls of several processes; see `Journal`.

    An entry is in Redis before its call is answered. Those that come while Redis is away are counted and lost; reading raises StateUnavailable then.
    """

    def __init__(
        self,
        connection: Connection,
        hash_key: Callable[[bytes], str],
        *,
        entries: int,
        max_bytes: int,
        redactor: Redactor,
        file: JournalFile | None,
        run: str,
    ) -> None:
        super().__init__(hash_key, entries=entries, max_bytes=max_bytes, redactor=redactor, file=file, run=run)
        self._connection = connection
        self._lost = 0
        self._read: dict[int, bytes] = {}

    def append(self, handled: HandledRequest) -> None:
        """See `Journal.append`."""
        line = self._writer.write(_UNNUMBERED, handled)
        try:
            number = self._connection.call(lua.APPEND, line, self._max_entries, self._max_bytes, _OVERHEAD_BYTES)
        except StateUnavailable:
            self._lost += 1
            return
        if self._file is not None:
            self._file.append(self._numbered(line, number))
        if self._listeners:
            self._notify_listeners()

    def _numbered(self, line: bytes, number: int) -> bytes:
        return line.replace(b'"id":"%b"' % _UNNUMBERED.encode(), b'"id":"%b"' % self.identifier(number).encode(), 1)

    def line(self, number: int) -> bytes | None:
        """See `Journal.line`."""
        if number not in self._read:
            wanted = [*range(number, number + _READ_AT_ONCE)]
            lines: Any = self._connection.run(lambda redis: redis.hmget(f"{PREFIX}lines", wanted))
            self._read = {
                known: self._numbered(line, known)
                for known, line in zip(wanted, lines, strict=True)
                if line is not None
            }
        return self._read.get(number)

    def numbers(self) -> range:
        """See `Journal.numbers`."""
        first, last, _ = self._known()
        return range(first, last + 1)

    def _known(self) -> tuple[int, int, int]:
        """Return the numbers of the first and the last entry, and of the last one that was cleared."""
        values: Any = self._connection.run(lambda redis: redis.hmget(f"{PREFIX}journal", ["first", "last", "cleared"]))
        first, last, cleared = (int(value or 0) for value in values)
        # Those before are still there until they are removed together.
        return max(first, last - self._max_entries + 1, 1), last, cleared

    @property
    def size_bytes(self) -> int:
        """See `Journal.size_bytes`."""
        size: Any = self._connection.run(lambda redis: redis.hget(f"{PREFIX}journal", "bytes"))
        return int(size or 0)

    @property
    def dropped(self) -> int:
        """See `Journal.dropped`; those that came to this process while Redis was away count too."""
        first, _, cleared = self._known()
        return first - cleared - 1 + self._lost

    def clear(self) -> int:
        """See `Journal.clear`."""
        self._read = {}
        self._lost = 0
        count: int = self._connection.call(lua.CLEAR_JOURNAL, self._max_entries)
        return count

    @contextlib.contextmanager
    def listening(self) -> Generator[asyncio.Event]:
        """See `Journal.listening`; entries of other processes are seen within half a second."""
        with super().listening() as entry_added:
            looking = asyncio.get_running_loop().create_task(self._look(entry_added))
            try:
                yield entry_added
            finally:
                looking.cancel()

    async def _look(self, entry_added: asyncio.Event) -> None:
        last = -1
        while True:
            with contextlib.suppress(StateUnavailable):
                now = self._known()[1]
                if now != last:
                    entry_added.set()
                last = now
            await asyncio.sleep(_LOOKED_FOR_EVERY_S)
