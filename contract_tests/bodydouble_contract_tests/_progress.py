"""Where a verification stands, for whoever watches it."""

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Said before each call and before each wait.

    ``case`` is the id of the case that is called next, ``number`` how many calls are behind, ``total`` how many are planned (generated examples
    included; shrinking may take more). ``spent_usd`` and ``left_usd`` are None where nothing costs. ``waiting_s`` is above 0 when the server asked for a pause
    (429) that begins now. ``findings`` counts the distinct findings so far.
    """

    case: str
    number: int
    total: int
    spent_usd: float | None = None
    left_usd: float | None = None
    waiting_s: float = 0.0
    findings: int = 0
