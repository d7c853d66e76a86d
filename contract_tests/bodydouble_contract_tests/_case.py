"""One call that a verification makes: what is sent, what must come of it, and what it costs at worst."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bodydouble_spec import Evidence

__all__ = ["Case", "Credential", "Expectation"]


class Expectation(StrEnum):
    """What must come of a case.

    ``accepted``: the success status, and an answer that keeps the contract. ``refused``: 400 with the error envelope.
    ``unauthorized``: 401. ``survived``: anything but a 5xx or silence, because nobody knows what else the service gives.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    SURVIVED = "survived"


class Credential(StrEnum):
    """Which API key goes with a case: the caller's, none, or one that nobody issued."""

    KEY = "key"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One call, and the `Check` that it serves.

    ``id`` names the case and stays the same as long as the contract does (``refusal/num_images/maximum+1``). ``body`` is the JSON value
    that is sent; ``images`` how many pictures the call costs if it is carried out (a wrongly accepted one too). ``pointer`` is the
    place in ``body`` that is examined, ``evidence`` how it is known what must come of it. ``covers`` are the contract elements that
    the call proves when it succeeds. The call is made ``repeats`` times.
    """

    id: str
    check: str
    body: Any
    expectation: Expectation
    evidence: Evidence
    images: int = 1
    pointer: str = ""
    credential: Credential = Credential.KEY
    repeats: int = 1
    covers: tuple[str, ...] = ()
