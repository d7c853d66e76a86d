"""What a verification is going to do: the most proof for the fewest pictures."""

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlsplit

from bodydouble_spec import Evidence

from bodydouble_contract_tests._boundary import boundary_cases
from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._cases import accepted_case, credential_cases, steady_case
from bodydouble_contract_tests._cases_boundary import refusal_cases, valid_boundary_cases
from bodydouble_contract_tests._cases_odd import odd_cases
from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._planner_budget import affordable_start, best_bought, price, within_budget
from bodydouble_contract_tests._planner_cover import Cover
from bodydouble_contract_tests._planner_only import free_serving, paid_serving
from bodydouble_contract_tests._planner_picture import EXAMPLE_URL
from bodydouble_contract_tests._subject import Subject

__all__ = ["coverage", "elements", "make_plan"]

_FREE_REPEATS = 5
_UNPAID_REPEATS = 20
_NOT_ASKED_FOR = "not one of the checks that were asked for"
_NOT_WORTH_IT = "only assumed: not worth what it costs where the server differs"


def make_plan(
    subject: Subject,
    *,
    is_billed: bool,
    max_images: int | None = None,
    image_url: str | None = None,
    only: Collection[str] | None = None,
) -> Plan:
    """The calls that verify an operation, the same ones every time.

    ``is_billed`` tells that successful calls cost money: then nothing is sent that would be no more than an info when it fails. ``max_images``
    are the pictures that may be paid for (None: as many as prove every element, and no more). What the elements leave of them buys first
    requests of unknown fate, then pairs of values. Where nothing is charged, all but the pairs is sent anyway. ``image_url`` is a picture
    that the server can fetch (http or https). ``only`` keeps the calls that serve the checks of these ids.

    Raises UnsupportedSchema when the operation takes no JSON body or no valid request is found, and ValueError for an unknown check or a URL
    of another kind.
    """
    if image_url is not None and urlsplit(image_url).scheme not in {"http", "https"}:
        raise ValueError(f"the input picture must be given by an http(s) URL, not {image_url[:40]!r}")
    planner = _Planner(subject, image_url if image_url or is_billed else EXAMPLE_URL, only)
    return planner.billed_plan(max_images) if is_billed else planner.unbilled_plan(max_images)


def elements(subject: Subject) -> tuple[str, ...]:
    """What there is to prove of an operation's requests: each value, bound, optional property and form of input, by a readable name.

    Values of unknown fate are none, nor are texts beyond 5,000 characters and lists beyond 32 items. Raises UnsupportedSchema as
    `make_plan` does.
    """
    return Cover(subject, EXAMPLE_URL).elements


def coverage(plan: Plan, succeeded: Iterable[Case]) -> dict[str, int]:
    """How many of the calls that succeeded prove each element; pairs of values follow where a call was made for them."""
    counts = dict.fromkeys(plan.elements, 0)
    for case in succeeded:
        for element in case.covers:
            counts[element] = counts.get(element, 0) + 1
    return counts


