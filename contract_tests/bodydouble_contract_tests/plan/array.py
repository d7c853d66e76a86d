"""A covering array: requests that prove every option, then requests that prove every pair of options."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from bodydouble_contract_tests.plan.space import MINIMAL, Choice, Factor, Option, Row, Space, simplest_rows

__all__ = ["Pairs", "covering_rows", "varied_rows"]


def _needed_options(options: Iterable[Option], covered: Iterable[str] = ()) -> list[Option]:
    """Return as few options as prove every element that any of them proves, except those that are already covered."""
    candidates = list(options)
    uncovered = {element for option in candidates for element in option.covers} - set(covered)
    needed: list[Option] = []
    while uncovered:
        best = max(candidates, key=lambda option: len(uncovered.intersection(option.covers)))
        needed.append(best)
        uncovered.difference_update(best.covers)
    return needed


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
            name: self._by_price(name, _needed_options(options, covered)) for name, options in self._factors.items()
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


Pair = tuple[str, str]
"""The keys of the options of two factors, in the order of the factors."""

# The pairs to extend to a request, of which the best is taken; more hardly improve it.
_MOST_SEEDS = 8
# Further pairs of a large contract are left out: to find requests for them would take minutes.
_MOST_PAIRS = 4000


class Pairs:
    """The pairs of options of two factors in one space, and the requests that prove them.

    Options that differ in spelling only count as one, in the first spelling. With ``only``, a pair must have one of the options with these keys. ``names`` are the allowed pairs,
    in document order. ``beyond`` is the number of pairs that are left out because there are too many.
    """

    def __init__(self, space: Space, only: Collection[str] | None = None) -> None:
        self._space = space
        found = simplest_rows(space)
        self._varied = [
            factor for factor in (_merged(factor, found) for factor in space.factors) if len(factor.options) > 1
        ]
        self._seeds: dict[Pair, tuple[Row, set[str]]] = {}
        self.beyond = 0
        for one, other in combinations(self._varied, 2):
            for first in one.options:
                for second in other.options:
                    if only is not None and first.key not in only and second.key not in only:
                        continue
                    if len(self._seeds) == _MOST_PAIRS:
                        self.beyond += 1
                        continue
                    bases = found[one.name, first.label].chosen, found[other.name, second.label].chosen
                    made = (
                        space.row(_name((first.key, second.key)), {**base, one.name: first, other.name: second})
                        for base in bases
                    )
                    row = next((row for row in made if row is not None), None)
                    if row is not None:
                        self._seeds[first.key, second.key] = row, {one.name, other.name}
        self.names = tuple(map(_name, self._seeds))

    def of(self, chosen: Choice) -> set[str]:
        """Return the pairs in one request."""
        return {_name(pair) for pair in self._in(chosen) if pair in self._seeds}

    def rows(self, seen: Collection[str] = (), images: int | None = None) -> Iterator[Row]:
        """Yield requests that prove all pairs but those already ``seen``, each time the one with the most new pairs for its price.

        ``images`` is the price of all of them together. It decides only how many requests there are: a larger one yields the same requests and
        further ones.
        """
        missing = {pair: None for pair in self._seeds if _name(pair) not in seen}
        used: Counter[str] = Counter()
        while missing:
            made = [self._grow(pair, missing, used) for pair in list(missing)[:_MOST_SEEDS]]
            row = max(made, key=lambda row: self._gain(row, missing))
            if images is not None:
                images -= row.images
                if images < 0:
                    return
            yield row
            used.update(option.key for option in row.chosen.values())
            for pair in self._in(row.chosen):
                missing.pop(pair, None)

    def _grow(self, pair: Pair, missing: Mapping[Pair, None], used: Counter[str]) -> Row:
        """Return a request with the pair, extended factor by factor by the option that adds the most new pairs for its price."""
        row, fixed = self._seeds[pair]
        decided = [factor.name for factor in self._varied if factor.name in fixed]
        for factor in self._varied:
            if factor.name in fixed:
                continue
            known = {name: row.chosen[name] for name in decided}
            decided.append(factor.name)
            gains = [(self._new_pairs({**known, factor.name: option}, missing), option) for option in factor.options]
            best, most = row, -1.0
            for gain, option in sorted(gains, key=lambda item: (-item[0], used[item[1].key])):
                if gain <= most:
                    break
                extended = self._space.row(row.name, {**row.chosen, factor.name: option})
                if extended is not None and gain / extended.images > most:
                    best, most = extended, gain / extended.images
                    if extended.images <= row.images:
                        break
            row = best
        return row

    def _gain(self, row: Row, missing: Mapping[Pair, None]) -> float:
        return self._new_pairs(row.chosen, missing) / row.images

    def _new_pairs(self, chosen: Choice, missing: Mapping[Pair, None]) -> int:
        return sum(pair in missing for pair in self._in(chosen))

    def _in(self, chosen: Choice) -> Iterator[Pair]:
        keys = [chosen[factor.name].key for factor in self._varied if factor.name in chosen]
        return combinations(keys, 2)


def _merged(factor: Factor, found: Mapping[tuple[str, str], Row]) -> Factor:
    """Return the factor with the first option for each key: a pair is one of values as the contract spells them, and other spellings are tried alone."""
    options: dict[str, Option] = {}
    for option in factor.options:
        if (factor.name, option.label) in found:
            options.setdefault(option.key, option)
    return replace(factor, options=tuple(options.values()))


def _name(pair: Pair) -> str:
    return f"pair {pair[0]} x {pair[1]}"


def varied_rows(space: Space, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the requests with the values of each option in turn, where that changes neither their price nor that they are allowed."""
    used: Counter[str] = Counter()
    for row in rows:
        turns = {name: used[option.key] for name, option in row.chosen.items() if option.others}
        varied = space.row(row.name, row.chosen, turns)
        used.update(option.key for option in row.chosen.values() if option.others)
        yield row if varied is None or varied.images != row.images else varied
