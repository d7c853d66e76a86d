"""Strategies for the bodies of requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from bodydouble_spec import Contract, Operation, is_array, is_object, pointer_parts
from hypothesis import strategies as st

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.schema import request_walker, satisfying
from bodydouble_contract_tests.strategies.boundary import BoundaryCase, boundary_cases
from bodydouble_contract_tests.strategies.texts import choice, with_short_repr
from bodydouble_contract_tests.strategies.values import ValueStrategies

__all__ = ["InvalidRequest", "invalid_requests", "requests"]

# Properties that clients often send to such routes, documented or not.
_APP_HABITS: dict[str, tuple[Any, ...]] = {
    "n": (1, 4),
    "size": ("1024x1024", "auto"),
    "response_format": ("url", "b64_json"),
    "image_size": ("2K", {"width": 1024, "height": 768}),
    "seed": (0, 42, 4294967295),
    "enable_safety_checker": (True, False),
}


def requests(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy for valid JSON bodies of the operation's requests (the only operation by default).

    It makes every value of an enum, both bounds of a number exactly and fractions where they are allowed, and pictures as URL, data URI and
    Base64 (each under 1 kB) where the contract has its rule for pictures. Texts are empty, long (one in ten, about 4,000 characters), or have
    NUL, astral, right-to-left and combining characters. Known values come in any letter case, next to unlisted ones. Optional properties are
    present and absent, and unknown properties are added where they are allowed. Values are JSON: an object unless the contract's schema has
    something else at its top. Examples shrink to the simplest value of each kind.

    Raises UnsupportedSchema when the operation takes no JSON body or none can be made.
    """
    operation = operation or contract.operation()
    walker = request_walker(contract, operation)
    extras = [{name: value} for name, values in _APP_HABITS.items() for value in values]
    extras.append({name: values[0] for name, values in _APP_HABITS.items()})
    values = ValueStrategies(walker, extras)
    strategy = values.body()
    if strategy is None:
        places = ", ".join(dict.fromkeys(values.gaps))
        raise UnsupportedSchema(
            f"{operation.key}: no valid request can be made, because no value was found for {places}; "
            "look there for contradicting rules, sizes beyond a million, or a pattern that Python's re cannot read, "
            "and give a contract with a simpler rule there"
        )
    return with_short_repr(strategy)


_MOST_FAULTS = 3


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A body that breaks the contract. ``faults`` are the ids of its faults, as in `boundary_cases`; ``pointers`` has each fault's place in the same order."""

    body: Any
    faults: tuple[str, ...]
    pointers: tuple[str, ...]


def invalid_requests(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[InvalidRequest]:
    """Return a strategy for request bodies that break the contract in one to three named places (of the only operation by default).

    Each is a valid body of `requests` with the faults of invalid `boundary_cases` put into it, none inside another. The contract reports a
    fault at each of ``pointers`` and nowhere else. Examples shrink to one fault in the simplest body.

    Raises UnsupportedSchema when the operation takes no JSON body, or accepts any.
    """
    operation = operation or contract.operation()
    cases = [case for case in boundary_cases(contract, operation) if not case.valid]
    if not cases:
        raise UnsupportedSchema(f"{operation.key} accepts any JSON: no request breaks its contract")
    # Drawn before the body, because Hypothesis often keeps the last draw simple. The list is not unique, because
    # unique lists shrink worse; overlapping faults are dropped.
    faults = st.lists(choice(cases), min_size=1, max_size=_MOST_FAULTS).map(_without_overlaps)

    def is_as_named(request: InvalidRequest) -> bool:
        found = {finding.pointer for finding in operation.validate_request(request.body)}
        return found == set(request.pointers)

    simplest = InvalidRequest(cases[0].body, (cases[0].id,), (cases[0].pointer,))
    made = st.builds(_with_faults, faults, requests(contract, operation))
    return with_short_repr(satisfying(made, is_as_named, simplest))


def _with_faults(cases: Sequence[BoundaryCase], body: Any) -> InvalidRequest:
    body_with_faults = reduce(
        lambda whole, case: _with_fault(whole, case.body, pointer_parts(case.pointer)), cases, body
    )
    return InvalidRequest(body_with_faults, tuple(case.id for case in cases), tuple(case.pointer for case in cases))


def _without_overlaps(cases: list[BoundaryCase]) -> list[BoundaryCase]:
    """Return the cases without those that lie inside or around an earlier one."""
    kept: list[BoundaryCase] = []
    for case in cases:
        if not any(_overlap(case.pointer, other.pointer) for other in kept):
            kept.append(case)
    return kept


def _overlap(first: str, second: str) -> bool:
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def _with_fault(target: Any, source: Any, parts: Sequence[str]) -> Any:
    """Copy one place of ``source`` into ``target``, with the containers on the way there; remove it where ``source`` has nothing there."""
    if not parts:
        return source
    name, *rest = parts
    if is_object(target) and is_object(source):
        if name not in source:
            return {key: value for key, value in target.items() if key != name}
        value = _with_fault(target[name], source[name], rest) if name in target else source[name]
        return {**target, name: value}
    if is_array(target) and is_array(source) and int(name) < min(len(target), len(source)):
        index = int(name)
        return [*target[:index], _with_fault(target[index], source[index], rest), *target[index + 1 :]]
    return source
