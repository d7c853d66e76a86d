"""Strategies for the bodies of requests."""

from typing import Any

from bodydouble_spec import Contract, Operation
from hypothesis import strategies as st

from bodydouble_contract_tests._choice import described
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._schemas import request_schemas
from bodydouble_contract_tests._values import Values

__all__ = ["requests"]

# What clients send to routes of this kind, whether or not the contract knows it.
_APP_HABITS: dict[str, tuple[Any, ...]] = {
    "n": (1, 4),
    "size": ("1024x1024", "auto"),
    "response_format": ("url", "b64_json"),
    "image_size": ("2K", {"width": 1024, "height": 768}),
    "seed": (0, 42, 4294967295),
    "enable_safety_checker": (True, False),
}


def requests(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[Any]:
    """Valid JSON bodies of the operation's requests (the only operation when none is given).

    Every value of an enum, both bounds of a number exactly and fractions where they are allowed, pictures as URL, data URI and Base64
    (each under 1 kB) where the contract has its rule for pictures, texts that are empty, long (one in ten, about 4,000
    characters), with NUL, astral, right-to-left and combining characters, known values in any letter case and unlisted ones,
    optional properties present and absent, and unknown properties where they are allowed. Values are JSON: an object
    unless the contract's schema has something else at its top. Shrinks to the plainest of each.

    Raises UnsupportedSchema when the operation takes no JSON body or none can be made.
    """
    operation = operation or contract.operation()
    schemas = request_schemas(contract, operation)
    extras = [{name: value} for name, values in _APP_HABITS.items() for value in values]
    extras.append({name: values[0] for name, values in _APP_HABITS.items()})
    values = Values(schemas, extras)
    strategy = values.body()
    if strategy is None:
        places = ", ".join(dict.fromkeys(values.gaps))
        raise UnsupportedSchema(
            f"{operation.key}: no valid request can be made, because none of these places allows a value that we can make: {places}; "
            "look there for rules that contradict each other or a pattern beyond Python's re"
        )
    return described(strategy.filter(lambda body: not operation.validate_request(body)))
