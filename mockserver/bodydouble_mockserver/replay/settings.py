"""Options of a replay."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble_spec.recording import StoredRecording

__all__ = ["ReplaySettings"]


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """The recordings to answer from, and how.

    ``ignored`` are JSON pointers of values in a request that do not count. With ``is_only`` a request that was not recorded is refused with 404
    instead of answered by the contract, and with ``has_delays`` an answer takes as long as it did.
    """

    recordings: Sequence[StoredRecording]
    ignored: Sequence[str] = ()
    is_only: bool = False
    has_delays: bool = False
