"""Strategies for the bodies of requests."""

from typing import Any

from bodydouble_spec import Contract, Operation
from hypothesis import strategies as st

from bodydouble_contract_tests._choice import with_short_repr
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._schemas import request_walker
from bodydouble_contract_tests._values import ValueStrategies

__all__ = ["requests"]

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
            "look there for contradicting rules or a pattern that Python's re cannot read"
        )
    return with_short_repr(strategy.filter(lambda body: not operation.validate_request(body)))
