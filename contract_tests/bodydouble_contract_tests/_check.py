"""One claim about a server that a verification puts to the test."""

from dataclasses import dataclass

from bodydouble_spec import Evidence

__all__ = ["Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim: its id in kebab case, one sentence, how it is known and from where, and its price.

    ``images`` is the number of pictures that must be bought to prove the claim when nothing else is verified; 0 when it costs nothing.
    A finding of a check has the check's id, or ``<check>/<rule or case>`` where one check can fail in several distinct ways.
    """

    id: str
    claim: str
    evidence: Evidence
    source: str
    images: int = 0
