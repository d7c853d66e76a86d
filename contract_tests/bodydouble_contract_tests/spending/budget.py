"""Reserve the highest possible price of each call before it is sent, and settle the real price after it."""

from dataclasses import dataclass

__all__ = ["TOLERANCE_USD", "Budget", "Reservation"]

# Sums of prices are not exact; a millionth of a dollar does not matter.
TOLERANCE_USD = 1e-6


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call that is under way."""

    usd: float


class Budget:
    """US dollars for one run: ``spent_usd`` is charged, ``held_usd`` is reserved for calls under way.

    ``usd_per_image`` is the price of a picture. A server that overcharges can push ``spent_usd`` above ``max_usd``; from then on no reservation fits.
    """

    def __init__(self, max_usd: float, usd_per_image: float = 0.0, spent_usd: float = 0.0) -> None:
        self.max_usd = max_usd
        self.usd_per_image = usd_per_image
        self.spent_usd = spent_usd
        self.held_usd = 0.0

    @property
    def left_usd(self) -> float:
        """The amount that can still be reserved, never below 0."""
        return max(0.0, self.max_usd - self.spent_usd - self.held_usd)

    def reserve(self, images: int) -> Reservation | None:
        """Reserve the price of some pictures. Return None when the budget is too small; the call must not be made then."""
        return self.reserve_usd(images * self.usd_per_image)

    def reserve_usd(self, usd: float) -> Reservation | None:
        """Reserve an amount. Return None when the budget is too small; the call must not be made then."""
        if usd > 0 and usd > self.max_usd - self.spent_usd - self.held_usd + TOLERANCE_USD:
            return None
        self.held_usd += usd
        return Reservation(usd)

    def settle(self, reservation: Reservation, charged_usd: float) -> None:
        """Release a reservation and count the charge of the call (0 when it was refused), which may be higher."""
        self.held_usd = max(0.0, self.held_usd - reservation.usd)
        self.spent_usd += charged_usd
