"""Log lines for a pipe that nobody may read: the server never waits for its reader."""

import logging
import os
import queue
import threading
import time

__all__ = ["PipeHandler"]

_MAX_LINES = 10_000
_END_S = 1.0


class PipeHandler(logging.Handler):
    """Formats lines and writes them to a file descriptor in a thread of its own. Beyond 10,000 waiting lines, new ones are dropped, and counted in one line."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[logging.LogRecord] = queue.Queue(_MAX_LINES)
        self._dropped = 0
        threading.Thread(target=self._write, name="bodydouble-log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line, without waiting."""
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while True:
            line = f"{self.format(self._lines.get())}\n".encode("utf-8", "replace")
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                line += f"{dropped} lines of the log were dropped because nothing was reading them\n".encode()
            try:
                # Not through a stream, whose lock a blocked thread would hold when the interpreter ends.
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                pass  # the reader is gone
            self._lines.task_done()

    def close(self) -> None:
        """Write the lines that wait, as long as somebody reads them within a second."""
        self._wait()
        super().close()

    def _wait(self) -> None:
        """Wait a moment for the last lines."""
        end = time.monotonic() + _END_S
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
