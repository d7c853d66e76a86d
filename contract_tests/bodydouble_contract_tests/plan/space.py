"""Options of a request: the values worth a call, each with the contract elements that it proves."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from bodydouble_spec import Evidence

from bodydouble_contract_tests.schema import NOTHING

__all__ = ["MINIMAL", "Factor", "Option", "Pairs", "Row", "Space", "covering_rows", "split_unsure"]


@dataclass(frozen=True, slots=True)
class Option:
    """One value for a place of the request (NOTHING: the property is left out), with a readable name.

    ``covers`` are the contract elements that it proves when the call succeeds, ``evidence`` is the evidence that the value is allowed.
    ``is_filler`` allows the value in calls that are made for another value.
    """

    label: str
    value: Any
    covers: tuple[str, ...] = ()
    evidence: Evidence = Evidence.DOCUMENTED
    is_filler: bool = True

    @property
    def is_sure(self) -> bool:
        """True when the value is documented or observed to be allowed."""
        return self.evidence in {Evidence.DOCUMENTED, Evidence.OBSERVED}


@dataclass(frozen=True, slots=True)
class Factor:
    """A property of the request and its options: the simplest value first, the absence of the property last."""

    name: str
    options: tuple[Option, ...]

    @property
    def usual(self) -> Option:
        """The absence of the property where it is optional, else its simplest value."""
        return next((option for option in self.options if option.value is NOTHING), self.options[0])


Choice = Mapping[str, Option]
"""An option for each factor, by the factor's name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request: the options in it, the resulting value, its price in pictures, and a name."""

    name: str
    chosen: Choice
    value: Any
    images: int

    @property
    def covers(self) -> tuple[str, ...]:
        """The elements that the request proves."""
        return tuple(dict.fromkeys(element for option in self.chosen.values() for element in option.covers))


@dataclass(frozen=True, slots=True)
class Space:
    """All combinations of options at one place of the request.

    ``conforms`` tells whether a value is allowed there, ``images`` returns its price. With ``is_whole``, the value is that of the only
    factor, not an object with the factors as its properties.
    """

    factors: tuple[Factor, ...]
    conforms: Callable[[Any], bool]
    images: Callable[[Any], int] = field(default=lambda _: 1)
    is_whole: bool = False

    def value(self, chosen: Choice) -> Any:
        """Return the value of a choice of options."""
        if self.is_whole:
            return next(iter(chosen.values())).value
        return {name: option.value for name, option in chosen.items() if option.value is not NOTHING}

    def row(self, name: str, chosen: Choice) -> Row | None:
        """Return a choice as a request; None where the contract does not allow it."""
        value = self.value(chosen)
        return Row(name, chosen, value, self.images(value)) if self.conforms(value) else None


def needed_options(options: Iterable[Option], covered: Iterable[str] = ()) -> list[Option]:
    """Return as few options as prove every element that any of them proves, except those that are already covered."""
    candidates = list(options)
    uncovered = {element for option in candidates for element in option.covers} - set(covered)
    needed: list[Option] = []
    while uncovered:
        best = max(candidates, key=lambda option: len(uncovered.intersection(option.covers)))
        needed.append(best)
        uncovered.difference_update(best.covers)
    return needed


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
