"""The charge of a call: the amount that its answer states, or the documented price where it states none."""

import math
from dataclasses import dataclass
from typing import Any

from bodydouble_contract_tests._case import Case, Credential
from bodydouble_contract_tests._observation import Trouble
from bodydouble_contract_tests._subject import OperationProfile
from bodydouble_contract_tests._target import Received

__all__ = ["NO_CHARGE", "Charge", "charge_of", "worst_images"]

_CREDITS_HEADER = "x-aimlapi-credits-used"
_USD_HEADER = "x-aimlapi-usd-spent"


@dataclass(frozen=True, slots=True)
class Charge:
    """The pictures of a call and their cost; the amounts are 0 where no price is known."""

    images: int = 0
    credits: float = 0.0
    usd: float = 0.0


NO_CHARGE = Charge()


def worst_images(case: Case) -> int:
    """Return the highest number of pictures that one call of a case can cost; 0 without a valid key, since there is no account to charge."""
    return case.images if case.credential is Credential.KEY else 0


def charge_of(profile: OperationProfile, case: Case, received: Received, answer: Any, usd_per_image: float) -> Charge:
    """Return the charge of one call. ``answer`` is the parsed body, None when it is not JSON.

    A refusal and a server error cost nothing (documented). A success costs the highest amount in body and headers, in dollars or credits.
    A call that was sent and whose answer was lost counts as carried out.
    """
    images = worst_images(case)
    if images == 0 or not received.was_sent:
        return NO_CHARGE
    if received.status is not None and not 200 <= received.status < 300:
        return NO_CHARGE
    documented = Charge(images, images * (profile.credits or 0), images * usd_per_image)
    if received.status is None or received.trouble in {Trouble.TIMEOUT, Trouble.BROKEN}:
        return documented
    stated_credits = _largest(profile.credits_used(answer), received.headers.get(_CREDITS_HEADER))
    stated_usd = _largest(profile.usd_spent(answer), received.headers.get(_USD_HEADER))
    per_usd = profile.credits_per_usd
    if per_usd and stated_credits is not None:
        stated_usd = _largest(stated_usd, stated_credits / per_usd)
    if stated_usd is not None and stated_credits is None and per_usd:
        stated_credits = stated_usd * per_usd
    return Charge(
        images,
        documented.credits if stated_credits is None else stated_credits,
        documented.usd if stated_usd is None else stated_usd,
    )


def _largest(*amounts: float | str | None) -> float | None:
    """Return the largest amount above 0; a text counts when it is a number."""
    numbers = [number for amount in amounts if (number := _number(amount)) is not None]
    return max((number for number in numbers if number > 0 and math.isfinite(number)), default=None)


def _number(amount: float | str | None) -> float | None:
    try:
        return None if amount is None else float(amount)
    except (ValueError, OverflowError):
        return None
