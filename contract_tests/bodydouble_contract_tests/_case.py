"""One call of a verification: the request, the expected outcome, and the highest possible price."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bodydouble_spec import Evidence

__all__ = ["Case", "Credential", "ExpectedOutcome"]


class ExpectedOutcome(StrEnum):
    """The outcome that a case must have.

    ``accepted``: the success status, and an answer that keeps the contract. ``refused``: 400 with the error envelope. ``unauthorized``: 401.
    ``survived``: any answer but a 5xx, because the behaviour is not specified.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    SURVIVED = "survived"


class Credential(StrEnum):
    """The API key that a case is sent with: the caller's, none, or a wrong one."""

    KEY = "key"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One call, made for one `Check`.

    ``id`` names the case and stays the same as long as the contract does (``refusal/num_images/maximum+1``). ``body`` is the JSON value
    to send, and ``images`` the number of pictures that the call costs if the server carries it out (a wrongly accepted one too). ``pointer`` is the
    place in ``body`` under test, ``evidence`` the evidence for the expected outcome. ``covers`` are the contract elements that the call proves
    when it succeeds. The call is made ``repeats`` times.
    """

    id: str
    check: str
    body: Any
    expectation: ExpectedOutcome
    evidence: Evidence
    images: int = 1
    pointer: str = ""
    credential: Credential = Credential.KEY
    repeats: int = 1
    covers: tuple[str, ...] = ()
