"""What there is to prove of a request: the values worth a call, each with the contract elements that it proves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Evidence

from bodydouble_contract_tests._plain import NOTHING

__all__ = ["Choice", "Factor", "Option", "Row", "Space", "needed_options"]


@dataclass(frozen=True, slots=True)
class Option:
    """One value for a place of the request (NOTHING: the property is left out), by a readable name.

    ``covers`` are the contract elements that it proves when the call succeeds, ``evidence`` is how it is known that the value is allowed.
    ``is_filler`` tells that calls made for something else may have the value too, for variety.
    """

    label: str
    value: Any
    covers: tuple[str, ...] = ()
    evidence: Evidence = Evidence.DOCUMENTED
    is_filler: bool = True

    @property
    def is_sure(self) -> bool:
        """Whether the service itself says, or showed, that the value is allowed."""
        return self.evidence in {Evidence.DOCUMENTED, Evidence.OBSERVED}


@dataclass(frozen=True, slots=True)
class Factor:
    """A property of the request, and the values to choose from: the plainest first, its absence last."""

    name: str
    options: tuple[Option, ...]

    @property
    def usual(self) -> Option:
        """Its absence where it may be left out, else the plainest value."""
        return next((option for option in self.options if option.value is NOTHING), self.options[0])


Choice = Mapping[str, Option]
"""An option for each factor, by the factor's name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request: what was chosen, the value that this makes, its price in pictures, and a name."""

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
    """All that can be combined at one place.

    ``conforms`` tells whether a value is allowed there, ``images`` what it costs. ``is_whole`` tells that the value is that of the one
    factor itself, and not an object with the factors as its properties.
    """

    factors: tuple[Factor, ...]
    conforms: Callable[[Any], bool]
    images: Callable[[Any], int] = field(default=lambda _: 1)
    is_whole: bool = False

    def value(self, chosen: Choice) -> Any:
        """The value that a choice makes."""
        if self.is_whole:
            return next(iter(chosen.values())).value
        return {name: option.value for name, option in chosen.items() if option.value is not NOTHING}

    def row(self, name: str, chosen: Choice) -> Row | None:
        """A choice as a request; None where the contract does not allow it."""
        value = self.value(chosen)
        return Row(name, chosen, value, self.images(value)) if self.conforms(value) else None


def needed_options(options: Iterable[Option], covered: Iterable[str] = ()) -> list[Option]:
    """As few of the options as prove every element that any of them proves, except those that are already covered."""
    candidates = list(options)
    uncovered = {element for option in candidates for element in option.covers} - set(covered)
    needed: list[Option] = []
    while uncovered:
        best = max(candidates, key=lambda option: len(uncovered.intersection(option.covers)))
        needed.append(best)
        uncovered.difference_update(best.covers)
    return needed
