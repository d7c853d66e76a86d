"""The few calls that serve the checks that were asked for."""

from collections.abc import Collection, Sequence

from bodydouble_contract_tests._case import Case, Expectation
from bodydouble_contract_tests._planner_cover import Cover
from bodydouble_contract_tests._subject import Names

__all__ = ["free_serving", "paid_serving"]

# Checks that a case names. Every other one judges answers, whichever call they answer.
_OF_CASES = {
    "valid-accepted", "unknown-key-tolerated", "odd-request-survived", "invalid-refused", "no-key-refused",
    "wrong-key-refused", "answers-steadily",
}  # fmt: skip
_OF_REFUSALS = {"refusal-envelope"}
_TURNED_AWAY = (Expectation.REFUSED, Expectation.UNAUTHORIZED)
_BY_RATIO = {"picture-pixels"}
_BY_COUNT = {"image-count", "credits-proportional"}


def free_serving(cases: Sequence[Case], only: Collection[str]) -> list[Case]:
    """The calls made for one of these checks, and every one that must be turned away when it is refusals that are judged."""
    is_of_refusals = bool(_OF_REFUSALS.intersection(only))
    return [case for case in cases if case.check in only or (is_of_refusals and case.expectation in _TURNED_AWAY)]


def paid_serving(cases: Sequence[Case], only: Collection[str], cover: Cover, names: Names) -> list[Case]:
    """The calls made for one of these checks, and as few others as give the answers that the rest of the checks judge.

    Pixels are judged for each aspect ratio, numbers and charges for each number of pictures, everything else once.
    """
    wanted: set[str] = set()
    if _BY_RATIO.intersection(only):
        wanted |= cover.elements_of(names.ratio)
    if _BY_COUNT.intersection(only):
        wanted |= cover.elements_of(names.count)
    kept = [case for case in cases if case.check in only]
    wanted.difference_update(*(case.covers for case in kept))
    judged = set(only) - _OF_CASES - _OF_REFUSALS
    for case in cases:
        if case not in kept and (wanted.intersection(case.covers) or (judged and not kept)):
            kept.append(case)
            wanted.difference_update(case.covers)
    return kept
