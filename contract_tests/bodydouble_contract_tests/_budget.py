"""Money that may be spent: reserved at its worst before a call, settled after it."""

from dataclasses import dataclass

__all__ = ["Budget", "Reservation"]

# Sums of prices are not exact; a millionth of a dollar decides nothing.
_TOLERANCE_USD = 1e-6


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call that is under way."""

    usd: float


class Budget:
    """US dollars for one run: ``spent_usd`` are charged, ``held_usd`` set aside for calls under way.

    Overcharging can make ``spent_usd`` exceed ``max_usd``; from then on no reservation fits.
    """

    def __init__(self, max_usd: float, usd_per_image: float, spent_usd: float = 0.0) -> None:
        self.max_usd = max_usd
        self.usd_per_image = usd_per_image
        self.spent_usd = spent_usd
        self.held_usd = 0.0

    @property
    def left_usd(self) -> float:
        """What can still be reserved, never below 0."""
        return max(0.0, self.max_usd - self.spent_usd - self.held_usd)

    def reserve(self, images: int) -> Reservation | None:
        """Set aside the price of so many pictures; None when it does not fit, and then the call must not be made."""
        usd = images * self.usd_per_image
        if usd > 0 and usd > self.max_usd - self.spent_usd - self.held_usd + _TOLERANCE_USD:
            return None
        self.held_usd += usd
        return Reservation(usd)

    def settle(self, reservation: Reservation, charged_usd: float) -> None:
        """Give a reservation back and count what the call was charged (0 when it was refused), which may be more."""
        self.held_usd = max(0.0, self.held_usd - reservation.usd)
        self.spent_usd += charged_usd
