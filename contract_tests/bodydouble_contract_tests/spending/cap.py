"""The limits of several budgets at once: a call is made only when each of them allows it."""

from collections.abc import Callable
from dataclasses import dataclass

from bodydouble_contract_tests.spending.budget import Budget, Reservation
from bodydouble_contract_tests.spending.ledger import DayLedger

__all__ = ["Hold", "SpendingCap"]


@dataclass(frozen=True, slots=True)
class Hold:
    """The reservations for one call that is under way."""

    run: Reservation
    key: tuple[Budget, Reservation] | None
    entry: str | None


class SpendingCap:
    """The spending limits of one proxy: of the run, of each key, and of the day, in US dollars.

    Not thread-safe: reservations are made on one thread. ``refusal`` of `reserve` says which limit is reached.
    """

    def __init__(self, run: Budget, max_usd_per_key: float | None = None, day: DayLedger | None = None) -> None:
        self.run = run
        self._max_usd_per_key = max_usd_per_key
        self._day = day
        self._keys: dict[str, Budget] = {}

    def reserve(self, usd: float, key: str) -> Hold | str:
        """Reserve an amount in each budget, or return the sentence that says which one is too small."""
        run = self.run.reserve_usd(usd)
        if run is None:
            return _words("this run", usd, self.run.max_usd, self.run.left_usd, "--max-usd")
        undo: list[Callable[[], None]] = [lambda: self.run.settle(run, 0.0)]
        of_key = None
        if self._max_usd_per_key is not None:
            budget = self._keys.setdefault(key, Budget(self._max_usd_per_key))
            reservation = budget.reserve_usd(usd)
            if reservation is None:
                undo[0]()
                return _words("this key", usd, budget.max_usd, budget.left_usd, "--max-usd-per-key")
            of_key = (budget, reservation)
        entry = None
        if self._day is not None and usd > 0:
            entry = self._day.reserve(usd)
            if entry is None:
                undo[0]()
                if of_key is not None:
                    of_key[0].settle(of_key[1], 0.0)
                left = max(0.0, self._day.max_usd - self._day.spent_usd())
                return _words("this day (UTC)", usd, self._day.max_usd, left, "--max-usd-per-day")
        return Hold(run, of_key, entry)

    def settle(self, hold: Hold, charged_usd: float) -> None:
        """Release the reservations of a call and count its charge in each budget."""
        self.run.settle(hold.run, charged_usd)
        if hold.key is not None:
            hold.key[0].settle(hold.key[1], charged_usd)
        if self._day is not None and hold.entry is not None:
            self._day.settle(hold.entry, charged_usd)

    def close(self) -> None:
        """Close the ledger; may be called again."""
        if self._day is not None:
            self._day.close()


def _words(what: str, usd: float, max_usd: float, left_usd: float, option: str) -> str:
    return (
        f"the call may cost {usd:.3f} USD, and {left_usd:.3f} of the {max_usd:.3f} USD for {what} are left; "
        f"it was not sent; raise {option} if you want to pay more"
    )
