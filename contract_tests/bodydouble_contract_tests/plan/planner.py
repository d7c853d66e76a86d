"""Plan a verification: the most proof for the fewest pictures."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Evidence, is_object, pointer_parts
from bodydouble_spec.image_fields import RequestFields

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.model import Case, Credential, ExpectedOutcome, OperationProfile, Plan, catalogue
from bodydouble_contract_tests.plan.cases import (
    accepted_case,
    alternating_cases,
    first_case,
    odd_cases,
    parallel_cases,
    refusal_cases,
    steady_case,
    valid_boundary_cases,
)
from bodydouble_contract_tests.plan.coverage import CoveragePlan
from bodydouble_contract_tests.plan.options import EXAMPLE_URL
from bodydouble_contract_tests.plan.parameters import parameter_cases, unvaried_parameters
from bodydouble_contract_tests.plan.probes import credential_cases_after, form_cases, probes
from bodydouble_contract_tests.plan.space import Row
from bodydouble_contract_tests.strategies import VariedRequests, vary_requests

__all__ = ["coverage", "elements", "make_plan", "within_budget"]


def price(cases: Sequence[Case]) -> int:
    """Return the number of pictures that the calls cost."""
    return sum(case.images * case.repeats for case in cases)


def calls_in(cases: Iterable[Case]) -> int:
    """Return the number of calls, repetitions included."""
    return sum(case.repeats for case in cases)


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
# The usual call is also the first one, and follows each refusal; all of these are compared.
_UNPAID_REPEATS = 2
_SELECTED_REPEATS = 10
# Enough to keep several workers of a server busy.
_MOST_PARALLEL = 8
# Pairs of values are left out beyond this number of requests, which keeps a run short.
_MOST_REQUESTS = 300
_TOO_MANY = "more than a run varies"
_NOT_ASKED_FOR = "not needed for the selected checks"
_COULD_BE_CHARGED = "must be refused, but a server that accepts it could charge for it"
_NOT_WORTH_IT = "based on an assumption only, and not worth the price"


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
    is the number of pictures to pay for (None: as many as prove every element, and no more). After the elements, the rest of them pays for pairs of
    values, those worth most first, then for odd requests. Where nothing costs money, everything is sent, pairs in as many as 300 requests in total.
    ``image_url`` is a picture that the server can fetch (http or https). ``only`` keeps the calls for the checks with these ids.

    Raises UnsupportedSchema when the body of the operation is no JSON, no valid request is found or no success is documented, and ValueError for an
    unknown check or a URL of another kind.
    """
    if not profile.operation.documents_success:
        raise UnsupportedSchema(
            f"{profile.operation.key} documents only error responses, so no call can succeed; add the answer to a valid request to the contract"
        )
    if image_url is not None and urlsplit(image_url).scheme not in {"http", "https"}:
        raise ValueError(f"the input picture must be given by an http(s) URL, not {image_url[:40]!r}")
    return _plan_of(profile, is_billed, max_images, image_url, None if only is None else frozenset(only))


@lru_cache(maxsize=8)
def _plan_of(
    profile: OperationProfile,
    is_billed: bool,
    max_images: int | None,
    image_url: str | None,
    only: frozenset[str] | None,
) -> Plan:
    # A plan takes half a second, and a caller may show it before it is carried out.
    planner = _Planner(profile, image_url if image_url or is_billed else EXAMPLE_URL, only, is_billed=is_billed)
    return planner.billed_plan(max_images) if is_billed else planner.unbilled_plan(max_images)


def elements(profile: OperationProfile) -> tuple[str, ...]:
    """Return the elements of an operation's requests: each value, bound, optional property and form of input, by a readable name.

    Values with an unspecified outcome, texts beyond 5,000 characters and lists beyond 32 items are left out. Raises UnsupportedSchema as
    `make_plan` does.
    """
    return CoveragePlan(profile, EXAMPLE_URL).elements


def coverage(plan: Plan, succeeded: Iterable[Case]) -> dict[str, int]:
    """Return how many successful calls prove each element."""
    counts = dict.fromkeys(plan.elements, 0)
    for case in succeeded:
        for element in case.covers:
            counts[element] = counts.get(element, 0) + 1
    return counts


