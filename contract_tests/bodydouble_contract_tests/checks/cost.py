"""Check the cost of a call: in the body, in the headers, in dollars, and against the price."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity
from bodydouble_spec.image_fields import CREDITS_HEADER, USD_HEADER

from bodydouble_contract_tests.model import Observation, OperationProfile, deviation, generic_pointer

__all__ = ["check_cost"]

# Prices that differ by rounding only are the same; dollars have nine decimals.
_TOLERANCE = 1e-6
_TOLERANCE_USD = 1e-8


def check_cost(
    profile: OperationProfile, observation: Observation, answer: Any, *, is_live: bool = False
) -> Iterator[Finding]:
    """Yield the deviations of the stated cost of a successful call."""
    yield from _agreement(profile, observation, answer)
    cost = profile.cost(answer)
    if cost is None:
        return
    pointer, used = generic_pointer(answer, cost[0]), cost[1]
    if used <= 0:
        message = f"the call cost {used:g} credits"
        yield deviation(profile, "credits-positive", message, "more than 0", used, pointer=pointer)
        return
    yield from _price(profile, observation.case.body, answer, used, pointer, is_live=is_live)


def _price(
    profile: OperationProfile, body: Any, answer: Any, used: float, pointer: str, *, is_live: bool
) -> Iterator[Finding]:
    """Compare the cost with the price. That of several pictures is assumed, so only a charge above it, on a paid call, is more than information."""
    promised = profile.images_promised(body)
    lengths = [length for _, length in profile.picture_lists(answer)]
    if profile.credits is None or promised is None or any(length != promised for length in lengths):
        return
    price = profile.credits * promised
    is_more = used > price * (1 + _TOLERANCE)
    # The price of several pictures is not documented, so a lower one is not a deviation.
    if is_more or (promised == 1 and used < price * (1 - _TOLERANCE)):
        noun = "picture" if promised == 1 else "pictures"
        message = f"the call cost {used:g} credits; the documented price of {promised} {noun} is {price:g}"
        rule = f"charge-as-documented/{'more' if is_more else 'less'}{'' if promised == 1 else '-for-several'}"
        evidence = None if promised == 1 else Evidence.ASSUMED
        finding = deviation(profile, rule, message, price, used, pointer=pointer, evidence=evidence)
        yield replace(finding, severity=Severity.ERROR) if is_more and is_live else finding


def _agreement(profile: OperationProfile, observation: Observation, answer: Any) -> Iterator[Finding]:
    """Compare the amounts of one answer with each other: credits in body and header, and their worth in dollars."""
    check = "cost-consistent"
    in_body, in_header = profile.credits_used(answer), _number(observation.headers.get(CREDITS_HEADER))
    if in_body is not None and in_header is not None and not math.isclose(in_body, in_header, rel_tol=_TOLERANCE):
        message = f"{CREDITS_HEADER} is {in_header:g}, and the body says {in_body:g} credits"
        yield deviation(profile, f"{check}/credits", message, in_body, in_header)
    used = in_body if in_body is not None else in_header
    rate = profile.credits_per_usd
    dollars = {USD_HEADER: _number(observation.headers.get(USD_HEADER)), "the body": profile.usd_spent(answer)}
    for place, usd in dollars.items():
        if usd is None or used is None or not rate:
            continue
        worth = used / rate
        if not math.isclose(usd, worth, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE_USD):
            message = f"{place} says {usd:g} USD; {used:g} credits are {worth:g} USD"
            yield deviation(profile, f"{check}/usd", message, worth, usd)


def _number(text: str | None) -> float | None:
    """Return the amount in a header; None where there is none that can be compared."""
    try:
        amount = math.nan if text is None else float(text)
    except ValueError:
        return None
    return amount if math.isfinite(amount) else None
