"""The spending limit of a verification, its plan for that money, and reasons to buy nothing."""

import math
from collections.abc import Collection, Sequence

from bodydouble_spec import is_success

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import ExpectedOutcome, Observation, OperationProfile, Plan
from bodydouble_contract_tests.plan import make_plan

__all__ = [
    "payment_objection",
    "plan_verification",
    "spending_limit_of",
]

DEFAULT_MAX_USD = 0.75


class SpendingLimit:
    """The money that a run may spend: ``max_usd`` in total, at ``usd_per_image`` a picture."""

    def __init__(self, max_usd: float, usd_per_image: float) -> None:
        self.max_usd = max_usd
        self.usd_per_image = usd_per_image

    @property
    def max_images(self) -> int:
        """The number of pictures that this pays for."""
        return math.floor(self.max_usd / self.usd_per_image + 1e-6)


def spending_limit_of(
    profile: OperationProfile, *, billed: bool, max_usd: float | None, price_usd: float | None
) -> SpendingLimit | None:
    """Return the spending limit; None where nothing costs money.

    Raises CannotVerify when the price is needed and unknown, or when an amount is not valid.
    """
    if not billed:
        if max_usd is not None:
            raise CannotVerify(
                "a budget (max_usd) was given for a server whose calls are free; mark the run as live if they cost money"
            )
        return None
    limit = DEFAULT_MAX_USD if max_usd is None else max_usd
    price = profile.usd_per_image if price_usd is None else price_usd
    if not (math.isfinite(limit) and limit >= 0):
        raise CannotVerify(f"the budget (max_usd) is {limit}; it takes US dollars, 0 or more")
    if price is None:
        raise CannotVerify("the contract has no price; give the price of one picture in US dollars (price_usd)")
    if not (math.isfinite(price) and price > 0):
        raise CannotVerify(f"the price of a picture (price_usd) is {price}; it takes US dollars above 0")
    return SpendingLimit(limit, price)


def plan_verification(
    profile: OperationProfile,
    *,
    billed: bool = False,
    max_usd: float | None = None,
    price_usd: float | None = None,
    only: Collection[str] | None = None,
    image_url: str | None = None,
) -> Plan:
    """Return the plan of `verify` for these arguments, with its cost; nothing is sent.

    ``billed`` is True for the real API (`is_billed`, or the caller's decision): then ``max_usd`` (default 0.75) limits the plan. ``only`` are ids of
    checks, ``image_url`` is the input picture to send. Raises CannotVerify.
    """
    spending_limit = spending_limit_of(profile, billed=billed, max_usd=max_usd, price_usd=price_usd)
    max_images = None if spending_limit is None else spending_limit.max_images
    try:
        return make_plan(profile, is_billed=billed, max_images=max_images, image_url=image_url, only=only)
    except ValueError as error:
        raise CannotVerify(str(error)) from error


def payment_objection(observations: Sequence[Observation]) -> str | None:
    """Return the reason against paid calls, or None.

    A server that carries out calls without a valid key, or accepts more than half of the invalid requests, does not match the contract; pictures
    bought there prove nothing.
    """
    if any(item.case.expectation is ExpectedOutcome.UNAUTHORIZED and is_success(item.status) for item in observations):
        return "a call without a valid key was carried out; no money was spent"
    probes = [item for item in observations if item.case.expectation is ExpectedOutcome.REFUSED]
    refused = sum(item.status is not None and 400 <= item.status < 500 for item in probes)
    if refused * 2 < len(probes):
        return f"only {refused} of {len(probes)} invalid requests were refused; no money was spent"
    return None
