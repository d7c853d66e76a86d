"""The memory of a server between calls, behind one interface: in its own process, or shared with others in Redis."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from bodydouble_spec import Redactor

from bodydouble_mockserver.journal import Journal, JournalFile
from bodydouble_mockserver.keeping import KeepSettings, Recipes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.scripting import ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.shared.connection import PREFIX, Connection
from bodydouble_mockserver.shared.journal import SharedJournal
from bodydouble_mockserver.shared.pictures import SharedInputs, SharedRecipes
from bodydouble_mockserver.shared.state import SharedState

if TYPE_CHECKING:
    from bodydouble_mockserver.keeping import KeepFolder

__all__ = ["LocalMemory", "Memory", "SharedMemory", "new_memory"]


class Memory(Protocol):
    """Script, limits and balances (``state``), recipes of pictures and their inputs, and the journal of one server."""

    state: ServerState
    inputs: ContentStore
    recipes: Recipes
    journal: Journal
    number: int  # of the process among those that have it

    @property
    def problems(self) -> list[str]:
        """The losses, and the reason why there is no state now, one sentence each."""
        ...

    @property
    def notices(self) -> list[str]:
        """The state that was there at the start, one sentence each."""
        ...

    def refresh(self) -> None:
        """Take over what other processes have changed, before a call."""

    def require(self) -> None:
        """Raise StateUnavailable unless all of it can be read and changed now."""

    def close(self) -> None:
        """Write what is queued, and give everything back; may be called again."""


class LocalMemory:
    """The memory of one process; what ``keep`` names is kept for a later one. Raises CannotKeep."""

    number = 0

    def __init__(self, settings: Settings, redactor: Redactor, keep: KeepSettings | None) -> None:
        self.kept = None if keep is None else _opened(keep, settings)
        self.inputs: ContentStore = (
            ContentStore(settings.inputs_bytes, settings.inputs_disk_bytes) if self.kept is None else self.kept.inputs
        )
        self.recipes = Recipes(clock=settings.clock) if self.kept is None else self.kept.recipes
        self.state = ServerState(settings)
        self.journal = Journal(
            self.state.hash_key,
            entries=settings.journal_entries,
            max_bytes=settings.journal_bytes,
            redactor=redactor,
            file=None if settings.journal_file is None else JournalFile(settings.journal_file),
            run=settings.new_run(),
        )

    @property
    def problems(self) -> list[str]:
        """See `Memory.problems`."""
        lost = [] if self.journal.problem is None else [self.journal.problem]
        return lost if self.kept is None else [*lost, *self.kept.problems]

    @property
    def notices(self) -> list[str]:
        """See `Memory.notices`."""
        return [] if self.kept is None else [self.kept.notice, *self.problems]

    def refresh(self) -> None:
        """See `Memory.refresh`."""

    def require(self) -> None:
        """See `Memory.require`."""

    def close(self) -> None:
        """See `Memory.close`."""
        self.journal.close()
        self.inputs.close()
        if self.kept is not None:
            self.kept.close()


class SharedMemory:
    """The memory that all processes with one ``url`` have, in Redis. ``bind`` makes a scripted answer of its JSON. Raises CannotShare."""

    def __init__(
        self, settings: Settings, redactor: Redactor, url: str, bind: Callable[[Mapping[str, Any]], ScriptedAnswer]
    ) -> None:
        self._connection = Connection(url)
        self._shared = SharedState(settings, self._connection, bind)
        self.state: ServerState = self._shared
        self.inputs: ContentStore = SharedInputs(self._connection, settings.inputs_bytes, settings.inputs_disk_bytes)
        self.recipes: Recipes = SharedRecipes(self._connection, settings.clock)
        self.number: int = self._connection.run(lambda redis: redis.hincrby(f"{PREFIX}counters", "processes", 1))
        self.journal: Journal = SharedJournal(
            self._connection,
            self.state.hash_key,
            entries=settings.journal_entries,
            max_bytes=settings.journal_bytes,
            redactor=redactor,
            file=None if settings.journal_file is None else JournalFile(settings.journal_file),
            run=self._shared.agreed("run", settings.new_run().encode()).decode(),
        )

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

    def require(self) -> None:
        """See `Memory.require`."""
        self._shared.require()

    def close(self) -> None:
        """See `Memory.close`."""
        self.journal.close()
        self.inputs.close()
        self._connection.close()


def _opened(keep: KeepSettings, settings: Settings) -> "KeepFolder":
    # Imported here, so that a server without a folder starts sooner.
    from bodydouble_mockserver.keeping import KeepFolder

    return KeepFolder(keep, memory_bytes=settings.inputs_bytes, clock=settings.clock)


def new_memory(
    settings: Settings,
    redactor: Redactor,
    keep: KeepSettings | None,
    url: str | None,
    bind: Callable[[Mapping[str, Any]], ScriptedAnswer],
) -> Memory:
    """Return the memory that is shared at a URL, or without one that of this process. Raises CannotShare and CannotKeep."""
    return LocalMemory(settings, redactor, keep) if url is None else SharedMemory(settings, redactor, url, bind)
