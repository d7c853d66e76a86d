"""A server with one deviation, the places where it changes the mock, and conditions on the calls that it changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_spec import is_array, is_object

__all__ = ["Mutant", "MutantReply", "MutatedCall", "always", "gives", "has", "inputs", "lacks", "members"]


@dataclass(frozen=True, slots=True)
class MutatedCall:
    """A call as the mutant sees it.

    ``parsed`` is the body (None when it is not JSON), ``key`` the bearer key, ``is_known`` whether it is the server's key, ``number`` counts
    the calls from 1. ``headers`` are by lower-case name, ``raw`` is the body as sent, ``succeeded`` and ``refused`` count the earlier successes and
    refusals.
    """

    parsed: Any
    key: str
    is_known: bool
    number: int
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    raw: bytes = b""
    succeeded: int = 0
    refused: int = 0

    @property
    def asks_validly(self) -> bool:
        """True when the call has the server's key and a body that is JSON."""
        return self.is_known and self.parsed is not None


@dataclass(frozen=True, slots=True)
class MutantReply:
    """An answer, before it is sent; ``headers`` are by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def with_header(self, name: str, value: str) -> "MutantReply":
        """Return the reply with another value of a header."""
        return replace(self, headers={**self.headers, name: value})


def always(preference: str) -> Callable[[MutatedCall], str | None]:
    """Return the same preference for every call."""
    return lambda _call: preference


def _never(_call: MutatedCall) -> bool:
    return False


def _same(_call: MutatedCall, reply: MutantReply) -> MutantReply:
    return reply


@dataclass(frozen=True, slots=True)
class Mutant:
    """A server with one deviation.

    ``claim`` describes the deviation in one sentence, ``check`` is the id of the check that must find it. ``needs_socket`` marks a deviation that does
    not show in process, where one transport answers for every host, ``needs_all`` one that shows only among the calls of other checks. ``prefers`` returns the value of a ``Prefer`` header
    for a call (None: no header), ``accepts`` selects calls that are carried out as if they were valid, with the server's own key,
    and ``answers`` and ``pictures`` change the answers; ``answers`` also gets those to other methods. These four are not part of the mutant's equality.
    """

    id: str
    claim: str
    check: str
    needs_socket: bool = False
    needs_all: bool = False
    prefers: Callable[[MutatedCall], str | None] = field(default=lambda _call: None, compare=False, repr=False)
    accepts: Callable[[MutatedCall], bool] = field(default=_never, compare=False, repr=False)
    answers: Callable[[MutatedCall, MutantReply], MutantReply] = field(default=_same, compare=False, repr=False)
    pictures: Callable[[MutatedCall, MutantReply], MutantReply] | None = field(default=None, compare=False, repr=False)


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
