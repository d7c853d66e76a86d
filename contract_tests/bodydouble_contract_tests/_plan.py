"""The plan of a verification: its calls and their cost."""

from dataclasses import dataclass, field

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._check import Check

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls of a verification, in order.

    ``free`` calls cost nothing unless the server errs. ``paid`` calls prove the elements of the contract with the fewest pictures, then use the rest of
    the budget. ``unpaid`` calls are added where nothing costs money (repeated calls, odd prompts). ``elements`` are the contract elements to
    prove, and ``unbought`` gives the reason for each id that the budget or the caller left out.
    """

    checks: tuple[Check, ...]
    free: tuple[Case, ...]
    paid: tuple[Case, ...]
    unpaid: tuple[Case, ...] = ()
    elements: tuple[str, ...] = ()
    unbought: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def images(self) -> int:
        """The number of pictures that the paid calls cost."""
        return sum(case.images * case.repeats for case in self.paid)

    @property
    def calls(self) -> tuple[Case, ...]:
        """Every call in order."""
        return (*self.free, *self.paid, *self.unpaid)
