"""Plan a verification: the most proof for the fewest pictures."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from urllib.parse import urlsplit

from bodydouble_spec import Evidence
from bodydouble_spec.image_fields import RequestFields

from bodydouble_contract_tests.checks import Case, ExpectedOutcome, OperationProfile, Plan, catalogue
from bodydouble_contract_tests.plan.cases import (
    accepted_case,
    odd_cases,
    refusal_cases,
    steady_case,
    valid_boundary_cases,
)
from bodydouble_contract_tests.plan.coverage import CoveragePlan
from bodydouble_contract_tests.plan.options import EXAMPLE_URL
from bodydouble_contract_tests.plan.probes import credential_cases_after, form_cases, probes
from bodydouble_contract_tests.strategies import boundary_cases

__all__ = ["coverage", "elements", "make_plan", "within_budget"]


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


# Checks with cases of their own. The others check the answers to any call.
_OF_CASES = {
    "valid-accepted", "unknown-key-tolerated", "odd-request-survived", "invalid-refused", "no-key-refused",
    "wrong-key-refused", "answers-steadily", "malformed-refused", "method-refused", "cors-preflight", "client-id-dropped",
}  # fmt: skip
_OF_REFUSALS = {
    "refusal-envelope", "refusal-consistent", "refusal-issues", "refusal-headers", "request-id-matches",
}  # fmt: skip
# Checks of refusals and of successes alike.
_OF_BOTH = {"key-secret", "cors-answer", "request-id-new"}
_OF_KEYS = {"no-key-refused", "wrong-key-refused"}
_TURNED_AWAY = (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED)
_BY_RATIO = {"picture-pixels", "request-id-new"}
_BY_COUNT = {"image-count", "credits-proportional", "cost-consistent", "picture-distinct"}


def free_cases_for(cases: Sequence[Case], only: Collection[str]) -> list[Case]:
    """Return the calls made for one of these checks, and every call that must be refused when refusals are checked."""
    is_of_refusals = bool((_OF_REFUSALS | _OF_BOTH | {"client-id-dropped"}).intersection(only))
    return [case for case in cases if case.check in only or (is_of_refusals and case.expectation in _TURNED_AWAY)]


def paid_cases_for(
    cases: Sequence[Case], only: Collection[str], coverage: CoveragePlan, names: RequestFields
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


_FREE_REPEATS = 5
_UNPAID_REPEATS = 20
_NOT_ASKED_FOR = "not needed for the selected checks"
_NOT_WORTH_IT = "only assumed: not worth the price if the server differs"


def make_plan(
    profile: OperationProfile,
    *,
    is_billed: bool,
    max_images: int | None = None,
    image_url: str | None = None,
    only: Collection[str] | None = None,
) -> Plan:
    """Return the calls that verify an operation, the same ones every time.

    ``is_billed`` means that successful calls cost money: then calls whose failure would be an info at most are left out. ``max_images``
    is the number of pictures to pay for (None: as many as prove every element, and no more). After the elements, the rest of them pays for odd
    requests first, then for pairs of values. Where nothing costs money, everything but the pairs is sent. ``image_url`` is a picture
    that the server can fetch (http or https). ``only`` keeps the calls for the checks with these ids.

    Raises UnsupportedSchema when the operation takes no JSON body or no valid request is found, and ValueError for an unknown check or a URL
    of another kind.
    """
    if image_url is not None and urlsplit(image_url).scheme not in {"http", "https"}:
        raise ValueError(f"the input picture must be given by an http(s) URL, not {image_url[:40]!r}")
    planner = _Planner(profile, image_url if image_url or is_billed else EXAMPLE_URL, only)
    return planner.billed_plan(max_images) if is_billed else planner.unbilled_plan(max_images)


def elements(profile: OperationProfile) -> tuple[str, ...]:
    """Return the elements of an operation's requests: each value, bound, optional property and form of input, by a readable name.

    Values with an unspecified outcome, texts beyond 5,000 characters and lists beyond 32 items are left out. Raises UnsupportedSchema as
    `make_plan` does.
    """
    return CoveragePlan(profile, EXAMPLE_URL).elements


def coverage(plan: Plan, succeeded: Iterable[Case]) -> dict[str, int]:
    """Return how many successful calls prove each element, followed by the pairs of values that a call was made for."""
    counts = dict.fromkeys(plan.elements, 0)
    for case in succeeded:
        for element in case.covers:
            counts[element] = counts.get(element, 0) + 1
    return counts


class _Planner:
    """Build the plan, and note the reason for each call that is left out."""

    def __init__(self, profile: OperationProfile, image_url: str | None, only: Collection[str] | None) -> None:
        self._profile = profile
        self._checks = {check.id: check for check in catalogue(profile)}
        unknown = sorted(set(only or ()) - self._checks.keys())
        if unknown:
            raise ValueError(
                f"there is no check {unknown[0]!r}; {profile.operation.key} has: {', '.join(self._checks)}"
            )
        self._only = None if only is None else set(only)
        self._coverage = CoveragePlan(profile, image_url)
        self._boundaries = boundary_cases(profile.contract, profile.operation)
        self._unbought: dict[str, str] = {}

    def billed_plan(self, max_images: int | None) -> Plan:
        """Return the plan where success costs money."""
        refusals = refusal_cases(self._profile, self._boundaries)
        worth_it = [case for case in refusals if case.evidence is not Evidence.ASSUMED]
        self._unbought |= {case.id: _NOT_WORTH_IT for case in refusals if case.evidence is Evidence.ASSUMED}
        self._unbought |= {element: _NOT_WORTH_IT for case in self._coverage.assumed for element in case.covers}
        steady = [
            steady_case(case, _FREE_REPEATS) for case in [case for case in worth_it if " and " not in case.id][-1:]
        ]
        required, odd = self._required_cases(), self._selected(self._odd())
        if max_images is None:
            max_images = price(required) + (0 if self._only is None else price(odd))
        paid = [*self._affordable(required, max_images)]
        if price(required) <= max_images:
            rest = affordable_start(odd, max_images - price(required))
            paid += rest
            if len(rest) == len(odd):
                paid += self._pairs(max_images - price(paid))
        beyond = f"beyond the budget of {max_images} pictures"
        self._unbought |= {case.id: beyond for case in odd if case not in paid}
        return self._plan([*worth_it, *steady], paid, [], beyond, is_billed=True)

    def unbilled_plan(self, max_images: int | None) -> Plan:
        """Return the plan where nothing costs money; a limit applies to the calls that are paid on the real API."""
        paid = self._affordable(self._required_cases(), max_images)
        steady = steady_case(self._coverage.cases[0], _UNPAID_REPEATS)
        sure = [*self._coverage.cases, *self._coverage.assumed, *self._odd()]
        boundaries = valid_boundary_cases(self._profile, self._boundaries, [case.body for case in sure])
        if self._only is not None and _OF_KEYS & self._only and not paid:
            # Keys are tried after a success too.
            paid = self._coverage.cases[:1]
        forms = form_cases(self._profile, self._checks, self._coverage.minimal)
        unpaid = self._selected([*self._coverage.assumed, *self._odd(), *boundaries, *forms, steady])
        refusals, beyond = refusal_cases(self._profile, self._boundaries), f"beyond the limit of {max_images} pictures"
        return self._plan(refusals, paid, unpaid, beyond, is_billed=False)

    def _plan(
        self, refusals: list[Case], paid: list[Case], unpaid: list[Case], beyond: str, *, is_billed: bool
    ) -> Plan:
        probed = partial(probes, self._profile, self._checks, self._coverage.minimal)
        free = [*probed(is_billed=is_billed), *refusals]
        if is_billed:
            assumed = (case.id for case in probed(is_billed=False) if case.evidence is Evidence.ASSUMED)
            self._unbought |= dict.fromkeys(assumed, _NOT_WORTH_IT)
        after = credential_cases_after(self._profile, self._checks, self._coverage.minimal)
        checks = list(self._checks.values())
        if self._only is not None:
            free = free_cases_for(free, self._only)
            after = free_cases_for(after, self._only) if paid else []
            checks = [check for check in checks if check.id in self._only]
        url = self._coverage.url_element
        names = self._coverage.elements if url is None else (*self._coverage.elements, url)
        if url is not None:
            self._unbought[url] = "needs a picture that the server can fetch: give --image-url"
        asked = {element for case in self._required_cases() for element in case.covers}
        proved = {element for case in (*paid, *unpaid) for element in case.covers}
        for name in names:
            if name not in proved:
                self._unbought.setdefault(name, beyond if name in asked else _NOT_ASKED_FOR)
        return Plan(tuple(checks), tuple(free), tuple(paid), tuple(unpaid), names, self._unbought, tuple(after))

    def _required_cases(self) -> list[Case]:
        return self._cases_for(self._coverage.cases)

    def _affordable(self, required: list[Case], images: int | None) -> list[Case]:
        """Return the calls that the budget pays for, in the better of two orders: the usual one, or costly calls last."""
        if images is None or price(required) <= images:
            return required
        return best_purchase(
            [within_budget(cases, images) for cases in (required, self._cases_for(self._coverage.cases_cheap_first))]
        )

    def _cases_for(self, cases: list[Case]) -> list[Case]:
        return cases if self._only is None else paid_cases_for(cases, self._only, self._coverage, self._profile.names)

    def _selected(self, cases: Sequence[Case]) -> list[Case]:
        return [case for case in cases if self._only is None or case.check in self._only]

    def _odd(self) -> list[Case]:
        check = self._checks.get("odd-request-survived")
        return [] if check is None else odd_cases(self._profile, self._coverage.minimal, check.evidence)

    def _pairs(self, images: int) -> list[Case]:
        """Return calls for pairs of values that no other call proves."""
        if self._only is not None:
            return []
        pairs = self._coverage.pairs
        seen = self._coverage.pairs_covered()
        cases = [accepted_case(row, new, Evidence.DOCUMENTED) for row, new in pairs.rows(seen, images)]
        missing = len(set(pairs.names) - seen) - sum(len(case.covers) for case in cases)
        if missing:
            self._unbought["pairs of values"] = f"{missing} of {len(pairs.names)} pairs are beyond the budget"
        return cases
