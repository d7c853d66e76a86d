"""Options of a request: the values worth a call, each with the contract elements that it proves."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bodydouble_spec import Evidence, is_array

from bodydouble_contract_tests.schema import NOTHING

__all__ = ["MINIMAL", "NO_BODY", "Factor", "Option", "Row", "Space", "Split", "simplest_rows", "split_unsure"]


@dataclass(frozen=True, slots=True)
class Option:
    """One value for a place of the request (NOTHING: the property is left out), with a readable name.

    ``covers`` are the contract elements that it proves when the call succeeds, ``evidence`` is the evidence that the value is allowed.
    ``is_filler`` allows the value in calls that are made for another value. ``others`` are further values of the same kind, which may stand in its place.
    """

    label: str
    value: Any
    covers: tuple[str, ...] = ()
    evidence: Evidence = Evidence.DOCUMENTED
    is_filler: bool = True
    others: tuple[Any, ...] = ()

    @property
    def key(self) -> str:
        """The first element that it proves, else its name: options with one key differ in spelling only."""
        return self.covers[0] if self.covers else self.label

    def at(self, turn: int) -> Any:
        """Return the value, or another of its kind, in turn."""
        return (self.value, *self.others)[turn % (1 + len(self.others))]

    @property
    def is_sure(self) -> bool:
        """True when the value is documented or observed to be allowed."""
        return self.evidence in {Evidence.DOCUMENTED, Evidence.OBSERVED}


@dataclass(frozen=True, slots=True)
class Factor:
    """A property of the request and its options: the simplest value first, the absence of the property last.

    With ``length_of``, the options are lengths of the list in the factor with that name.
    """

    name: str
    options: tuple[Option, ...]
    length_of: str | None = None

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

    def row(self, name: str, chosen: Choice, turns: Mapping[str, int] | None = None) -> Row | None:
        """Return a choice as a request; None where the contract does not allow it.

        ``turns`` says, by the name of a factor, which of the values of its option is meant (the first one by default).
        """
        value = self._value(chosen, turns or {})
        return Row(name, chosen, value, self.images(value)) if value is not NOTHING and self.conforms(value) else None

    def _value(self, chosen: Choice, turns: Mapping[str, int]) -> Any:
        values = {name: option.at(turns.get(name, 0)) for name, option in chosen.items()}
        if self.is_whole:
            return next(iter(values.values()), NOTHING)
        for factor in self.factors:
            if factor.length_of is not None:
                length = values.pop(factor.name)
                holder = chosen[factor.length_of]
                if not is_array(holder.value) or not holder.value:
                    # A list that is not there has no length to vary.
                    if length != factor.usual.value:
                        return NOTHING
                    continue
                start = turns.get(factor.length_of, 0)
                items = [item for number in range(1 + len(holder.others)) for item in holder.at(start + number)]
                values[factor.length_of] = [items[number % len(items)] for number in range(length)]
        return {name: value for name, value in values.items() if value is not NOTHING}


NO_BODY = Space((Factor("body", (Option("no body", None),)),), lambda _: True, is_whole=True)
"""The one request of an operation that takes no body."""

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


class Split(NamedTuple):
    """A space, divided by what is known of its options.

    ``sure`` has only options whose outcome is documented or observed, ``unsure`` each other option with a request of its own, and ``unspecified`` maps
    factors to the options whose outcome is not specified.
    """

    sure: Space
    unsure: list[tuple[Row, Option]]
    unspecified: dict[str, tuple[Option, ...]]


def split_unsure(space: Space, is_known: Callable[[Any], bool]) -> Split:
    """Divide the options of a space; ``is_known`` tells whether the outcome of a request is specified."""
    found = simplest_rows(space)
    factors: list[Factor] = []
    unsure: list[tuple[Row, Option]] = []
    unspecified: dict[str, tuple[Option, ...]] = {}
    for factor in space.factors:
        kept: list[Option] = []
        for option in factor.options:
            simplest = found.get((factor.name, option.label))
            if simplest is None:
                continue
            if not is_known(simplest.value):
                unspecified[factor.name] = (*unspecified.get(factor.name, ()), option)
            elif option.is_sure:
                kept.append(option)
            else:
                unsure.append((simplest, option))
        factors.append(replace(factor, options=tuple(kept)) if kept else factor)
    return Split(replace(space, factors=tuple(factors)), unsure, unspecified)
