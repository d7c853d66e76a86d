"""Strategies whose description stays short: Hypothesis writes out what it draws from, and warns when that is long."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from hypothesis import strategies as st

__all__ = ["choice", "described"]

T = TypeVar("T")


class _Pool(Generic[T]):
    """Values by number."""

    def __init__(self, values: Sequence[T]) -> None:
        self._values = values

    def __call__(self, number: int) -> T:
        return self._values[number]

    def __repr__(self) -> str:
        return f"<one of {len(self._values)} values>"


def choice(values: Sequence[T]) -> st.SearchStrategy[T]:
    """One of the values; shrinks to the first."""
    return st.sampled_from(range(len(values))).map(_Pool(values))


def described(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """The same strategy without the description of all that is in it."""

    @st.composite
    def bodies(draw: Callable[[st.SearchStrategy[T]], T]) -> T:
        return draw(strategy)

    return bodies()
