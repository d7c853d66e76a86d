"""A file of JSON lines that is only appended to, and of which every line stays whole whatever ends the process."""

import contextlib
import os
import sys
import threading
from pathlib import Path

import orjson

if sys.platform != "win32":
    import fcntl

__all__ = ["LineFile"]

_BLOCK = 65536


class LineFile:
    """Appends lines to a file, which is made where there is none; thread-safe.

    `append` returns when the operating system has the line, so that a killed process loses none before it. Raises OSError when the file cannot be
    opened.
    """

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), mode)
        self._end = 0
        self._lock = threading.Lock()

    def lock(self) -> None:
        """Keep other processes out until `close`, where files can be locked (not on Windows). Raises BlockingIOError when one is in."""
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def is_empty(self) -> bool:
        """True when the file has no byte. Raises OSError when it is not a regular file."""
        return os.lseek(self._descriptor, 0, os.SEEK_END) == 0

    def mend(self) -> None:
        """Go to the end of the last whole line. A line that a killed process left unfinished is removed; one that only lacks its line end gets it.

        Raises OSError when it is not a regular file.
        """
        size = os.lseek(self._descriptor, 0, os.SEEK_END)
        self._end, rest = size, b""
        while self._end:
            start = max(0, self._end - _BLOCK)
            os.lseek(self._descriptor, start, os.SEEK_SET)
            rest = os.read(self._descriptor, self._end - start) + rest
            newline = rest.rfind(b"\n")
            self._end = start
            if newline >= 0:
                self._end, rest = start + newline + 1, rest[newline + 1 :]
                break
        if rest and _is_json(rest):
            os.lseek(self._descriptor, 0, os.SEEK_END)
            os.write(self._descriptor, b"\n")
            self._end = size + 1
        elif self._end < size:
            os.ftruncate(self._descriptor, self._end)

    def sync(self) -> None:
        """Wait until all lines are on the disk, where a computer without power has them too. Raises OSError."""
        os.fsync(self._descriptor)

    def append(self, line: bytes) -> None:
        """Append a line, which includes its line end. Raises OSError."""
        rest = memoryview(line)
        with self._lock:
            try:
                os.lseek(self._descriptor, self._end, os.SEEK_SET)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                # A part of a line would spoil the next one.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._end)
                raise
            self._end += len(line)

    def close(self) -> None:
        """Close and unlock the file; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
