"""Spend the rest of the budget on combinations: the most new pairs of values for each picture."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from bodydouble_contract_tests._elements import Choice, Factor, Row, Space, needed_options
from bodydouble_contract_tests._planner_rows import simplest_rows

__all__ = ["Pairs"]

# The number of pairs to extend to a request, of which the best is taken; more hardly improve it.
_MOST_SEEDS = 40


class Pairs:
    """The pairs of values of two properties in one space, and the requests that prove them.

    Of each property, as many values take part as prove its elements, its absence among them. ``names`` are the allowed pairs, in document order.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        found = simplest_rows(space)
        factors = [
            Factor(factor.name, tuple(needed_options(o for o in factor.options if (factor.name, o.label) in found)))
            for factor in space.factors
        ]
        self._varied = [factor for factor in factors if len(factor.options) > 1]
        self._seeds: dict[str, tuple[Row, set[str]]] = {}
        for one, other in combinations(self._varied, 2):
            for first in one.options:
                base = found[one.name, first.label].chosen
                for second in other.options:
                    name = _name(first.label, second.label)
                    row = space.row(name, {**base, one.name: first, other.name: second})
                    if row is not None:
                        self._seeds[name] = row, {one.name, other.name}
        self.names = tuple(self._seeds)

    def of(self, chosen: Choice) -> set[str]:
        """Return the pairs in one request."""
        labels = [chosen[factor.name].label for factor in self._varied]
        return {_name(one, other) for one, other in combinations(labels, 2)} & self._seeds.keys()

    def rows(self, seen: Iterable[str], images: int) -> Iterator[tuple[Row, tuple[str, ...]]]:
        """Yield requests up to a total price, each with the new pairs in it; the most pairs for each picture first.

        The budget decides only how many requests there are: a larger one yields the same requests and further ones.
        """
        known = set(seen)
        missing = dict.fromkeys(name for name in self.names if name not in known)
        while missing:
            made = (self._grow(name, missing) for name in list(missing)[:_MOST_SEEDS])
            row = max(made, key=lambda row: self._gain(row, missing))
            images -= row.images
            if images < 0:
                return
            contained = self.of(row.chosen)
            new = tuple(name for name in missing if name in contained)
            yield row, new
            for name in new:
                del missing[name]

    def _grow(self, name: str, missing: dict[str, None]) -> Row:
        """Return a request with the pair, extended by the values that add the most new pairs."""
        row, fixed = self._seeds[name]
        for factor in self._varied:
            if factor.name not in fixed:
                made = [self._space.row(name, {**row.chosen, factor.name: option}) for option in factor.options]
                row = max([row, *(one for one in made if one)], key=lambda one: self._gain(one, missing))
        return row

    def _gain(self, row: Row, missing: dict[str, None]) -> float:
        return len(self.of(row.chosen) & missing.keys()) / row.images


def _name(one: str, other: str) -> str:
    return f"pair {one} x {other}"
