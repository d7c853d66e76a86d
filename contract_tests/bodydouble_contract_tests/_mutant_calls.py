"""What a call asks for, as the conditions on which servers are wrong."""

from collections.abc import Callable
from typing import Any

from bodydouble_spec import is_array, is_object

from bodydouble_contract_tests._mutant import Call
from bodydouble_contract_tests._subject import Subject

__all__ = ["gives", "has", "inputs", "lacks", "members"]


def gives(status: int, concerns: Callable[[Call], bool]) -> Callable[[Call], str | None]:
    """The preference for a status, with the calls that are concerned."""
    return lambda call: f"code={status}" if concerns(call) else None


def members(call: Call) -> dict[str, Any]:
    """The properties of a call's body; none where it is no object."""
    return call.parsed if is_object(call.parsed) else {}


def has(name: str, value: Any) -> Callable[[Call], bool]:
    """Whether a property has this value."""
    return lambda call: members(call).get(name) == value


def lacks(name: str) -> Callable[[Call], bool]:
    """Whether an object comes without this property."""
    return lambda call: is_object(call.parsed) and name not in call.parsed


def inputs(subject: Subject, call: Call, missing: int = 0) -> list[str]:
    """The input pictures of a call; ``missing`` empty texts where it has no list of them."""
    value = members(call).get(subject.names.inputs or "")
    return [str(item) for item in value] if is_array(value) else [""] * missing
