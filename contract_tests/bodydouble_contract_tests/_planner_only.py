"""Reduce a plan to the calls that some checks need."""

from collections.abc import Collection, Sequence

from bodydouble_contract_tests._case import Case, ExpectedOutcome
from bodydouble_contract_tests._planner_cover import CoveragePlan
from bodydouble_contract_tests._subject import PropertyNames

__all__ = ["free_cases_for", "paid_cases_for"]

# Checks with cases of their own. The others check the answers to any call.
_OF_CASES = {
    "valid-accepted", "unknown-key-tolerated", "odd-request-survived", "invalid-refused", "no-key-refused",
    "wrong-key-refused", "answers-steadily",
}  # fmt: skip
_OF_REFUSALS = {"refusal-envelope"}
_TURNED_AWAY = (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED)
_BY_RATIO = {"picture-pixels"}
_BY_COUNT = {"image-count", "credits-proportional"}


def free_cases_for(cases: Sequence[Case], only: Collection[str]) -> list[Case]:
    """Return the calls made for one of these checks, and every call that must be refused when refusals are checked."""
    is_of_refusals = bool(_OF_REFUSALS.intersection(only))
    return [case for case in cases if case.check in only or (is_of_refusals and case.expectation in _TURNED_AWAY)]


def paid_cases_for(
    cases: Sequence[Case], only: Collection[str], coverage: CoveragePlan, names: PropertyNames
) -> list[Case]:
    """Return the calls made for one of these checks, and as few others as the remaining checks need for their answers.

    Pixels are checked for each aspect ratio, counts and charges for each number of pictures, everything else once.
    """
    wanted: set[str] = set()
    if _BY_RATIO.intersection(only):
        wanted |= coverage.elements_of(names.ratio)
    if _BY_COUNT.intersection(only):
        wanted |= coverage.elements_of(names.count)
    kept = [case for case in cases if case.check in only]
    wanted.difference_update(*(case.covers for case in kept))
    examined = set(only) - _OF_CASES - _OF_REFUSALS
    for case in cases:
        if case not in kept and (wanted.intersection(case.covers) or (examined and not kept)):
            kept.append(case)
            wanted.difference_update(case.covers)
    return kept
