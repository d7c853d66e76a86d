"""Calls whose answers must not depend on the calls before them or beside them."""

from collections.abc import Sequence
from dataclasses import replace

from bodydouble_contract_tests.model import Case

__all__ = ["alternating_cases", "first_case", "parallel_cases"]


def first_case(usual: Case) -> Case:
    """Return the usual call as the first one that the server gets."""
    return _renamed("first", usual)


def alternating_cases(usual: Case, refused: Sequence[Case]) -> list[Case]:
    """Return the usual call and each refused one in turn: each refusal follows a success, each further success a refusal."""
    cases = [_renamed("before-refusals", usual)]
    for case in refused:
        cases += [
            _renamed(f"after-success/{case.id}", case),
            _renamed(f"after-refusal/{case.id}", usual),
        ]
    return cases


def parallel_cases(accepted: Sequence[Case], refused: Sequence[Case]) -> list[Case]:
    """Return different calls to be made at the same time, so that an answer to another call is noticed."""
    cases = [*accepted, *refused]
    return [_renamed(f"parallel/{case.id}", case) for case in cases]


def _renamed(name: str, case: Case) -> Case:
    return replace(case, id=f"state/{name}", covers=(), repeats=1)
