"""The memory of several processes, in Redis."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.journal import Journal
from bodydouble_mockserver.keeping import Recipes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.replay import Uses
from bodydouble_mockserver.scripting import ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.shared.address import CannotShare
from bodydouble_mockserver.shared.connection import Connection
from bodydouble_mockserver.shared.journal import SharedJournal
from bodydouble_mockserver.shared.pictures import SharedInputs, SharedRecipes
from bodydouble_mockserver.shared.replay import SharedUses
from bodydouble_mockserver.shared.state import SharedState

__all__ = ["SharedMemory"]


class SharedMemory:
    """The memory that all processes with one ``url`` have, in Redis. ``bind`` makes a scripted answer of its JSON, ``new_journal`` the journal of a kind.

    Raises CannotShare.
    """

    def __init__(
        self,
        settings: Settings,
        url: str,
        bind: Callable[[Mapping[str, Any]], ScriptedAnswer],
        new_journal: Callable[[Callable[..., Journal], Callable[[bytes], str], str], Journal],
    ) -> None:
        self._connection = Connection(url)
        try:
            self._connection.check()
            self._open(settings, bind, new_journal)
        except StateUnavailable as error:
            self._connection.close()
            raise CannotShare(self._connection.shown, error.reason) from None

    def _open(
        self,
        settings: Settings,
        bind: Callable[[Mapping[str, Any]], ScriptedAnswer],
        new_journal: Callable[[Callable[..., Journal], Callable[[bytes], str], str], Journal],
    ) -> None:
        connection = self._connection
        self._shared = SharedState(settings, connection, bind)
        self.state: ServerState = self._shared
        self.inputs: ContentStore = SharedInputs(connection, settings.inputs_bytes, settings.inputs_disk_bytes)
        self.recipes: Recipes = SharedRecipes(connection, settings.clock)
        self.number: int = connection.run(lambda redis: redis.hincrby(connection.key("counters"), "processes", 1))
        self.uses: Uses | None = SharedUses(connection)
        run = self._shared.agreed("run", settings.new_run().encode()).decode()
        self.journal = new_journal(partial(SharedJournal, connection), self.state.hash_key, run)
        calls, answers = len(self.journal.numbers()), self._shared.count()
        self.notices = [
            f"State is shared at {connection.shown}: {answers} scripted answers and {calls} calls are there"
        ]

    @property
    def problems(self) -> list[str]:
        """See `Memory.problems`."""
        self._shared.refresh()
        away = self._connection.outage
        lost = self.journal.problem
        return [*([] if away is None else [away]), *([] if lost is None else [lost])]

    def refresh(self) -> None:
        """See `Memory.refresh`."""
        self._shared.refresh()

    async def written(self) -> None:
        """See `Memory.written`."""
        await self._connection.turns.ended()

    def require(self) -> None:
        """See `Memory.require`."""
        self._shared.require()

    def close(self) -> None:
        """See `Memory.close`."""
        self.journal.close()
        self.inputs.close()
        self._connection.close()
