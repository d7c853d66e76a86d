"""Pauses that a server asks for (429): their length and their limit."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["WaitBudget", "retry_after_s"]

_USUAL_S = 10.0
# Without this a Retry-After of 0 could repeat a call forever.
_SHORTEST_S = 1.0


def retry_after_s(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds to wait by the Retry-After header (seconds, or an HTTP date), at least 1; 10 where it cannot be read.

    ``now`` is seconds since the epoch, ``headers`` are by lower-case name.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        # More digits than any real pause has; a longer int may not fit into a float.
        return max(_SHORTEST_S, float(int(text[:12])))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return _USUAL_S
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(_SHORTEST_S, aware.timestamp() - now)


class WaitBudget:
    """The seconds that one run may wait, all pauses together."""

    def __init__(self, max_wait_s: float) -> None:
        self.left_s = max_wait_s

    def take(self, seconds: float) -> bool:
        """Take the seconds of one pause from the budget. Return False, and take nothing, when fewer are left."""
        if seconds > self.left_s:
            return False
        self.left_s -= seconds
        return True
