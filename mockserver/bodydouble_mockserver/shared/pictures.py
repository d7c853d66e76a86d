"""Recipes of pictures and their inputs that several processes share, for a day after their last use."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.keeping import Recipe, Recipes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.shared.connection import Connection

__all__ = ["SharedInputs", "SharedRecipes"]

_LIFETIME_S = 86_400
# The use of a recipe is written again after so long, so that its age is known to that.
_WRITTEN_AGAIN_S = 1.0
_LARGE_BYTES = 64 * 1024


class SharedRecipes(Recipes):
    """Recipes in this process and in Redis, where they are before the answer is sent; while Redis is away, only those in this process."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock=clock)
        self._connection = connection
        self._send = connection.batch("recipes", _LIFETIME_S, done=self._stored_or_lost)

    def get(self, key: str) -> Recipe | None:
        """See `Recipes.get`; a recipe of another process is taken over."""
        recipe = super().get(key)
        if recipe is None:
            stored = self._stored(key)
            if stored is not None:
                recipe = Recipe.from_dict(stored["recipe"])
                self._put(stored["used"], recipe)
                self._shrink()
        return recipe

    def use(self, key: str) -> None:
        """See `Recipes.use`."""
        super().use(key)
        recipe = self._recipes[key]
        if recipe.used - recipe.written >= _WRITTEN_AGAIN_S:
            self._store(recipe)

    def add(self, recipe: Recipe) -> None:
        """See `Recipes.add`."""
        super().add(recipe)
        self._store(recipe)

    def age_s(self, key: str) -> float | None:
        """See `Recipes.age_s`; a use by another process counts."""
        stored = self._stored(key)
        return super().age_s(key) if stored is None else self._clock() - stored["used"]

    def _stored(self, key: str) -> Any:
        try:
            value: Any = self._connection.run(lambda redis: redis.get(self._connection.key(f"recipe:{key}")))
        except StateUnavailable:
            return None
        return None if value is None else orjson.loads(value)

    def _store(self, recipe: Recipe) -> None:
        recipe.written = self._clock()
        self._send(recipe.key, orjson.dumps({"used": recipe.used, "recipe": recipe.to_dict()}))

    def _stored_or_lost(self, result: int | None, items: Sequence[Any]) -> None:
        """Have those that Redis did not get written with their next use; the connection says why."""
        for key in () if result is not None else items[::2]:
            recipe = self.own(key)
            if recipe is not None:
                recipe.written = -math.inf


class SharedInputs(ContentStore):
    """Input pictures in this process and in Redis, where they are before the answer is sent; thread-safe."""

    def __init__(self, connection: Connection, memory_bytes: int, disk_bytes: int) -> None:
        super().__init__(memory_bytes, disk_bytes)
        self._connection = connection

    def put(self, data: bytes) -> str:
        """See `ContentStore.put`."""
        key = super().put(data)
        if not self._try(lambda redis: redis.expire(self._name(key), _LIFETIME_S)):
            self._try(lambda redis: redis.set(self._name(key), data, ex=_LIFETIME_S), is_large=len(data) > _LARGE_BYTES)
        return key

    def get(self, key: str) -> bytes | None:
        """See `ContentStore.get`; an input of another process is taken over."""
        data = super().get(key)
        if data is None:
            data = self._try(lambda redis: redis.get(self._name(key)), is_large=True)
            if data is not None:
                super().put(data)
        return data

    def __contains__(self, key: str) -> bool:
        """Return whether `get` would return bytes."""
        return super().__contains__(key) or bool(self._try(lambda redis: redis.exists(self._name(key))))

    def _try(self, command: Callable[[Any], Any], *, is_large: bool = False) -> Any:
        """Return the result of a command, None while Redis is away."""
        try:
            return self._connection.run(command, is_large=is_large)
        except StateUnavailable:
            return None

    def _name(self, key: str) -> str:
        return self._connection.key(f"input:{key}")
