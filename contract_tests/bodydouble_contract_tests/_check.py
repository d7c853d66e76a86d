"""One claim about a server, which a verification puts to the test."""

from dataclasses import dataclass

from bodydouble_spec import Evidence

__all__ = ["Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim: its id in kebab case, one sentence, its evidence and source, and its price.

    ``images`` is the number of pictures that the proof of this claim alone costs; 0 when it is free.
    A finding of a check has the check's id, or ``<check>/<rule or case>`` where one check can fail in several distinct ways.
    """

    id: str
    claim: str
    evidence: Evidence
    source: str
    images: int = 0
