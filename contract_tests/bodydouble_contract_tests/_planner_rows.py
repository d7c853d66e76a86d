"""Find the fewest requests, and the fewest pictures, that prove every element."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_contract_tests._elements import Choice, Factor, Option, Row, Space, needed_options

__all__ = ["MINIMAL", "covering_rows", "simplest_rows", "split_unsure"]

MINIMAL = "minimal"
"""The name of the request that leaves out whatever may be left out."""


def simplest_rows(space: Space) -> dict[tuple[str, str], Row]:
    """Map each option, by the names of factor and option, to the simplest request with it; options without a valid request are left out.

    The simplest request leaves out all optional properties. Where the contract does not allow that, or not with the option, it has every property,
    or one other value.
    """
    found: dict[tuple[str, str], Row] = {}
    for factor in space.factors:
        for option in factor.options:
            made = (space.row(option.label, {**base, factor.name: option}) for base in _bases(space, factor.name))
            simplest = next((row for row in made if row is not None), None)
            if simplest is not None:
                found[factor.name, option.label] = simplest
    return found


def _bases(space: Space, name: str) -> Iterator[Choice]:
    minimal = {factor.name: factor.usual for factor in space.factors}
    full = {factor.name: factor.options[0] for factor in space.factors}
    yield from (minimal, full)
    for factor in space.factors:
        if factor.name != name:
            yield from ({**base, factor.name: option} for base in (minimal, full) for option in factor.options)


def split_unsure(space: Space, is_known: Callable[[Any], bool]) -> tuple[Space, list[tuple[Row, Option]]]:
    """Return the space with sure options only, and each unsure option with a request of its own.

    An option whose request is not known to be carried out is in neither.
    """
    found = simplest_rows(space)
    factors: list[Factor] = []
    unsure: list[tuple[Row, Option]] = []
    for factor in space.factors:
        kept: list[Option] = []
        for option in factor.options:
            simplest = found.get((factor.name, option.label))
            if simplest is None or not is_known(simplest.value):
                continue
            if option.is_sure:
                kept.append(option)
            else:
                unsure.append((simplest, option))
        factors.append(replace(factor, options=tuple(kept)) if kept else factor)
    return replace(space, factors=tuple(factors)), unsure


def covering_rows(space: Space, *, costly_last: bool = False) -> list[Row]:
    """Return requests that prove every element of the valid options, the minimal request first where it is allowed.

    Their number is that of the factor that needs the most requests, plus one for the minimal one. The costly options of the other factors go into the
    last requests. With ``costly_last`` they come after everything else: the total is higher, but most elements cost less.
    """
    return _RowSelection(space, costly_last=costly_last).rows()


class _RowSelection:
    def __init__(self, space: Space, *, costly_last: bool) -> None:
        self._space = space
        self._costly_last = costly_last
        self._simplest = simplest_rows(space)
        self._used: Counter[str] = Counter()
        self._factors = {
            factor.name: [option for option in factor.options if (factor.name, option.label) in self._simplest]
            for factor in space.factors
        }

    def rows(self) -> list[Row]:
        first = self._space.row(MINIMAL, {factor.name: factor.usual for factor in self._space.factors})
        rows = [] if first is None else [first]
        covered = () if first is None else first.covers
        pending = {
            name: self._by_price(name, needed_options(options, covered)) for name, options in self._factors.items()
        }
        self._used.update(option.label for row in rows for option in row.chosen.values())
        while any(pending.values()):
            row = self._next(pending)
            rows.append(row)
            self._used.update(option.label for option in row.chosen.values())
            for name, option in row.chosen.items():
                if option in pending.get(name, ()):
                    pending[name].remove(option)
        return rows

    def _next(self, pending: dict[str, list[Option]]) -> Row:
        """Return a request with as many pending options as fit together, filled up with the options used least so far."""
        due = self._due(pending)
        by_need = sorted(self._space.factors, key=lambda factor: -len(due[factor.name]))
        seed = due[by_need[0].name][0]
        row = self._simplest[by_need[0].name, seed.label]
        for factor in by_need[1:]:
            row = self._extend(row, factor, due[factor.name])
        return row

    def _due(self, pending: dict[str, list[Option]]) -> dict[str, list[Option]]:
        """Return the pending options, without the costly ones as long as they can go with later calls."""
        remaining = max(map(len, pending.values()))
        cheap = {
            name: [option for option in options if not self._is_costly(name, option)]
            for name, options in pending.items()
        }
        if self._costly_last:
            return cheap if any(cheap.values()) else pending
        return {name: options if len(options) >= remaining else cheap[name] for name, options in pending.items()}

    def _extend(self, row: Row, factor: Factor, waiting: Sequence[Option]) -> Row:
        """Return the request with the first waiting option that is allowed, or with another option at the same price."""
        for option in waiting:
            with_it = self._space.row(row.name, {**row.chosen, factor.name: option})
            if with_it is not None:
                return with_it
        fillers = [option for option in self._factors[factor.name] if option.is_filler]
        others = sorted(fillers, key=lambda option: self._used[option.label])
        for option in others:
            with_it = self._space.row(row.name, {**row.chosen, factor.name: option})
            if with_it is not None and with_it.images <= row.images:
                return with_it
        return row

    def _by_price(self, name: str, options: Sequence[Option]) -> list[Option]:
        return sorted(options, key=lambda option: self._simplest[name, option.label].images)

    def _is_costly(self, name: str, option: Option) -> bool:
        prices = [self._simplest[name, other.label].images for other in self._factors[name]]
        return self._simplest[name, option.label].images > min(prices)
