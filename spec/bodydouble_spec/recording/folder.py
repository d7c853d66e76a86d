"""The writer of a recording: one process at a time, each exchange on disk as it comes."""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from bodydouble_spec.errors import SpecError
from bodydouble_spec.exchange import Exchange, read_exchanges
from bodydouble_spec.recording.content import with_texts_outside
from bodydouble_spec.recording.files import UNFINISHED, ContentFiles
from bodydouble_spec.recording.reading import EXCHANGES
from bodydouble_spec.recording.readme import Summary

if sys.platform != "win32":
    import fcntl

__all__ = ["CannotRecord", "RecordingFolder"]

_README = "README.md"
_BLOCK = 65536


class CannotRecord(SpecError):
    """The folder cannot be written; the message says which, why, and what to do."""


class RecordingFolder:
    """A folder that takes exchanges: ``exchanges.jsonl``, ``files`` by hash (`ContentFiles`), and a README with the sums.

    `append` returns when the operating system has the line, so that a killed process loses no exchange before it. A line that a killed process
    left unfinished is removed. The folder is made when it does not exist, and locked until `close`, where files can be locked (not on Windows).
    Raises CannotRecord when it cannot be written or another process records into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        try:
            path.mkdir(parents=True, exist_ok=True)
            file = path / EXCHANGES
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            self._lock()
            self._end = _end_of_lines(self._descriptor)
            os.ftruncate(self._descriptor, self._end)
            log = read_exchanges(file)
            for unfinished in path.glob(UNFINISHED):
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            self.close()
            raise CannotRecord(f"{path}: {error.strerror or error}; name a folder that can be written") from None
        except CannotRecord:
            self.close()
            raise
        self.files = ContentFiles(path)
        self._summary = Summary.of(log.exchanges)
        self._write_readme()

    @property
    def summary(self) -> Summary:
        """The sums over the recording so far."""
        return self._summary

    def put(self, data: bytes) -> str:
        """Store a file and return its hash. Raises CannotRecord."""
        try:
            return self.files.put(data)
        except OSError as error:
            raise self._failure(error) from None

    def append(self, exchange: Exchange, *, is_money: bool = False) -> None:
        """Append one exchange, its long texts as files. With ``is_money`` it is on the disk when this returns.

        Raises CannotRecord; what was written before stays whole.
        """
        line = memoryview(with_texts_outside(exchange, self.put).to_line())
        try:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            rest = line
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if is_money:
                os.fsync(self._descriptor)
        except OSError as error:
            # A part of a line would spoil the next one.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise self._failure(error) from None
        self._end += len(line)
        self._summary.add(exchange)
        self._write_readme()

    def close(self) -> None:
        """Unlock the folder; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRecord(
                f"{self.path}: another process is recording into this folder; end it, or name another folder"
            ) from None

    def _write_readme(self) -> None:
        # Only for people: a full disk must not stop the recording because of it.
        with contextlib.suppress(OSError):
            new = self.path / f".{_README}"
            new.write_text(self._summary.to_markdown(), encoding="utf-8")
            new.replace(self.path / _README)

    def _failure(self, error: OSError) -> CannotRecord:
        return CannotRecord(
            f"{self.path}: {error.strerror or error}; the exchanges before it are whole. Free some space, or name another folder"
        )


def _end_of_lines(descriptor: int) -> int:
    """Return the length of a file up to its last whole line; one that only lacks its line end gets it."""
    position = os.lseek(descriptor, 0, os.SEEK_END)
    rest = b""
    while position:
        start = max(0, position - _BLOCK)
        os.lseek(descriptor, start, os.SEEK_SET)
        rest = os.read(descriptor, position - start) + rest
        newline = rest.rfind(b"\n")
        position = start
        if newline >= 0:
            position, rest = start + newline + 1, rest[newline + 1 :]
            break
    if not rest:
        return position
    try:
        orjson.loads(rest)
    except orjson.JSONDecodeError:
        return position
    os.lseek(descriptor, 0, os.SEEK_END)
    os.write(descriptor, b"\n")
    return position + len(rest) + 1
