"""The recipes of pictures: what must be known of a request to draw its pictures again, bounded by count, bytes and age."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["MAX_SHOWN_INPUTS", "Recipe", "RecipeBounds", "RecipeInput", "RecipeLog", "Recipes", "picture_id"]

MAX_SHOWN_INPUTS = 12
"""The most inputs that a picture shows; it counts the rest."""

# A recipe in use is written again after so long: a later process knows its age to that.
_WRITTEN_AGAIN_S = 60.0
# A log with more lines than twice the recipes and these is written anew.
_SPARE_LINES = 5000


def picture_id(digest: str) -> str:
    """Return the text, in the form of a UUID, by which the pictures of a request are known; ``digest`` has 64 hexadecimal digits."""
    text = digest[16:]
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:28]}"


# These two are not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True)
class RecipeInput:
    """An input picture: the caption of its tile, and its hash in the store; None for a URL, which is never fetched."""

    label: str
    key: str | None


@dataclass(slots=True)
class Recipe:
    """The facts from which the media of one request are made: ``paths`` has the URL path of each, ``media`` names their kind, ``digest`` is that of the request.

    Of ``inputs``, only those that are shown have a label and a key. Among other recipes it has the times, in seconds since the epoch, at which a
    request had it last (``used``) and at which that was written, and its approximate use of memory. ``key`` is its `picture_id`.
    """

    digest: str
    model: str
    prompt: str
    inputs: tuple[RecipeInput, ...]
    size: tuple[int, int]
    paths: tuple[str, ...]
    media: str
    key: str = field(default="", compare=False)
    used: float = field(default=0.0, compare=False)
    written: float = field(default=0.0, compare=False)
    memory_bytes: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Find the key."""
        self.key = self.key or picture_id(self.digest)

    def measured_bytes(self) -> int:
        """Return the approximate memory use."""
        shown = self.inputs[:MAX_SHOWN_INPUTS]
        texts = len(self.model) + len(self.prompt) + sum([len(item.label) for item in shown])
        return 600 + texts * 4 + len(shown) * 150 + len(self.inputs) * 8 + len(self.paths) * 150

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        shown = self.inputs[:MAX_SHOWN_INPUTS]
        return {
            "digest": self.digest,
            "model": self.model,
            "prompt": self.prompt,
            "inputs": [{"label": item.label, "key": item.key} for item in shown],
            "more_inputs": len(self.inputs) - len(shown),
            "size": self.size,
            "paths": self.paths,
            "media": self.media,
        }

    @classmethod
    def from_dict(cls, value: Any) -> "Recipe":
        """Return the recipe of the values of `to_dict`. Raises KeyError, TypeError and ValueError for others."""
        width, height = value["size"]
        shown = [RecipeInput(item["label"], item["key"]) for item in value["inputs"]]
        return cls(
            value["digest"],
            value["model"],
            value["prompt"],
            (*shown, *[RecipeInput("", None)] * value["more_inputs"]),
            (width, height),
            tuple(value["paths"]),
            value["media"],
        )


@dataclass(frozen=True, slots=True)
class RecipeBounds:
    """The most recipes, the most memory for them, and the seconds after which one that no request had is forgotten."""

    count: int = 20_000
    max_bytes: int = 32 * 1024 * 1024
    max_age_s: float = math.inf


class RecipeLog(Protocol):
    """The place where recipes outlive the process; the last entry of a recipe counts."""

    lines: int

    def read(self) -> Iterable[tuple[float, Recipe]]:
        """Return the recipes with the times of their last use, in the order in which they were written."""
        ...

    def append(self, used: float, recipe: Recipe) -> None:
        """Write one entry."""

    def rewrite(self, entries: Iterable[tuple[float, Recipe]]) -> None:
        """Replace all entries."""


class Recipes:
    """The recipes in memory, those not used for longest forgotten first; ``log`` keeps them for a later process.

    ``forgotten`` is called with each recipe that goes.
    """

    def __init__(
        self,
        bounds: RecipeBounds | None = None,
        clock: Callable[[], float] = time.time,
        log: RecipeLog | None = None,
    ) -> None:
        self._bounds = bounds or RecipeBounds()
        self._clock = clock
        self._log = log
        self._recipes: OrderedDict[str, Recipe] = OrderedDict()
        self.memory_bytes = 0
        self.forgotten: Callable[[Recipe], None] = lambda _recipe: None
        if log is not None:
            for used, recipe in sorted(log.read(), key=lambda entry: entry[0]):
                self._put(used, recipe)
            self._shrink()
            if log.lines > len(self._recipes):
                log.rewrite(self._entries())

    def __len__(self) -> int:
        return len(self._recipes)

    def __iter__(self) -> Iterator[Recipe]:
        return iter(self._recipes.values())

    def own(self, key: str) -> Recipe | None:
        """Return the recipe of a `picture_id` that this process has; None for one that it does not have, or not any more."""
        return self._recipes.get(key)

    def get(self, key: str) -> Recipe | None:
        """Return the recipe of a `picture_id` that this or another process has; None for one that is not known, or not any more."""
        return self.own(key)

    def use(self, key: str) -> None:
        """Note that a request had a known recipe now."""
        self._recipes.move_to_end(key)
        recipe = self._recipes[key]
        recipe.used = self._clock()
        if self._log is not None and recipe.used - recipe.written >= _WRITTEN_AGAIN_S:
            self._write(recipe)

    def add(self, recipe: Recipe) -> None:
        """Add a recipe that a request has now, in the place of an older one of that request."""
        self._put(self._clock(), recipe)
        self._write(recipe)
        self._shrink()

    def age_s(self, key: str) -> float | None:
        """Return the seconds since a request had a recipe last; None for one that is not known."""
        recipe = self._recipes.get(key)
        return None if recipe is None else self._clock() - recipe.used

    def _put(self, used: float, recipe: Recipe) -> None:
        self._forget(recipe.key)
        recipe.used = recipe.written = used
        recipe.memory_bytes = recipe.measured_bytes()
        self._recipes[recipe.key] = recipe
        self.memory_bytes += recipe.memory_bytes

    def _write(self, recipe: Recipe) -> None:
        if self._log is None:
            return
        recipe.written = recipe.used
        self._log.append(recipe.used, recipe)
        if self._log.lines > 2 * len(self._recipes) + _SPARE_LINES:
            self._log.rewrite(self._entries())

    def _entries(self) -> Iterator[tuple[float, Recipe]]:
        return ((recipe.used, recipe) for recipe in self._recipes.values())

    def _shrink(self) -> None:
        bounds, oldest_used = self._bounds, self._clock() - self._bounds.max_age_s
        while self._recipes:
            oldest = next(iter(self._recipes.values()))
            is_too_much = len(self._recipes) > bounds.count or (
                self.memory_bytes > bounds.max_bytes and len(self._recipes) > 1
            )
            if not is_too_much and oldest.used >= oldest_used:
                return
            self._forget(oldest.key)

    def _forget(self, key: str) -> None:
        recipe = self._recipes.pop(key, None)
        if recipe is None:
            return
        self.memory_bytes -= recipe.memory_bytes
        self.forgotten(recipe)
