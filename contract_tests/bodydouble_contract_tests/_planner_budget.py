"""Choose the calls that a budget of pictures pays for."""

from collections.abc import Sequence

from bodydouble_contract_tests._case import Case

__all__ = ["affordable_start", "best_purchase", "price", "within_budget"]


def price(cases: Sequence[Case]) -> int:
    """Return the number of pictures that the calls cost."""
    return sum(case.images * case.repeats for case in cases)


def within_budget(cases: Sequence[Case], images: int | None) -> list[Case]:
    """Return the calls, in order, that prove the most elements for a number of pictures; all of them when there is no limit.

    More pictures never prove fewer elements: the best purchase of all smaller budgets is kept.
    """
    if images is None or price(cases) <= images:
        return list(cases)
    purchases = [_take(cases, budget) for budget in range(max(images, 0) + 1)]
    return best_purchase(purchases)


def best_purchase(purchases: Sequence[list[Case]]) -> list[Case]:
    """Return the first purchase that proves the most elements."""
    return max(purchases, key=lambda bought: len(_covered(bought)))


def affordable_start(cases: Sequence[Case], images: int) -> list[Case]:
    """Return the first calls, up to the one that the pictures do not pay for."""
    return [case for number, case in enumerate(cases, 1) if price(cases[:number]) <= images]


def _take(cases: Sequence[Case], images: int) -> list[Case]:
    taken: list[Case] = []
    covered: set[str] = set()
    for case in cases:
        if price([case]) <= images and not covered.issuperset(case.covers):
            taken.append(case)
            covered.update(case.covers)
            images -= price([case])
    return taken


def _covered(cases: Sequence[Case]) -> set[str]:
    return {element for case in cases for element in case.covers}
