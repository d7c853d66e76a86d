"""The writer of a recording: one process at a time, each exchange on disk as it comes."""

import contextlib
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bodydouble_spec.errors import SpecError
from bodydouble_spec.exchange import Exchange, read_exchanges
from bodydouble_spec.recording.content import with_texts_outside
from bodydouble_spec.recording.files import ContentFiles
from bodydouble_spec.recording.lines import LineFile
from bodydouble_spec.recording.reading import EXCHANGES
from bodydouble_spec.recording.readme import Summary

__all__ = ["CannotRecord", "RecordingFolder"]

_README = "README.md"
# With many calls a second, it would take more time than they.
_README_S = 1.0


class CannotRecord(SpecError):
    """The folder cannot be written; the message says which, why, and what to do."""


class RecordingFolder:
    """A folder that takes exchanges: ``exchanges.jsonl``, ``files`` by hash (`ContentFiles`), and a README with the sums.

    `append` returns when the operating system has the line, so that a killed process loses no exchange before it. A line that a killed process
    left unfinished is removed. Threads may append at the same time. The folder is made when it does not exist, and locked until `close`, where files can be locked (not on Windows).
    Raises CannotRecord when it cannot be written or another process records into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._is_readme_old, self._next_readme_s = False, 0.0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lines = LineFile(path / EXCHANGES, 0o644)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            self._lines.lock()
            self._lines.mend()
            log = read_exchanges(path / EXCHANGES)
            self.files = ContentFiles(path)
            self.files.remove_unfinished()
        except BlockingIOError:
            self.close()
            raise CannotRecord(
                f"{path}: another process is recording into this folder; stop it, or name another folder"
            ) from None
        except OSError as error:
            self.close()
            raise self._unusable(error) from None
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
        line = with_texts_outside(exchange, self.put).to_line()
        with self._lock:
            try:
                self._lines.append(line)
            except OSError as error:
                raise self._failure(error) from None
            self._summary.add(exchange)
            self._is_readme_old = True
            if time.monotonic() >= self._next_readme_s:
                self._write_readme()
        if is_money:
            # Beside the lock: the disk takes milliseconds, and serves several calls at once.
            try:
                self._lines.sync()
            except OSError as error:
                raise self._failure(error) from None

    def close(self) -> None:
        """Bring the README up to date and unlock the folder; may be called again."""
        if self._is_readme_old:
            self._write_readme()
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_readme(self) -> None:
        self._is_readme_old, self._next_readme_s = False, time.monotonic() + _README_S
        # Only for people: a full disk must not stop the recording because of it.
        with contextlib.suppress(OSError):
            new = self.path / f".{_README}"
            new.write_text(self._summary.to_markdown(), encoding="utf-8")
            new.replace(self.path / _README)

    def _unusable(self, error: OSError) -> CannotRecord:
        return CannotRecord(f"{self.path}: {error.strerror or error}; name a writable folder")

    def _failure(self, error: OSError) -> CannotRecord:
        return CannotRecord(
            f"{self.path}: {error.strerror or error}; the earlier exchanges are complete. Free some space, or name another folder"
        )
