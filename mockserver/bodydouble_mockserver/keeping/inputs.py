"""The input pictures in a folder, so that a later process can draw what was made from them."""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bodydouble_spec.recording import ContentFiles

from bodydouble_mockserver.keeping.losses import Losses
from bodydouble_mockserver.pictures import ContentStore

__all__ = ["KeptInputs"]

# The time of a file's last use is written after so long at the earliest.
_TOUCHED_AGAIN_S = 60.0


class _Kept(NamedTuple):
    size: int
    used: float


class KeptInputs(ContentStore):
    """Bytes by their SHA-256 hash, each in ``memory_bytes`` of memory and as a file of a folder; thread-safe.

    The files have ``max_bytes`` together; those not used for longest go first, and each after ``max_age_s`` without use. A file that cannot be written is
    in memory alone, as noted in ``losses``. `close` leaves the files where they are.
    """

    def __init__(
        self,
        files: ContentFiles,
        losses: Losses,
        clock: Callable[[], float],
        *,
        memory_bytes: int,
        max_bytes: int,
        max_age_s: float,
    ) -> None:
        super().__init__(memory_bytes, disk_bytes=0, large_bytes=memory_bytes)
        self._files = files
        self._losses = losses
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        found = {sha256: _stat(path) for sha256 in files if (path := files.path_of(sha256)) is not None}
        self._kept = OrderedDict(sorted(found.items(), key=lambda item: item[1].used))
        self._bytes = sum(kept.size for kept in self._kept.values())
        self._folder_lock = threading.Lock()
        self._shrink()

    def put(self, data: bytes) -> str:
        """Store the bytes and return their hash; they are a file when this returns."""
        key = super().put(data)
        with self._folder_lock:
            if key in self._kept:
                self._use(key)
            elif len(data) <= self._max_bytes:
                self._add_file(key, data)
                self._shrink()
        return key

    def get(self, key: str) -> bytes | None:
        """Return the bytes with that hash; None when they were evicted, or their file is damaged."""
        data = super().get(key)
        return self._read(key) if data is None else data

    def __contains__(self, key: str) -> bool:
        """Return whether `get` would return bytes, were their file whole."""
        return super().__contains__(key) or key in self._kept

    @property
    def kept_bytes(self) -> int:
        """The size of all files together."""
        return self._bytes

    def _read(self, key: str) -> bytes | None:
        data = self._files.get(key)
        if data is None:
            with self._folder_lock:
                if key in self._kept:
                    self._forget(key)
                    self._losses.note_damage(
                        f"{self._files.path}: the input {key[:12]}… is missing, or its content does not match its name, and was removed; "
                        "pictures made from it are drawn without it until it is sent again"
                    )
        return data

    def _add_file(self, key: str, data: bytes) -> None:
        try:
            self._files.put(data)
        except OSError as error:
            self._losses.note_failure(error)
            return
        self._kept[key] = _Kept(len(data), 0.0)
        self._bytes += len(data)
        self._losses.note_success()
        self._use(key)

    def _use(self, key: str) -> None:
        self._kept.move_to_end(key)
        now, kept = self._clock(), self._kept[key]
        path = self._files.path_of(key)
        if now - kept.used < _TOUCHED_AGAIN_S or path is None:
            return
        self._kept[key] = kept._replace(used=now)
        # A file that was removed is missed when it is read.
        with contextlib.suppress(OSError):
            os.utime(path, (now, now))

    def _shrink(self) -> None:
        oldest_used = self._clock() - self._max_age_s
        while self._kept:
            oldest = next(iter(self._kept))
            if self._bytes <= self._max_bytes and self._kept[oldest].used >= oldest_used:
                return
            self._forget(oldest)

    def _forget(self, key: str) -> None:
        self._bytes -= self._kept.pop(key).size
        self._files.remove(key)


def _stat(path: Path) -> _Kept:
    try:
        found = path.stat()
    except OSError:
        return _Kept(0, 0.0)  # the first to go
    return _Kept(found.st_size, found.st_mtime)
