"""The highest price of a call before it is sent, and its charge after it."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from bodydouble_mockserver.endpoints import HandledRequest, names_of
from bodydouble_spec import Contract, Evidence, is_object
from bodydouble_spec.selection import limited_values

from bodydouble_contract_tests.model import Case, ExpectedOutcome, OperationProfile
from bodydouble_contract_tests.run import NO_CHARGE, Charge, charge_of
from bodydouble_contract_tests.target import Received

__all__ = ["Price", "PriceList"]

_MOST_IMAGES = 100
# Methods that only read.
_FREE = frozenset(("GET", "HEAD", "OPTIONS"))
_MODEL = "model"


class Price(NamedTuple):
    """The highest price of a call: its pictures and what one costs; ``unknown`` says why there is none, empty where it is known."""

    images: int
    usd_per_image: float
    profile: OperationProfile | None = None
    unknown: str = ""

    @property
    def usd(self) -> float:
        """The amount to reserve."""
        return self.images * self.usd_per_image

    def charge(self, received: Received, answer: Any) -> Charge:
        """Return the charge of the call; ``answer`` is the parsed body of its answer."""
        if self.profile is None:
            return NO_CHARGE
        case = Case(
            "proxied", "valid-accepted", None, ExpectedOutcome.SURVIVED, Evidence.DOCUMENTED, images=self.images
        )
        return charge_of(self.profile, case, received, answer, self.usd_per_image)


class PriceList:
    """The prices of the calls of some contracts; ``price_usd`` is that of a picture where it replaces the contracts' own."""

    def __init__(self, contracts: Sequence[Contract], price_usd: float | None = None) -> None:
        self._price_usd = price_usd
        self._profiles = {
            (operation.key, name): OperationProfile(contract, operation)
            for contract, name in zip(contracts, names_of(contracts), strict=True)
            for operation in contract.operations
        }

    def profile(self, handled: HandledRequest) -> OperationProfile | None:
        """Return the profile of the operation that a request is for; None for a route of no contract."""
        if handled.operation is None:
            return None
        named = self._profiles.get((handled.operation, handled.contract))
        return named or next((item for (key, _), item in self._profiles.items() if key == handled.operation), None)

    def price(self, handled: HandledRequest) -> Price:
        """Return the highest price of a call."""
        profile = self.profile(handled)
        if handled.method in _FREE and profile is None:
            return Price(0, 0.0)
        if profile is None:
            return Price(
                0,
                0.0,
                None,
                f"{handled.method} {handled.path} is not in a contract; add its contract (--contract FILE)",
            )
        has_key = bool(handled.checked.key) or not profile.operation.is_authenticated
        images = _worst_images(profile, handled.intake.parsed) if has_key else 0
        price = profile.usd_per_image if self._price_usd is None else self._price_usd
        if price is None:
            if handled.method in _FREE:
                return Price(0, 0.0, profile)
            return Price(
                0, 0.0, profile, f"{profile.operation.key} has no price in its contract; give it (--price-usd USD)"
            )
        other = _other_model(profile, handled.intake.parsed) if self._price_usd is None else None
        if other is not None:
            return Price(
                0, 0.0, profile, f"the model {other!r:.100} is not in a contract; add its contract (--contract FILE)"
            )
        return Price(images, price, profile)


def _worst_images(profile: OperationProfile, body: Any) -> int:
    """Return the highest number of pictures that a request can cost: a wrong count may be accepted after all."""
    name = profile.names.count
    if name is None or not is_object(body) or name not in body:
        return profile.images_asked(body)
    count = body[name]
    try:
        number = float(count) if isinstance(count, int | float | str) and not isinstance(count, bool) else math.inf
    except (ValueError, OverflowError):
        number = math.inf
    if math.isfinite(number):
        return int(min(max(1, math.ceil(number)), _MOST_IMAGES))
    bounds = [value for value in profile.properties[name].values("maximum") if isinstance(value, int | float)]
    return int(max((*bounds, 1)))


def _other_model(profile: OperationProfile, body: Any) -> str | None:
    """Return the model of a request that is none of the contract's; another model has another price."""
    sent = body.get(_MODEL) if is_object(body) else None
    known = limited_values(profile.operation).get(_MODEL)
    return sent if isinstance(sent, str) and known and sent not in known.values() else None
