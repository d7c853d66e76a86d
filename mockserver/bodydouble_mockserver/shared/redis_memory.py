"""The memory of several processes, in Redis."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bodydouble_mockserver.journal import Journal
from bodydouble_mockserver.keeping import Recipes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.replay import Uses
from bodydouble_mockserver.scripting import ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.shared.connection import PREFIX, Connection
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
        self._shared = SharedState(settings, self._connection, bind)
        self.state: ServerState = self._shared
        self.inputs: ContentStore = SharedInputs(self._connection, settings.inputs_bytes, settings.inputs_disk_bytes)
        self.recipes: Recipes = SharedRecipes(self._connection, settings.clock)
        self.number: int = self._connection.run(lambda redis: redis.hincrby(f"{PREFIX}counters", "processes", 1))
        self.uses: Uses | None = SharedUses(self._connection)
        run = self._shared.agreed("run", settings.new_run().encode()).decode()
        make = partial(SharedJournal, self._connection)
        self.journal = new_journal(make, self.state.hash_key, run)

    @property
    def problems(self) -> list[str]:
        """See `Memory.problems`."""
        self._shared.refresh()
        away = self._connection.outage
        lost = self.journal.problem
        return [*([] if away is None else [away]), *([] if lost is None else [lost])]

    @property
    def notices(self) -> list[str]:
        """See `Memory.notices`."""
        calls, answers = len(self.journal.numbers()), len(self.state.answers)
        return [f"State is shared at {self._connection.shown}: {answers} scripted answers and {calls} calls are there"]

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
