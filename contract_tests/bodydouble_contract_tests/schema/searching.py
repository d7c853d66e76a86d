"""Searching for values that meet a condition, without an error of Hypothesis where few or none do."""

from collections.abc import Callable
from random import Random
from typing import Any, Final, TypeVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

__all__ = ["NOTHING", "Nothing", "first_of", "satisfying", "satisfying_any"]

T = TypeVar("T")
_ATTEMPTS = 6
_EXAMPLES = 500
_HEALTH = (
    hypothesis.HealthCheck.too_slow,
    hypothesis.HealthCheck.data_too_large,
    hypothesis.HealthCheck.filter_too_much,
    hypothesis.HealthCheck.large_base_example,
    hypothesis.HealthCheck.nested_given,
)
_EXAMPLES_UNREDUCED = 100


class Nothing:
    """The absence of a value, which is not null."""


NOTHING: Final = Nothing()


def first_of(
    strategy: st.SearchStrategy[T], condition: Callable[[T], bool], *, is_simplest: bool = True
) -> T | Nothing:
    """Return a value of a strategy that meets a condition, always the same one, or NOTHING when none is found.

    With ``is_simplest`` it is the simplest one; without, the first of a few, which takes far less time.
    """
    settings = hypothesis.settings(
        max_examples=_EXAMPLES if is_simplest else _EXAMPLES_UNREDUCED,
        phases=[*hypothesis.Phase] if is_simplest else [hypothesis.Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=_HEALTH,
    )
    try:
        return hypothesis.find(strategy, condition, settings=settings, random=Random(0))  # noqa: S311 - always the same
    except (HypothesisException, RecursionError):
        return NOTHING


def satisfying(strategy: st.SearchStrategy[T], condition: Callable[[T], bool], otherwise: T) -> st.SearchStrategy[T]:
    """Return a strategy for the values that meet a condition; where several in a row do not, it gives ``otherwise``, which does.

    A filter would give up instead, with an error of Hypothesis when that happens often.
    """

    @st.composite
    def values(draw: Callable[[Any], T]) -> T:
        for _ in range(_ATTEMPTS):
            value = draw(strategy)
            if condition(value):
                return value
        return otherwise

    return values()


def satisfying_any(
    strategy: st.SearchStrategy[T], condition: Callable[[T], bool], *, is_simplest: bool = True
) -> st.SearchStrategy[T] | None:
    """Return a strategy for the values that meet a condition, or None when `first_of` finds none."""
    found = first_of(strategy, condition, is_simplest=is_simplest)
    return None if isinstance(found, Nothing) else satisfying(strategy, condition, found)
