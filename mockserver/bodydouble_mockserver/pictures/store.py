"""A content-addressed store of input pictures: the journal and the drawn pictures refer to an input by its hash."""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path

from bodydouble_mockserver.pictures.folder import TemporaryFolder

__all__ = ["ContentStore"]

_MEGABYTE = 1024 * 1024


class ContentStore:
    """Bytes by their SHA-256 hash, with eviction of the least recently used; thread-safe.

    Items of up to ``large_bytes`` share ``memory_bytes`` of memory; larger ones are files in a temporary folder that share ``disk_bytes``
    and are deleted by `close` or with the store. A file that cannot be written, because the disk is full or the folder is gone,
    is kept in memory. `get` returns None for an evicted item.
    """

    def __init__(
        self,
        memory_bytes: int = 64 * _MEGABYTE,
        disk_bytes: int = 512 * _MEGABYTE,
        large_bytes: int = 4 * _MEGABYTE,
    ) -> None:
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._disk: OrderedDict[str, int] = OrderedDict()
        self._memory_bytes = 0
        self._disk_bytes = 0
        self._max_memory_bytes = memory_bytes
        self._max_disk_bytes = disk_bytes
        self._large_bytes = large_bytes
        self._folder: TemporaryFolder | None = None
        # Threads draw pictures while the event loop stores the next inputs.
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Store the bytes and return their hash, 64 hexadecimal digits; equal bytes are stored once."""
        key = hashlib.sha256(data).hexdigest()
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
            elif key in self._disk:
                self._disk.move_to_end(key)
            elif len(data) <= self._large_bytes or not self._write(key, data):
                self._memory[key] = data
                self._memory_bytes += len(data)
                self._shrink_memory()
        return key

    def get(self, key: str) -> bytes | None:
        """Return the bytes with that hash, or None when they were evicted or never stored."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
            if key in self._disk:
                self._disk.move_to_end(key)
                try:
                    return self._path(key).read_bytes()
                except OSError:
                    self._disk_bytes -= self._disk.pop(key)
            return None

    def __contains__(self, key: str) -> bool:
        """Return whether `get` would return bytes; does not count as a use."""
        return key in self._memory or key in self._disk

    @property
    def memory_bytes(self) -> int:
        """The number of bytes in memory."""
        return self._memory_bytes

    @property
    def disk_bytes(self) -> int:
        """The number of bytes in the temporary folder."""
        return self._disk_bytes

    def close(self) -> None:
        """Remove all items and the temporary folder."""
        with self._lock:
            self._memory.clear()
            self._disk.clear()
            self._memory_bytes = self._disk_bytes = 0
            if self._folder is not None:
                self._folder.remove()
                self._folder = None

    def _shrink_memory(self) -> None:
        while self._memory_bytes > self._max_memory_bytes:
            _, data = self._memory.popitem(last=False)
            self._memory_bytes -= len(data)

    def _write(self, key: str, data: bytes) -> bool:
        """Write a file and evict the oldest; return whether the store has the bytes, or never will."""
        if len(data) > self._max_disk_bytes:
            return True
        try:
            self._path(key).write_bytes(data)
        except OSError:
            self._give_up(key)
            return False
        self._disk[key] = len(data)
        self._disk_bytes += len(data)
        while self._disk_bytes > self._max_disk_bytes:
            oldest, size = self._disk.popitem(last=False)
            self._disk_bytes -= size
            self._path(oldest).unlink(missing_ok=True)
        return True

    def _give_up(self, key: str) -> None:
        """Remove what was written of a file; without its folder, the next file gets a new one."""
        if self._folder is not None and self._folder.path.is_dir():
            self._path(key).unlink(missing_ok=True)
        else:
            self._folder = None

    def _path(self, key: str) -> Path:
        if self._folder is None:
            self._folder = TemporaryFolder()
        return self._folder.path / key
