"""Conditions on calls, for servers that deviate on some calls only."""

from collections.abc import Callable
from typing import Any

from bodydouble_spec import is_array, is_object

from bodydouble_contract_tests._mutant import MutatedCall
from bodydouble_contract_tests.checks import OperationProfile

__all__ = ["gives", "has", "inputs", "lacks", "members"]


def gives(status: int, concerns: Callable[[MutatedCall], bool]) -> Callable[[MutatedCall], str | None]:
    """Return a function that gives the preference for a status to the calls that meet a condition."""
    return lambda call: f"code={status}" if concerns(call) else None


def members(call: MutatedCall) -> dict[str, Any]:
    """Return the properties of a call's body; empty where it is not an object."""
    return call.parsed if is_object(call.parsed) else {}


def has(name: str, value: Any) -> Callable[[MutatedCall], bool]:
    """Return the condition that a property has this value."""
    return lambda call: members(call).get(name) == value


def lacks(name: str) -> Callable[[MutatedCall], bool]:
    """Return the condition that the body is an object without this property."""
    return lambda call: is_object(call.parsed) and name not in call.parsed


def inputs(profile: OperationProfile, call: MutatedCall, missing: int = 0) -> list[str]:
    """Return the input pictures of a call, or ``missing`` empty texts where it has no list of them."""
    value = members(call).get(profile.names.inputs or "")
    return [str(item) for item in value] if is_array(value) else [""] * missing
