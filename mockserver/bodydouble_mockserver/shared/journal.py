"""The journal of several processes, in Redis: the last calls of all, numbered together."""

import asyncio
import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any

import orjson
from bodydouble_spec import KeyPlace, Redactor

from bodydouble_mockserver.endpoints import Effects, HandledRequest
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.journal import Journal, JournalEntry, JournalFile
from bodydouble_mockserver.shared import lua
from bodydouble_mockserver.shared.connection import Connection

__all__ = ["SharedJournal"]

_OVERHEAD_BYTES = 150
# The number of an entry is known when Redis has it: until it is read, its id is this one.
_UNNUMBERED = "?"
# Entries are read so many at a time, and those of the last time kept.
_READ_AT_ONCE = 100
_LOOKED_FOR_EVERY_S = 0.5


class SharedJournal(Journal):
    """The last calls of several processes; see `Journal`.

    Redis has an entry before its call is answered; those of calls that are answered together are sent together. Those that come while Redis is away
    are counted and lost; reading raises StateUnavailable then.
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
        self._add = connection.batch("journal", entries, max_bytes, _OVERHEAD_BYTES, done=self._added)

    def append(self, handled: HandledRequest) -> None:
        """See `Journal.append`."""
        self._add(self._packed(handled))
        if self._listeners:
            self._notify_listeners()

    def _added(self, last: int | None, entries: Sequence[Any]) -> None:
        if last is None:
            self._lost += len(entries)
        elif self._file is not None:
            for number, entry in enumerate(entries, last - len(entries) + 1):
                self._file.append(self._line(entry, number))

    def _packed(self, handled: HandledRequest) -> bytes:
        """Return an entry for Redis: as a rule not formatted, which takes longer than all the rest of a call."""
        entry = self._writer.keep(handled)
        if entry is None or entry.pictures:
            return self._writer.write(_UNNUMBERED, handled)
        facts = (
            *(entry.started, entry.duration_s, entry.operation, entry.contract, entry.kind, entry.key, entry.status),
            *(entry.effects, entry.places, entry.header_count),
        )
        return orjson.dumps(facts) + b"\n" + entry.data

    def _line(self, packed: bytes, number: int) -> bytes:
        """Return the line of an entry that Redis has."""
        identifier = self.identifier(number)
        if packed.startswith(b"{"):
            return packed.replace(b'"id":"%b"' % _UNNUMBERED.encode(), b'"id":"%b"' % identifier.encode(), 1)
        facts, _, data = packed.partition(b"\n")
        *call, key, status, effects, places, header_count = orjson.loads(facts)
        started, duration_s, operation, contract, kind = call
        known = [KeyPlace(**place) for place in places]
        of_call = Effects(**effects)
        entry = JournalEntry(
            started, duration_s, operation, contract, kind, key, status, of_call, known, {}, header_count, data
        )
        return self._writer.line(identifier, entry)

    def line(self, number: int) -> bytes | None:
        """See `Journal.line`."""
        if number not in self._read:
            wanted = [*range(number, number + _READ_AT_ONCE)]
            lines: Any = self._connection.run(lambda redis: redis.hmget(self._connection.key("lines"), wanted))
            self._read = {
                known: self._line(line, known) for known, line in zip(wanted, lines, strict=True) if line is not None
            }
        return self._read.get(number)

    def numbers(self) -> range:
        """See `Journal.numbers`."""
        first, last, _ = self._known()
        return range(first, last + 1)

    def _known(self) -> tuple[int, int, int]:
        """Return the numbers of the first and the last entry, and of the last one that was cleared."""
        values: Any = self._connection.run(
            lambda redis: redis.hmget(self._connection.key("journal"), ["first", "last", "cleared"])
        )
        first, last, cleared = (int(value or 0) for value in values)
        # Those before are still there until they are removed together.
        return max(first, last - self._max_entries + 1, 1), last, cleared

    @property
    def size_bytes(self) -> int:
        """See `Journal.size_bytes`."""
        size: Any = self._connection.run(lambda redis: redis.hget(self._connection.key("journal"), "bytes"))
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
