"""What a call was charged, by what its answer says; where it says nothing believable, by the documented price."""

import math
from dataclasses import dataclass
from typing import Any

from bodydouble_contract_tests._case import Case, Credential
from bodydouble_contract_tests._observation import Trouble
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._target import Received

__all__ = ["NO_CHARGE", "Charge", "charge_of", "worst_images"]

_CREDITS_HEADER = "x-aimlapi-credits-used"
_USD_HEADER = "x-aimlapi-usd-spent"


@dataclass(frozen=True, slots=True)
class Charge:
    """Pictures that were paid for, and what they cost; the amounts are 0 where no price is known."""

    images: int = 0
    credits: float = 0.0
    usd: float = 0.0


NO_CHARGE = Charge()


def worst_images(case: Case) -> int:
    """How many pictures one call of a case can cost at worst: none where there is no account to charge."""
    return case.images if case.credential is Credential.KEY else 0


def charge_of(subject: Subject, case: Case, received: Received, answer: Any, usd_per_image: float) -> Charge:
    """The charge of one call. ``answer`` is the parsed body, None when it is no JSON.

    A refusal and a server error cost nothing (documented). A success costs the most that body and headers say, in dollars or credits;
    a call whose answer was lost after it was sent counts as carried out.
    """
    images = worst_images(case)
    if images == 0 or not received.was_sent:
        return NO_CHARGE
    if received.status is not None and not 200 <= received.status < 300:
        return NO_CHARGE
    documented = Charge(images, images * (subject.credits or 0), images * usd_per_image)
    if received.status is None or received.trouble in {Trouble.TIMEOUT, Trouble.BROKEN}:
        return documented
    said_credits = _largest(subject.credits_used(answer), received.headers.get(_CREDITS_HEADER))
    said_usd = _largest(subject.usd_spent(answer), received.headers.get(_USD_HEADER))
    per_usd = subject.credits_per_usd
    if per_usd and said_credits is not None:
        said_usd = _largest(said_usd, said_credits / per_usd)
    if said_usd is not None and said_credits is None and per_usd:
        said_credits = said_usd * per_usd
    return Charge(
        images,
        documented.credits if said_credits is None else said_credits,
        documented.usd if said_usd is None else said_usd,
    )


def _largest(*amounts: float | str | None) -> float | None:
    """The largest of the amounts above 0; a text counts when it is a number."""
    numbers = [number for amount in amounts if (number := _number(amount)) is not None]
    return max((number for number in numbers if number > 0 and math.isfinite(number)), default=None)


def _number(amount: float | str | None) -> float | None:
    try:
        return None if amount is None else float(amount)
    except (ValueError, OverflowError):
        return None