class _Planner:
    """Puts the calls of a plan together, and notes why some are not in it."""

    def __init__(self, subject: Subject, image_url: str | None, only: Collection[str] | None) -> None:
        self._subject = subject
        self._checks = {check.id: check for check in catalogue(subject)}
        unknown = sorted(set(only or ()) - self._checks.keys())
        if unknown:
            raise ValueError(
                f"there is no check {unknown[0]!r}; {subject.operation.key} has: {', '.join(self._checks)}"
            )
        self._only = None if only is None else set(only)
        self._cover = Cover(subject, image_url)
        self._boundaries = boundary_cases(subject.contract, subject.operation)
        self._unbought: dict[str, str] = {}

    def billed_plan(self, max_images: int | None) -> Plan:
        """The plan where success costs money."""
        refusals = refusal_cases(self._subject, self._boundaries)
        worth_it = [case for case in refusals if case.evidence is not Evidence.ASSUMED]
        self._unbought |= {case.id: _NOT_WORTH_IT for case in refusals if case.evidence is Evidence.ASSUMED}
        self._unbought |= {element: _NOT_WORTH_IT for case in self._cover.assumed for element in case.covers}
        steady = [steady_case(case, _FREE_REPEATS) for case in worth_it[-1:]]
        wanted, odd = self._wanted(), self._asked(self._odd())
        if max_images is None:
            max_images = price(wanted) + (0 if self._only is None else price(odd))
        paid = [*self._bought(wanted, max_images)]
        if price(wanted) <= max_images:
            rest = affordable_start(odd, max_images - price(wanted))
            paid += rest
            if len(rest) == len(odd):
                paid += self._pairs(max_images - price(paid))
        beyond = f"beyond the budget of {max_images} pictures"
        self._unbought |= {case.id: beyond for case in odd if case not in paid}
        return self._plan([*worth_it, *steady], paid, [], beyond)

    def unbilled_plan(self, max_images: int | None) -> Plan:
        """The plan where nothing is charged; a limit holds for the calls that would be paid elsewhere."""
        paid = self._bought(self._wanted(), max_images)
        steady = steady_case(self._cover.cases[0], _UNPAID_REPEATS)
        sure = [*self._cover.cases, *self._cover.assumed, *self._odd()]
        boundaries = valid_boundary_cases(self._subject, self._boundaries, [case.body for case in sure])
        unpaid = self._asked([*self._cover.assumed, *self._odd(), *boundaries, steady])
        return self._plan(
            refusal_cases(self._subject, self._boundaries), paid, unpaid, f"beyond the limit of {max_images} pictures"
        )

    def _plan(self, refusals: list[Case], paid: list[Case], unpaid: list[Case], beyond: str) -> Plan:
        free = [*credential_cases(self._checks, self._cover.plainest), *refusals]
        checks = list(self._checks.values())
        if self._only is not None:
            free = free_serving(free, self._only)
            checks = [check for check in checks if check.id in self._only]
        url = self._cover.url_element
        names = self._cover.elements if url is None else (*self._cover.elements, url)
        if url is not None:
            self._unbought[url] = "needs a picture that the server can fetch: give --image-url"
        asked = {element for case in self._wanted() for element in case.covers}
        proved = {element for case in (*paid, *unpaid) for element in case.covers}
        for name in names:
            if name not in proved:
                self._unbought.setdefault(name, beyond if name in asked else _NOT_ASKED_FOR)
        return Plan(tuple(checks), tuple(free), tuple(paid), tuple(unpaid), names, self._unbought)

    def _wanted(self) -> list[Case]:
        return self._serving(self._cover.cases)

    def _bought(self, wanted: list[Case], images: int | None) -> list[Case]:
        """What the budget buys of the calls, or of those that ask for many pictures for their own sake only."""
        if images is None or price(wanted) <= images:
            return wanted
        return best_bought([within_budget(cases, images) for cases in (wanted, self._serving(self._cover.cases_apart))])

    def _serving(self, cases: list[Case]) -> list[Case]:
        return cases if self._only is None else paid_serving(cases, self._only, self._cover, self._subject.names)

    def _asked(self, cases: Sequence[Case]) -> list[Case]:
        return [case for case in cases if self._only is None or case.check in self._only]

    def _odd(self) -> list[Case]:
        check = self._checks.get("odd-request-survived")
        return [] if check is None else odd_cases(self._subject, self._cover.plainest, check.evidence)

    def _pairs(self, images: int) -> list[Case]:
        """Calls for pairs of values that no other call proves."""
        if self._only is not None:
            return []
        pairs = self._cover.pairs
        seen = self._cover.pairs_covered()
        cases = [accepted_case(row, new, Evidence.DOCUMENTED) for row, new in pairs.rows(seen, images)]
        missing = len(set(pairs.names) - seen) - sum(len(case.covers) for case in cases)
        if missing:
            self._unbought["pairs of values"] = f"{missing} of {len(pairs.names)} pairs are beyond the budget"
        return cases
