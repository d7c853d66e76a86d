"""The limits of a whole run, which the server under test must not be able to extend: time, bytes, and calls without an answer."""

import threading
import time
from collections.abc import Callable

__all__ = ["RunLimits"]

# So many calls, or downloads, without an answer in time say what the next one would.
_MOST_LATE = 5
_MB = 1024 * 1024


class RunLimits:
    """Count what one run takes; safe to use from several threads.

    ``max_run_s`` are the seconds and ``max_received_mb`` the megabytes of all answers and pictures together. ``clock`` gives seconds from any moment on.
    """

    def __init__(self, max_run_s: float, max_received_mb: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_run_s = max_run_s
        self._max_received_mb = max_received_mb
        self._clock = clock
        self._began = clock()
        self._received_bytes = 0
        self._late = 0
        self._late_downloads = 0
        self._lock = threading.Lock()

    def note_answer(self, received_bytes: int, *, is_late: bool) -> None:
        """Count an answer; ``is_late`` when it did not come in time."""
        with self._lock:
            self._received_bytes += received_bytes
            self._late = self._late + 1 if is_late else 0

    def note_download(self, received_bytes: int, *, is_late: bool) -> None:
        """Count the download of a picture."""
        with self._lock:
            self._received_bytes += received_bytes
            self._late_downloads = self._late_downloads + 1 if is_late else 0

    def reason_to_stop(self) -> str | None:
        """Return why no further call may be made, with the remedy; None when one may."""
        if self._clock() - self._began >= self._max_run_s:
            return f"the run reached its limit of {self._max_run_s:g} s; allow more time (max_run_s)"
        if self._received_bytes > self._max_received_mb * _MB:
            return f"the answers have reached the limit of {self._max_received_mb:g} MB; allow more (max_received_mb)"
        if self._late >= _MOST_LATE:
            return f"the server gave no complete answer in time to {self._late} calls in a row; allow more time for a call, or fix the server"
        return None

    def reason_to_skip(self) -> str | None:
        """Return why no further picture is downloaded; None when one may be."""
        if self._late_downloads >= _MOST_LATE:
            return f"it was not tried, since {_MOST_LATE} downloads in a row took too long"
        return None if self.reason_to_stop() is None else "it was not tried, since the run has reached a limit"
