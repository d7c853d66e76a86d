"""The journal's file: exchanges as JSON lines, written within a second, so that a killed process loses at most one second."""

import atexit
import logging
import os
import threading
from pathlib import Path

__all__ = ["CannotWriteJournal", "JournalFile"]

_LOG = logging.getLogger("bodydouble.mockserver")
_FLUSH_S = 0.5
_BUFFER_BYTES = 1024 * 1024


class CannotWriteJournal(ValueError):
    """The journal file cannot be written; the message says which file, why, and what to do."""


class JournalFile:
    """Appends lines to a file with a delay of at most half a second; thread-safe.

    Lines handed to the operating system survive a crash of this process. When writing fails later (a full disk), the error is logged once
    and later lines are dropped, so that the app's calls continue. Raises CannotWriteJournal when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            reason = error.strerror or error
            raise CannotWriteJournal(
                f"the journal file {path} cannot be opened: {reason}; name a file in a folder that can be written"
            ) from None
        self._lines: list[bytes] = []
        self._size = 0
        self._is_open = True
        self._lock = threading.Lock()
        # Held while writing, so that lines stay in order while new ones are accepted.
        self._writing = threading.Lock()
        self._has_lines = threading.Event()
        self._end = threading.Event()
        self._end_torn_line()
        self._thread = threading.Thread(target=self._run, name="bodydouble-journal", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def append(self, line: bytes) -> None:
        """Queue one line, which includes its newline."""
        with self._lock:
            if not self._is_open:
                return
            self._lines.append(line)
            self._size += len(line)
            is_full = self._size > _BUFFER_BYTES
        if is_full:
            self.flush()
        elif not self._has_lines.is_set():
            self._has_lines.set()

    def flush(self) -> None:
        """Write all queued lines to the file."""
        with self._writing:
            with self._lock:
                lines, self._lines, self._size = self._lines, [], 0
                self._has_lines.clear()
            if lines:
                self._write(b"".join(lines))

    def close(self) -> None:
        """Write the queued lines and close the file; later lines are dropped. Safe to call again."""
        self._end.set()
        self._has_lines.set()
        self._thread.join()
        # A line may have been queued after the thread's last flush.
        self.flush()
        with self._writing, self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._is_open, self._descriptor = False, -1
        atexit.unregister(self.close)

    def _run(self) -> None:
        while not self._end.is_set():
            self._has_lines.wait()
            self._end.wait(_FLUSH_S)
            self.flush()

    def _write(self, data: bytes) -> None:
        if self._descriptor < 0:
            return
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            _LOG.error("the journal file %s can no longer be written: %s", self._path, error.strerror or error)
            os.close(self._descriptor)
            self._is_open, self._descriptor = False, -1

    def _end_torn_line(self) -> None:
        """End a line that a killed process left unfinished, which would corrupt the next one."""
        try:
            if os.lseek(self._descriptor, 0, os.SEEK_END):
                os.lseek(self._descriptor, -1, os.SEEK_END)
                if os.read(self._descriptor, 1) != b"\n":
                    self._write(b"\n")
        except OSError:
            # A pipe or a terminal cannot seek.
            return
