"""Options of a request: the values worth a call, each with the contract elements that it proves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Evidence

from bodydouble_contract_tests._plain import NOTHING

__all__ = ["Choice", "Factor", "Option", "Row", "Space", "needed_options"]


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
