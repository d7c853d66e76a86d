"""The fewest requests, and the fewest pictures, that prove every element."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_contract_tests._elements import Choice, Factor, Option, Row, Space, needed_options

__all__ = ["PLAINEST", "apart", "cover", "homes"]

PLAINEST = "minimal"
"""The name of the request that leaves out whatever may be left out."""


def homes(space: Space) -> dict[tuple[str, str], Row]:
    """For each option the plainest request with it, by the names of factor and option; an option that no such request can have is left out.

    The plainest request leaves out all that may be left out. Where the contract does not allow that, or not with the option, it has
    every property, or one other value.
    """
    found: dict[tuple[str, str], Row] = {}
    for factor in space.factors:
        for option in factor.options:
            made = (space.row(option.label, {**base, factor.name: option}) for base in _bases(space, factor.name))
            home = next((row for row in made if row is not None), None)
            if home is not None:
                found[factor.name, option.label] = home
    return found


def _bases(space: Space, name: str) -> Iterator[Choice]:
    minimal = {factor.name: factor.usual for factor in space.factors}
    full = {factor.name: factor.options[0] for factor in space.factors}
    yield from (minimal, full)
    for factor in space.factors:
        if factor.name != name:
            yield from ({**base, factor.name: option} for base in (minimal, full) for option in factor.options)


def apart(space: Space, is_known: Callable[[Any], bool]) -> tuple[Space, list[tuple[Row, Option]]]:
    """The space without what may fail, and each unsure option with a request of its own.

    A value of a request that is not known to be carried out is in neither.
    """
    found = homes(space)
    factors: list[Factor] = []
    solos: list[tuple[Row, Option]] = []
    for factor in space.factors:
        kept: list[Option] = []
        for option in factor.options:
            home = found.get((factor.name, option.label))
            if home is None or not is_known(home.value):
                continue
            if option.is_sure:
                kept.append(option)
            else:
                solos.append((home, option))
        factors.append(replace(factor, options=tuple(kept)) if kept else factor)
    return replace(space, factors=tuple(factors)), solos


def cover(space: Space, *, is_apart: bool = False) -> list[Row]:
    """Requests that prove every element of the options that can be had, the plainest request first where it is allowed.

    There are as many as the factor needs that needs the most, and one for the plainest. Each other factor's dearer options stand in the
    last ones. With ``is_apart`` they come after everything else: that costs more in all, but less until then.
    """
    return _Cover(space, is_apart=is_apart).rows()


class _Cover:
    def __init__(self, space: Space, *, is_apart: bool) -> None:
        self._space = space
        self._is_apart = is_apart
        self._homes = homes(space)
        self._used: Counter[str] = Counter()
        self._factors = {
            factor.name: [option for option in factor.options if (factor.name, option.label) in self._homes]
            for factor in space.factors
        }

    def rows(self) -> list[Row]:
        first = self._space.row(PLAINEST, {factor.name: factor.usual for factor in self._space.factors})
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
        """One request with as many pending options as go together, and elsewhere the options least seen so far."""
        due = self._due(pending)
        by_need = sorted(self._space.factors, key=lambda factor: -len(due[factor.name]))
        seed = due[by_need[0].name][0]
        row = self._homes[by_need[0].name, seed.label]
        for factor in by_need[1:]:
            row = self._extend(row, factor, due[factor.name])
        return row

    def _due(self, pending: dict[str, list[Option]]) -> dict[str, list[Option]]:
        """The pending options without the dear ones, as long as there are calls to come that these can go with."""
        remaining = max(map(len, pending.values()))
        cheap = {
            name: [option for option in options if not self._is_dear(name, option)] for name, options in pending.items()
        }
        if self._is_apart:
            return cheap if any(cheap.values()) else pending
        return {name: options if len(options) >= remaining else cheap[name] for name, options in pending.items()}

    def _extend(self, row: Row, factor: Factor, waiting: Sequence[Option]) -> Row:
        """The request with the first waiting option that is allowed, or another one that does not make it dearer."""
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
        return sorted(options, key=lambda option: self._homes[name, option.label].images)

    def _is_dear(self, name: str, option: Option) -> bool:
        prices = [self._homes[name, other.label].images for other in self._factors[name]]
        return self._homes[name, option.label].images > min(prices)
