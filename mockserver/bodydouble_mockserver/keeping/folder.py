"""A folder that keeps what pictures are drawn from, for one process at a time."""

import time
from collections.abc import Callable

from bodydouble_spec.recording import ContentFiles

from bodydouble_mockserver.keeping.inputs import KeptInputs
from bodydouble_mockserver.keeping.lines import RecipeLines
from bodydouble_mockserver.keeping.losses import Losses
from bodydouble_mockserver.keeping.recipes import RecipeBounds, Recipes
from bodydouble_mockserver.keeping.settings import KeepSettings

__all__ = ["CannotKeep", "KeepFolder"]

_RECIPES = "recipes.jsonl"
_DAY_S = 86_400.0


class CannotKeep(ValueError):
    """The folder cannot be used; the message says which, why, and what to do."""


class KeepFolder:
    """The recipes (``recipes.jsonl``) and ``inputs`` (``files``, named as in a recording) of a server's pictures.

    What a request needs is in the folder before its answer is sent. When writing fails, all goes on in memory, and `problems` says what a restart
    loses. The folder is made where there is none, and locked until `close`, where files can be locked (not on Windows). Raises CannotKeep.
    """

    def __init__(self, settings: KeepSettings, *, memory_bytes: int, clock: Callable[[], float] = time.time) -> None:
        path, max_age_s = settings.folder, settings.max_age_days * _DAY_S
        self._path = path
        self._losses = Losses(path)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lines = RecipeLines(path / _RECIPES, self._losses)
        except BlockingIOError:
            raise CannotKeep(
                f"{path}: another process keeps its pictures in this folder; stop it, or name another folder"
            ) from None
        except OSError as error:
            raise CannotKeep(f"{path}: {error.strerror or error}; name a writable folder") from None
        bounds = RecipeBounds(settings.max_recipes, max_age_s=max_age_s)
        try:
            self.recipes = Recipes(bounds, clock, self._lines)
            files = ContentFiles(path)
            files.remove_unfinished()
        except OSError as error:
            self._lines.close()
            raise CannotKeep(f"{path}: {error.strerror or error}; name a readable folder") from None
        self.inputs = KeptInputs(
            files, self._losses, clock, memory_bytes=memory_bytes, max_bytes=settings.max_bytes, max_age_s=max_age_s
        )

    @property
    def notice(self) -> str:
        """The folder and what is in it, in one sentence."""
        count, megabytes = len(self.recipes), self.inputs.kept_bytes / 1024 / 1024
        return f"Pictures of {count:,} request{'' if count == 1 else 's'} are kept in {self._path}, with {megabytes:,.1f} MB of inputs"

    @property
    def problems(self) -> list[str]:
        """The losses so far, one sentence each."""
        return self._losses.sentences

    def close(self) -> None:
        """Unlock the folder; may be called again."""
        self._lines.close()
