"""Options of a folder that keeps pictures."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["KeepSettings"]


@dataclass(frozen=True, slots=True)
class KeepSettings:
    """The folder that keeps recipes and inputs across restarts, and its bounds; what was not used for longest goes first.

    ``max_recipes`` is the number of requests whose pictures can be drawn, ``max_bytes`` the size of all input files together, and ``max_age_days`` the
    time since a request had them last.
    """

    folder: Path
    max_recipes: int = 20_000
    max_bytes: int = 1024 * 1024 * 1024
    max_age_days: float = 30
