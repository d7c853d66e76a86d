"""Strategies for numbers: both bounds exactly, and whole and fractional numbers between them."""

import math

from bodydouble_spec.schema import SchemaView
from hypothesis import strategies as st

__all__ = ["bounds", "numbers"]

# The range that every JSON library reads without loss.
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**63 - 1
# Beyond this, a fraction times a count is not exact.
_MOST_MULTIPLE = 2**50
_FORMAT_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (_LEAST_INTEGER, _MOST_INTEGER)}


def bounds(view: SchemaView, *, whole: bool) -> tuple[float | None, float | None]:
    """Return the least and the greatest number that conform, each None where there is no bound.

    For fractions, an exclusive bound becomes the next float.
    """
    limits = view.limits
    least, most = limits.get("minimum"), limits.get("maximum")
    if whole:
        least = None if least is None else math.ceil(least)
        most = None if most is None else math.floor(most)
    if "exclusiveMinimum" in limits:
        above = limits["exclusiveMinimum"]
        above = math.floor(above) + 1 if whole else math.nextafter(above, math.inf)
        least = above if least is None else max(least, above)
    if "exclusiveMaximum" in limits:
        below = limits["exclusiveMaximum"]
        below = math.ceil(below) - 1 if whole else math.nextafter(below, -math.inf)
        most = below if most is None else min(most, below)
    for name in view.values("format") if whole else ():
        if name in _FORMAT_BOUNDS:
            low, high = _FORMAT_BOUNDS[name]
            least, most = low if least is None else max(least, low), high if most is None else min(most, high)
    return least, most


def numbers(view: SchemaView, *, whole: bool) -> st.SearchStrategy[int | float] | None:
    """Return a strategy for numbers with the view's bounds and factors, or None when there are none."""
    factors = view.values("multipleOf")
    whole = whole or (bool(factors) and all(float(factor).is_integer() for factor in factors))
    least, most = bounds(view, whole=whole)
    if least is not None and most is not None and least > most:
        return None
    if factors:
        return _multiples(factors[0], least, most, whole=whole)
    edges = [edge for edge in (least, most) if edge is not None]
    low, high = bounds(view, whole=True)
    low, high = int(_LEAST_INTEGER if low is None else low), int(_MOST_INTEGER if high is None else high)
    choices: list[st.SearchStrategy[int | float]] = []
    if edges:
        choices.append(st.sampled_from(edges))
    if low <= high:
        choices.append(st.integers(low, high))
    if not whole:
        choices.append(st.floats(least, most, allow_nan=False, allow_infinity=False))
    return st.one_of(choices)


def _multiples(
    factor: float, least: float | None, most: float | None, *, whole: bool
) -> st.SearchStrategy[int | float] | None:
    step = int(factor) if whole else factor
    reach = max(1, int(min(_MOST_MULTIPLE, _MOST_MULTIPLE // step)))
    try:
        low = -reach if least is None else math.ceil(least / factor)
        high = reach if most is None else math.floor(most / factor)
    except OverflowError:  # the bound has more multiples than a float can count
        low, high = -reach, reach
    if low > high:
        return None
    edges = sorted({low, high} - {-reach, reach})
    counts = st.one_of(st.sampled_from(edges), st.integers(low, high)) if edges else st.integers(low, high)
    multiples = counts.map(lambda count: count * step)
    if whole:
        return multiples
    # Validators disagree about 2.05 as a multiple of 0.01; only undisputed numbers are used.
    return multiples.filter(lambda number: (number / step).is_integer())
