"""The charge of one call: the larger of what its answer says and what the price says."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Finding, Severity, is_success
from bodydouble_spec.image_fields import BASE64, CREDITS, CREDITS_HEADER, URL, USD, USD_HEADER

from bodydouble_contract_tests.model import Case, ExpectedOutcome, Observation, OperationProfile, Trouble
from bodydouble_contract_tests.run.redaction import parsed
from bodydouble_contract_tests.schema import values_named
from bodydouble_contract_tests.target import Received

__all__ = ["NO_CHARGE", "Charge", "charge_findings", "charge_of", "purchase_objection", "worst_images"]


@dataclass(frozen=True, slots=True)
class Charge:
    """The pictures of a call and their cost; the amounts are 0 where no price is known."""

    images: int = 0
    credits: float = 0.0
    usd: float = 0.0

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(self.images + other.images, self.credits + other.credits, self.usd + other.usd)


NO_CHARGE = Charge()


def worst_images(case: Case) -> int:
    """Return the highest number of pictures that one call of a case can cost; 0 without a valid key, since there is no account to charge."""
    return case.images if case.credential.holds_key else 0


def charge_of(profile: OperationProfile, case: Case, received: Received, answer: Any, usd_per_image: float) -> Charge:
    """Return the charge of one call. ``answer`` is the parsed body, None when it is not JSON.

    A refusal and a server error cost nothing (documented), unless they say otherwise. A success costs its price, or the highest amount in
    body and headers, in dollars or credits, where that is more. A call that was sent and whose answer was lost counts as carried out.
    """
    images = worst_images(case)
    if images == 0 or not received.was_sent:
        return NO_CHARGE
    per_usd = profile.credits_per_usd
    stated_credits = _largest((*_values(answer, CREDITS), received.headers.get(CREDITS_HEADER)))
    stated_usd = _largest((*_values(answer, (USD,)), received.headers.get(USD_HEADER)))
    if per_usd:
        stated_usd, stated_credits = (
            max(stated_usd, stated_credits / per_usd),
            stated_credits or stated_usd * per_usd,
        )
    if received.status is not None and not is_success(received.status):
        return Charge(0, stated_credits, stated_usd)
    return Charge(
        images,
        max(images * (profile.credits or 0), stated_credits),
        max(images * usd_per_image, stated_usd),
    )


def _values(answer: Any, names: Iterable[str]) -> Iterator[Any]:
    return (value for name in names for value in values_named(answer, name))


def _largest(amounts: Iterable[Any]) -> float:
    """Return the largest amount, 0 when none is above it; a text counts when it is a number."""
    return max((number for amount in amounts if (number := _number(amount)) is not None and number > 0), default=0.0)


def _number(amount: Any) -> float | None:
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return None
    try:
        number = float(amount)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def charge_findings(profile: OperationProfile, observation: Observation) -> Iterator[Finding]:
    """Yield the deviations in what one answer says of its cost: a refusal that was charged, and a header that is not an amount."""
    status = observation.status
    if status is None or profile.credits is None:
        return
    evidence, key = profile.evidence("x-price"), profile.operation.key
    severity = Severity.ERROR

    def deviation(rule: str, message: str, expected: Any, got: Any) -> Finding:
        return Finding(f"charge-as-documented/{rule}", severity, evidence, "", message, expected, got, operation=key)

    amounts = [*_values(parsed(observation.examined), (*CREDITS, USD))]
    headers = {name: observation.headers[name] for name in (CREDITS_HEADER, USD_HEADER) if name in observation.headers}
    stated = _largest((*amounts, *headers.values()))
    if not is_success(status) and stated > 0:
        yield deviation("refusal", f"a call that was answered with {status} says that it cost {stated:g}", 0, stated)
    for name, text in headers.items():
        number = _number(text)
        if number is None or number < 0 or (number == 0 and is_success(status)):
            yield deviation(name, f"the header {name} is not the cost of a call", "a number above 0", text[:40])


def purchase_objection(profile: OperationProfile, observation: Observation, charge: Charge) -> str | None:
    """Return the reason to buy nothing after this call, or None: it was paid for, or had to be carried out, and contained no picture.

    A refusal costs nothing, so one that was expected, or that an odd request may get, is no reason.
    """
    case, status = observation.case, observation.status
    is_carried_out = is_success(status) and observation.trouble is None
    if worst_images(case) == 0 or (is_carried_out and _has_picture(profile, observation)):
        return None
    is_broken = status is None or status >= 500
    is_due = case.expectation is ExpectedOutcome.ACCEPTED or (
        case.expectation is ExpectedOutcome.SURVIVED and is_broken
    )
    if not is_due and charge == NO_CHARGE:
        return None
    if observation.trouble is Trouble.TIMEOUT:
        outcome = "was not answered in time"
    elif status is None:
        outcome = "got no answer"
    else:
        outcome = f"was answered with {status} and contained no picture"
    cost = "may have been charged" if charge.usd else "was not charged"
    return (
        f"{case.id} {outcome}; it {cost}, and no further paid call is made; look at its findings; to go on "
        "anyway, resume the run"
    )


def _has_picture(profile: OperationProfile, observation: Observation) -> bool:
    if not profile.has_pictures:
        return True
    return any(isinstance(value, str) and value for value in _values(parsed(observation.examined), (URL, BASE64)))
