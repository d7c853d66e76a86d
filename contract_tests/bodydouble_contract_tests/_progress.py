"""The progress of a verification."""

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run before a call or a wait.

    ``case`` is the id of the next case, ``number`` the number of calls made so far, ``total`` the number of planned calls (generated examples
    included; their reduction may take more). ``spent_usd`` and ``left_usd`` are None where nothing costs money. ``waiting_s`` is above 0 when the server
    asked for a pause (429) that begins now. ``findings`` counts the distinct findings so far.
    """

    case: str
    number: int
    total: int
    spent_usd: float | None = None
    left_usd: float | None = None
    waiting_s: float = 0.0
    findings: int = 0
