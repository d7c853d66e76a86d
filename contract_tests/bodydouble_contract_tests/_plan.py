"""What a verification is going to do, and what that costs: known before the first call."""

from dataclasses import dataclass, field

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._check import Check

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls of a verification, in their order.

    ``free`` are calls that cost nothing unless the server errs; ``paid`` prove the contract's elements with the fewest pictures, then what the rest of
    the budget buys; ``unpaid`` come on top where nothing is charged (repeated calls, prompts that nobody should send for money).
    ``elements`` are the contract elements there are to cover; ``unbought`` says, for each id that the budget or the caller left out, why.
    """

    checks: tuple[Check, ...]
    free: tuple[Case, ...]
    paid: tuple[Case, ...]
    unpaid: tuple[Case, ...] = ()
    elements: tuple[str, ...] = ()
    unbought: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def images(self) -> int:
        """Pictures that the paid calls cost."""
        return sum(case.images * case.repeats for case in self.paid)

    @property
    def calls(self) -> tuple[Case, ...]:
        """Every call in its order."""
        return (*self.free, *self.paid, *self.unpaid)
