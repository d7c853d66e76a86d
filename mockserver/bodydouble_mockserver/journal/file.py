"""The journal's file: exchanges as JSON lines, written within a second, so that a killed process loses at most one second."""

import atexit
import contextlib
import logging
import os
import stat
import sys
import threading
from collections.abc import Generator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["CannotWriteJournal", "JournalFile"]

_LOG = logging.getLogger("bodydouble.mockserver")
_FLUSH_S = 0.2
_BUFFER_BYTES = 8 * 1024 * 1024


class CannotWriteJournal(ValueError):
    """The journal file cannot be written; the message says which file, why, and what to do."""


class JournalFile:
    """Appends lines to a file within a second; thread-safe.

    Lines handed to the operating system survive a crash of this process. A file that was moved away or removed is made anew (log rotation);
    several processes may write to one file. When writing fails (a full disk), lines are lost and counted, the error is logged once, and
    later lines are written again as soon as that is possible, so that the app's calls continue. Raises CannotWriteJournal when the file
    cannot be opened at first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = _open(path)
        except OSError as error:
            raise CannotWriteJournal(
                f"the journal file {path} cannot be opened: {_reason(error)}; name a file in a writable folder"
            ) from None
        self._problem: str | None = None
        self._lost_lines = 0
        self._lines: list[bytes] = []
        self._size = 0
        self._is_open = True
        self._lock = threading.Lock()
        # Held while writing, so that lines stay in order while new ones are accepted.
        self._writing = threading.Lock()
        self._has_lines = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bodydouble-journal", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def problem(self) -> str | None:
        """The loss of lines so far, in one sentence; None while all were written."""
        if self._lost_lines == 0:
            return None
        state = f"cannot be written: {self._problem}" if self._problem else "can be written again"
        return f"the journal file {self._path} {state}; lines lost: {self._lost_lines}"

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

    def lose(self, reason: str) -> None:
        """Count a line that could not be made, and log the reason."""
        with self._lock:
            self._lost_lines += 1
        _LOG.error("an entry for the journal file %s could not be formatted: %s", self._path, reason)

    def flush(self) -> None:
        """Write all queued lines to the file."""
        with self._writing:
            with self._lock:
                lines, self._lines, self._size = self._lines, [], 0
                self._has_lines.clear()
            if lines and self._descriptor >= 0:
                self._write(lines)

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

    def _write(self, lines: list[bytes]) -> None:
        rest = memoryview(b"".join(lines))
        try:
            self._follow_path()
            with _locked(self._descriptor):
                # Under the lock, where no other process is in the middle of a line.
                is_torn = _ends_within_a_line(self._descriptor)
                if is_torn:
                    os.write(self._descriptor, b"\n")
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._lost_lines += bytes(rest).count(b"\n")
            if self._problem is None:
                self._problem = _reason(error)
                _LOG.error("%s", self.problem)
            return
        if self._problem is not None:
            self._problem = None
            _LOG.error("%s", self.problem)

    def _follow_path(self) -> None:
        """Open the path again when it no longer leads to the open file. Raises OSError."""
        now = os.fstat(self._descriptor)
        if not stat.S_ISREG(now.st_mode):
            return
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(now, self._path.stat()):
                return
        moved, self._descriptor = self._descriptor, _open(self._path)
        os.close(moved)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)


def _ends_within_a_line(descriptor: int) -> bool:
    """Return whether a killed process left a line unfinished, which would corrupt the next one."""
    try:
        if not os.lseek(descriptor, 0, os.SEEK_END):
            return False
        os.lseek(descriptor, -1, os.SEEK_END)
        return os.read(descriptor, 1) != b"\n"
    except OSError:
        # A pipe or a terminal cannot seek.
        return False


@contextlib.contextmanager
def _locked(descriptor: int) -> Generator[None]:
    """Keep other processes from writing between the parts of a write, where files can be locked."""
    if sys.platform == "win32":
        yield
        return
    is_locked = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        is_locked = False  # a pipe, or a file system without locks
    try:
        yield
    finally:
        if is_locked:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