class _Planner:
    """Build the plan, and note the reason for each call that is left out."""

    def __init__(
        self, profile: OperationProfile, image_url: str | None, only: Collection[str] | None, *, is_billed: bool
    ) -> None:
        self._profile = profile
        self._checks = {check.id: check for check in catalogue(profile)}
        unknown = sorted(set(only or ()) - self._checks.keys())
        if unknown:
            raise ValueError(
                f"there is no check {unknown[0]!r}; {profile.operation.key} has: {', '.join(self._checks)}"
            )
        self._only = None if only is None else set(only)
        self._coverage = CoveragePlan(profile, image_url, is_cautious=is_billed)
        takes_body = bool(profile.operation.request_bodies)
        varied = vary_requests(profile.contract, profile.operation) if takes_body else VariedRequests(())
        self._boundaries = varied.cases
        self._unbought = {f"{part.what} at {part.pointer}": _TOO_MANY for part in varied.left_out}
        self._parameters = parameter_cases(profile, self._coverage.minimal)
        if only is None:
            self._unbought |= unvaried_parameters(profile)
        self._pairs_of = {} if only is not None else dict(self._coverage.pairs_of_cases)

    def billed_plan(self, max_images: int | None) -> Plan:
        """Return the plan where success costs money."""
        refusals = [*self._refusals(most_images=1), *self._of_parameters(ExpectedOutcome.REFUSED)]
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
        beyond = f"beyond the budget of {max_images} pictures"
        if price(required) <= max_images and self._only is None:
            paid += self._pair_cases(self._coverage.pair_rows(max_images - price(paid)))
        if self._note_missing_pairs(paid, "are beyond the budget") == 0:
            paid += affordable_start(odd, max_images - price(paid))
        self._unbought |= {case.id: beyond for case in odd if case not in paid}
        free = [*self._probes(is_billed=True), *worth_it, *steady]
        made = {case.id for case in free}
        left_out = [case for case in self._probes(is_billed=False) if case.id not in made]
        reasons = {True: _NOT_WORTH_IT, False: _COULD_BE_CHARGED}
        self._unbought |= {case.id: reasons[case.evidence is Evidence.ASSUMED] for case in left_out}
        return self._plan(free, paid, [], beyond)

    def unbilled_plan(self, max_images: int | None) -> Plan:
        """Return the plan where nothing costs money; a limit applies to the calls that are paid on the real API."""
        paid = self._affordable(self._required_cases(), max_images)
        usual = self._coverage.cases[0]
        pairs = self._pair_cases(islice(self._coverage.pair_rows(), _MOST_REQUESTS)) if self._only is None else []
        sure = [*self._coverage.cases, *self._coverage.assumed, *self._odd(), *pairs]
        if self._only is not None and _OF_KEYS & self._only and not paid:
            # Keys are tried after a success too.
            paid = self._coverage.cases[:1]
        boundaries = self._varied(
            valid_boundary_cases(self._profile, self._boundaries, [case.body for case in sure]), most_images=None
        )
        refusals, probed = self._refusals(most_images=None), self._probes(is_billed=False)
        refusals += self._of_parameters(ExpectedOutcome.REFUSED)
        keys = {Credential.NONE, Credential.WRONG}
        refused = [*(case for case in probed if case.credential in keys and case.form is None), *refusals[:1]]
        repeats = _UNPAID_REPEATS if self._only is None else _SELECTED_REPEATS
        steady = [steady_case(usual, repeats), *alternating_cases(usual, refused)]
        forms = form_cases(self._profile, self._checks, self._coverage.minimal)
        varied = self._of_parameters(ExpectedOutcome.ACCEPTED)
        unpaid = self._selected([*self._coverage.assumed, *self._odd(), *boundaries, *varied, *forms, *steady])
        free = [first_case(usual), *probed, *refusals]
        together, pairs = (pairs[:_MOST_PARALLEL], pairs[_MOST_PARALLEL:]) if pairs else (self._coverage.cases, [])
        parallel = self._selected(parallel_cases(together[:_MOST_PARALLEL], refused))
        self._pairs_of |= {
            new.id: self._pairs_of.get(old.id, frozenset()) for new, old in zip(parallel, together, strict=False)
        }
        if self._only is None:
            planned = calls_in([*free, *paid, *self._after(), *unpaid, *parallel])
            unpaid += self._pairs_in_requests(pairs, _MOST_REQUESTS - planned, parallel)
        return self._plan(free, paid, unpaid, f"beyond the limit of {max_images} pictures", parallel)

    def _of_parameters(self, expectation: ExpectedOutcome) -> list[Case]:
        return self._selected([case for case in self._parameters if case.expectation is expectation])

    def _probes(self, *, is_billed: bool) -> list[Case]:
        return probes(self._profile, self._checks, self._coverage.minimal, is_billed=is_billed)

    def _after(self) -> list[Case]:
        return credential_cases_after(self._profile, self._checks, self._coverage.minimal)

    def _plan(
        self,
        free: list[Case],
        paid: list[Case],
        unpaid: list[Case],
        beyond: str,
        parallel: Sequence[Case] = (),
    ) -> Plan:
        after = self._after()
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
        pairs = frozenset(self._coverage.pairs.names if self._only is None else ())
        return Plan(
            tuple(checks),
            tuple(free),
            tuple(paid),
            tuple(unpaid),
            names,
            self._unbought,
            tuple(after),
            tuple(parallel),
            pairs,
            self._pairs_of,
        )

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

    def _refusals(self, *, most_images: int | None) -> list[Case]:
        return self._varied(refusal_cases(self._profile, self._boundaries), most_images=most_images)

    def _varied(self, cases: list[Case], *, most_images: int | None) -> list[Case]:
        """Return the calls with other values beside the place under test, those of each call that proves elements in turn.

        With ``most_images``, no call becomes dearer than that because of it.
        """
        usual = [case.body for case in self._coverage.cases if most_images is None or case.images <= most_images]
        return [varied_case(self._profile, case, usual[turn % len(usual)]) for turn, case in enumerate(cases)]

    def _odd(self) -> list[Case]:
        check = self._checks.get("odd-request-survived")
        return [] if check is None else odd_cases(self._profile, self._coverage.minimal, check.evidence)

    def _pairs_in_requests(self, pairs: Sequence[Case], requests: int, others: Sequence[Case]) -> list[Case]:
        """Return the calls for pairs of values that the number of requests allows; those with a specified outcome first."""
        cases = list(pairs[: max(0, requests)])
        self._note_missing_pairs([*self._coverage.cases, *others, *cases], f"need more than {_MOST_REQUESTS} requests")
        rows = islice(self._coverage.unspecified_rows(), max(0, requests - len(cases)))
        return [*cases, *(survived_case(row) for row in rows)]

    def _pair_cases(self, rows: Iterable[Row]) -> list[Case]:
        cases: list[Case] = []
        for row in rows:
            cases.append(accepted_case(row, (), Evidence.DOCUMENTED))
            self._pairs_of[cases[-1].id] = frozenset(self._coverage.pairs.of(row.chosen))
        return cases

    def _note_missing_pairs(self, cases: Iterable[Case], reason: str) -> int:
        """Note the number of pairs of values that are in none of the calls, and return it."""
        if self._only is not None:
            return 0
        names = self._coverage.pairs.names
        proved = frozenset[str]().union(*(self._pairs_of.get(case.id, ()) for case in cases))
        missing = len(names) - len(proved) + self._coverage.pairs.beyond
        if missing:
            self._unbought["pairs of values"] = (
                f"{missing} of {len(names) + self._coverage.pairs.beyond} pairs {reason}"
            )
        return missing


def varied_case(profile: OperationProfile, case: Case, usual: Any) -> Case:
    """Return a case with the properties of another request, except the one under test; unchanged where that changes its verdict."""
    if not is_object(case.body) or not is_object(usual) or not case.pointer:
        return case
    name = pointer_parts(case.pointer)[0]
    body = {key: value for key, value in usual.items() if key != name}
    if name in case.body:
        body[name] = case.body[name]
    verdicts = [
        ({fault.pointer for fault in profile.operation.validate_request(one)}, profile.is_unspecified(one))
        for one in (case.body, body)
    ]
    return replace(case, body=body, images=profile.images_asked(body)) if verdicts[0] == verdicts[1] else case


def survived_case(row: Row) -> Case:
    """Return a call with a value whose outcome is not specified."""
    return Case(
        f"odd/{row.name}",
        "odd-request-survived",
        row.value,
        ExpectedOutcome.SURVIVED,
        Evidence.DOCUMENTED,
        row.images,
    )
