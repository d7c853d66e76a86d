"""Input pictures live here once, by hash: journal, drawn pictures and pages refer to them by it."""

import hashlib
import tempfile
from collections import OrderedDict
from pathlib import Path

__all__ = ["ContentStore"]

_MEGABYTE = 1024 * 1024


class ContentStore:
    """Bytes by their SHA-256, least recently used out first.

    Items of up to ``large_bytes`` share ``memory_bytes`` of memory; larger ones are files in a temporary folder that share ``disk_bytes``
    and go with `close`. What was evicted is gone: `get` returns None.
    """

    def __init__(
        self,
        memory_bytes: int = 64 * _MEGABYTE,
        disk_bytes: int = 512 * _MEGABYTE,
        large_bytes: int = 4 * _MEGABYTE,
    ) -> None:
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._disk: OrderedDict[str, int] = OrderedDict()
        self._free_memory = memory_bytes
        self._free_disk = disk_bytes
        self._large_bytes = large_bytes
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their hash, 64 hexadecimal digits; the same bytes are kept once."""
        key = hashlib.sha256(data).hexdigest()
        if key in self._memory:
            self._memory.move_to_end(key)
        elif key in self._disk:
            self._disk.move_to_end(key)
        elif len(data) <= self._large_bytes:
            self._memory[key] = data
            self._free_memory -= len(data)
            self._shrink_memory()
        else:
            self._write(key, data)
        return key

    def get(self, key: str) -> bytes | None:
        """The bytes of that hash, or None when they were evicted or never there."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        if key in self._disk:
            self._disk.move_to_end(key)
            return self._path(key).read_bytes()
        return None

    @property
    def memory_bytes(self) -> int:
        """Bytes held in memory now."""
        return sum(len(data) for data in self._memory.values())

    def close(self) -> None:
        """Remove the temporary folder; the store may not be used afterwards."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _shrink_memory(self) -> None:
        while self._free_memory < 0:
            _, data = self._memory.popitem(last=False)
            self._free_memory += len(data)

    def _write(self, key: str, data: bytes) -> None:
        self._path(key).write_bytes(data)
        self._disk[key] = len(data)
        self._free_disk -= len(data)
        while self._free_disk < 0:
            oldest, size = self._disk.popitem(last=False)
            self._free_disk += size
            self._path(oldest).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bodydouble-", ignore_cleanup_errors=True)
        return Path(self._folder.name) / key
