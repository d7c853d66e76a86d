"""One wrong server: what is wrong with it, and where it steps in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Call", "Mutant", "Reply", "always"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came: the parsed body (None when it is no JSON), the bearer key and whether it is the server's, and its number, from 1."""

    parsed: Any
    key: str
    is_known: bool
    number: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, before it is sent; ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def with_header(self, name: str, value: str) -> "Reply":
        """The reply with another value of a header."""
        return replace(self, headers={**self.headers, name: value})


def always(preference: str) -> Callable[[Call], str | None]:
    """The preference that goes with every call."""
    return lambda _call: preference


def _never(_call: Call) -> bool:
    return False


def _same(_call: Call, reply: Reply) -> Reply:
    return reply


@dataclass(frozen=True, slots=True)
class Mutant:
    """A server with one deviation.

    ``claim`` says in one sentence what is wrong, ``check`` is the id of the check that must find it, ``needs_socket`` that it does
    not show in process, where one transport answers for every host. ``prefers`` gives what a ``Prefer`` header
    would ask for with this call (None: nothing), ``accepts`` says which calls are carried out as if they were right, with the server's own key,
    ``answers`` and ``pictures`` change what is sent. The four are how it is made wrong, and no part of what it is.
    """

    id: str
    claim: str
    check: str
    needs_socket: bool = False
    prefers: Callable[[Call], str | None] = field(default=lambda _call: None, compare=False, repr=False)
    accepts: Callable[[Call], bool] = field(default=_never, compare=False, repr=False)
    answers: Callable[[Call, Reply], Reply] = field(default=_same, compare=False, repr=False)
    pictures: Callable[[Call, Reply], Reply] | None = field(default=None, compare=False, repr=False)
