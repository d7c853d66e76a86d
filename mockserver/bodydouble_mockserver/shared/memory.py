"""The memory of a server between calls, behind one interface: in its own process, or shared with others in Redis."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bodydouble_spec import Redactor

from bodydouble_mockserver.journal import Journal, JournalFile
from bodydouble_mockserver.keeping import KeepSettings, Recipes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.scripting import ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings

if TYPE_CHECKING:
    from bodydouble_mockserver.keeping import KeepFolder
    from bodydouble_mockserver.replay import Uses

__all__ = ["LocalMemory", "Memory", "new_memory"]


class Memory(Protocol):
    """Script, limits and balances (``state``), recipes of pictures and their inputs, and the journal of one server."""

    state: ServerState
    inputs: ContentStore
    recipes: Recipes
    journal: Journal
    number: int  # of the process among those that have it
    notices: list[str]  # the state that was there at the start, one sentence each
    uses: "Uses | None"  # of recorded answers; None where each replay counts its own

    @property
    def problems(self) -> list[str]:
        """The losses, and the reason why there is no state now, one sentence each."""
        ...

    def refresh(self) -> None:
        """Take over what other processes have changed, before a call."""

    async def written(self) -> None:
        """Wait until Redis has what calls have changed, before their answers are sent; without it there is nothing to wait for."""

    def require(self) -> None:
        """Raise StateUnavailable unless all of it can be read and changed now."""

    def close(self) -> None:
        """Write what is queued, and give everything back; may be called again."""


class LocalMemory:
    """The memory of one process; what ``keep`` names is kept for a later one. Raises CannotKeep."""

    number = 0
    uses: "Uses | None" = None

    def __init__(self, settings: Settings, redactor: Redactor, keep: KeepSettings | None) -> None:
        self.kept = None if keep is None else _opened(keep, settings)
        self.inputs: ContentStore = (
            ContentStore(settings.inputs_bytes, settings.inputs_disk_bytes) if self.kept is None else self.kept.inputs
        )
        self.recipes = Recipes(clock=settings.clock) if self.kept is None else self.kept.recipes
        self.state = ServerState(settings)
        self.notices = [] if self.kept is None else [self.kept.notice, *self.kept.problems]
        self.journal = _new_journal(settings, redactor, Journal, self.state.hash_key, settings.new_run())

    @property
    def problems(self) -> list[str]:
        """See `Memory.problems`."""
        lost = [] if self.journal.problem is None else [self.journal.problem]
        return lost if self.kept is None else [*lost, *self.kept.problems]

    def refresh(self) -> None:
        """See `Memory.refresh`."""

    async def written(self) -> None:
        """See `Memory.written`."""

    def require(self) -> None:
        """See `Memory.require`."""

    def close(self) -> None:
        """See `Memory.close`."""
        self.journal.close()
        self.inputs.close()
        if self.kept is not None:
            self.kept.close()


def _new_journal(
    settings: Settings, redactor: Redactor, make: Callable[..., Journal], hash_key: Callable[[bytes], str], run: str
) -> Journal:
    """Return the journal of a kind with the bounds and the file of the settings. Raises CannotWriteJournal."""
    return make(
        hash_key,
        entries=settings.journal_entries,
        max_bytes=settings.journal_bytes,
        redactor=redactor,
        file=None if settings.journal_file is None else JournalFile(settings.journal_file),
        run=run,
    )


def _opened(keep: KeepSettings, settings: Settings) -> "KeepFolder":
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
    if url is None:
        return LocalMemory(settings, redactor, keep)
    # Imported here, as the folder is, so that a server without it starts sooner.
    from bodydouble_mockserver.shared.redis_memory import SharedMemory

    return SharedMemory(settings, url, bind, partial(_new_journal, settings, redactor))
