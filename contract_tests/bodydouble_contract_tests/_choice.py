"""Strategies with a short representation. Hypothesis prints all the values to draw from, and warns when that is long."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from hypothesis import strategies as st

__all__ = ["choice", "with_short_repr"]

T = TypeVar("T")


class _ByIndex(Generic[T]):
    """Return a value by its index."""

    def __init__(self, values: Sequence[T]) -> None:
        self._values = values

    def __call__(self, number: int) -> T:
        return self._values[number]

    def __repr__(self) -> str:
        return f"<one of {len(self._values)} values>"


def choice(values: Sequence[T]) -> st.SearchStrategy[T]:
    """Return a strategy for one of the values. It shrinks to the first."""
    return st.sampled_from(range(len(values))).map(_ByIndex(values))


def with_short_repr(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Return the same strategy with a short representation."""

    @st.composite
    def bodies(draw: Callable[[st.SearchStrategy[T]], T]) -> T:
        return draw(strategy)

    return bodies()
