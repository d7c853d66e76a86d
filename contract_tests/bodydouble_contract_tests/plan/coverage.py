"""The calls that prove every contract element."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from bodydouble_spec import Evidence

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.model import Case, OperationProfile
from bodydouble_contract_tests.plan.array import Pairs, covering_rows, varied_rows
from bodydouble_contract_tests.plan.cases import UNKNOWN_PROPERTY, accepted_case, unknown_property_case
from bodydouble_contract_tests.plan.options import RequestOptions
from bodydouble_contract_tests.plan.space import MINIMAL, NO_BODY, Factor, Option, Row, Space, Split, split_unsure
from bodydouble_contract_tests.schema import NOTHING

__all__ = ["REQUIRED_ONLY", "CoveragePlan"]

REQUIRED_ONLY = "required properties only"
"""The element that the minimal request proves."""


class CoveragePlan:
    """The elements of one operation's request and the calls that prove them, singly and in pairs.

    ``image_url`` is a picture that the server can fetch, None when there is none. The calls for single elements have input pictures of the usual formats
    and sizes, with ``is_cautious`` those for pairs too. ``minimal`` is the request with as little in it as the contract allows. An operation that takes no body has one request.
    Raises UnsupportedSchema when the body of the operation is no JSON, or no valid request is found.
    """

    def __init__(self, profile: OperationProfile, image_url: str | None, *, is_cautious: bool = False) -> None:
        self._profile = profile
        self._is_cautious = is_cautious
        self._image_url = image_url
        self.url_element: str | None = None
        divided = self._divided(is_cautious=True)
        self._spaces = [split.sure for split in divided]
        self._unsure = [row_and_option for split in divided for row_and_option in split.unsure]
        self._rows = self._covering(costly_last=False)
        if not self._rows:
            raise UnsupportedSchema(
                f"{profile.operation.key}: no simple valid request was found; look for rules that contradict each other, "
                "or that no simple string, number or list satisfies, such as a pattern for the names of several properties"
            )
        self.minimal = self._rows[0][1]

    @cached_property
    def cases(self) -> list[Case]:
        """The calls to pay for: the minimal request, then those that prove the most for each picture."""
        return self._cases(self._rows)

    @cached_property
    def cases_cheap_first(self) -> list[Case]:
        """Calls that prove the same elements, and most of them early: cheap elements share no call with costly ones."""
        return self._cases(self._covering(costly_last=True))

    @cached_property
    def assumed(self) -> list[Case]:
        """The calls that prove assumed values only; their failure would not be worth its price."""
        return [case for case in self._alone() if case.evidence is Evidence.ASSUMED]

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """The elements that ``cases`` and ``assumed`` prove, in the order of the contract."""
        by_place = [element for space in self._spaces for factor in space.factors for element in _covered_by(factor)]
        proved = {element for case in (*self.cases, *self.assumed) for element in case.covers}
        return tuple(
            name
            for name in dict.fromkeys((REQUIRED_ONLY, *by_place, *sorted(proved), UNKNOWN_PROPERTY))
            if name in proved
        )

    def elements_of(self, name: str | None) -> frozenset[str]:
        """Return the elements of one property of the request."""
        factors = (factor for space in self._spaces for factor in space.factors if factor.name == name)
        return frozenset(element for factor in factors for element in _covered_by(factor))

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs of values with a specified outcome, in the first alternative of the request's schema."""
        return Pairs(self._pair_split.sure)

    @cached_property
    def pairs_of_cases(self) -> dict[str, frozenset[str]]:
        """The pairs in each call of ``cases``, by its id."""
        return {
            accepted_case(row, (), Evidence.DOCUMENTED).id: frozenset(self.pairs.of(row.chosen))
            for space, row in self._rows
            if space is self._spaces[0]
        }

    def pair_rows(self, images: int | None = None) -> Iterator[Row]:
        """Yield requests for the pairs that ``cases`` do not prove, up to a total price; see `Pairs.rows`."""
        seen = frozenset[str]().union(*self.pairs_of_cases.values())
        yield from varied_rows(self._pair_split.sure, self.pairs.rows(seen, images))

    def unspecified_rows(self) -> Iterator[Row]:
        """Yield requests for the pairs with a value whose outcome is not specified; such values of one property count as one."""
        united = {name: _united(options) for name, options in self._pair_split.unspecified.items()}
        factors = (
            replace(factor, options=(*factor.options, united[factor.name])) if factor.name in united else factor
            for factor in self._pair_split.sure.factors
        )
        space = replace(self._pair_split.sure, factors=tuple(factors))
        yield from varied_rows(space, Pairs(space, {option.key for option in united.values()}).rows())

    @cached_property
    def _pair_split(self) -> Split:
        return self._divided(is_cautious=self._is_cautious)[0]

    def _divided(self, *, is_cautious: bool) -> list[Split]:
        """Return one divided space for each alternative of the request's schema."""
        if not self._profile.operation.request_bodies:
            return [Split(NO_BODY, [], {})]
        options = RequestOptions(self._profile, self._image_url, is_cautious=is_cautious)
        spaces = options.spaces()
        self.url_element = options.url_element
        return [split_unsure(space, lambda body: not self._profile.is_unspecified(body)) for space in spaces]

    def _covering(self, *, costly_last: bool) -> list[tuple[Space, Row]]:
        return [
            (space, row)
            for space in self._spaces
            for row in varied_rows(space, covering_rows(space, costly_last=costly_last))
        ]

    def _cases(self, rows: list[tuple[Space, Row]]) -> list[Case]:
        made = [accepted_case(row, self._elements_of(row), Evidence.DOCUMENTED) for _, row in rows]
        made += [case for case in self._alone() if case.evidence is not Evidence.ASSUMED]
        unknown = unknown_property_case(self._profile, self.minimal)
        return _most_first([*made, *([] if unknown is None else [unknown])])

    def _elements_of(self, row: Row) -> tuple[str, ...]:
        is_shorter = any(option.value is NOTHING for option in row.chosen.values())
        return (REQUIRED_ONLY, *row.covers) if row.name == MINIMAL and is_shorter else row.covers

    def _alone(self) -> Iterator[Case]:
        for row, option in self._unsure:
            yield accepted_case(row, option.covers, option.evidence)


def _covered_by(factor: Factor) -> Iterator[str]:
    return (element for option in factor.options for element in option.covers)


def _united(options: tuple[Option, ...]) -> Option:
    """Return one option with the values of several."""
    first, *rest = options
    others = (*first.others, *(value for option in rest for value in (option.value, *option.others)))
    return replace(first, others=others)


def _most_first(cases: list[Case]) -> list[Case]:
    """Return the first call, then those that prove the most new elements for each picture."""
    ordered, waiting = cases[:1], cases[1:]
    covered = set(cases[0].covers)
    while waiting:
        best = max(waiting, key=lambda case: len(set(case.covers) - covered) / case.images)
        waiting.remove(best)
        ordered.append(best)
        covered.update(best.covers)
    return ordered
