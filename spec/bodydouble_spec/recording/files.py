"""The files of a recording, each named by the SHA-256 hash of its bytes."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bodydouble_spec.picture import picture_kind

__all__ = ["ContentFiles"]

_FOLDER = "files"
_HASH_DIGITS = 64
_PREFIX = ".new-"


class ContentFiles:
    """The folder ``files`` of a recording: pictures and large inputs, by hash, so that equal ones are stored once.

    A name is the hash with an ending for people (``.png``, ``.txt``, ``.bin``). A file is complete or not there at all, whenever
    the process ends. Nothing is created before the first `put`.
    """

    def __init__(self, recording: Path) -> None:
        self.path = recording / _FOLDER
        self._paths: dict[str, Path] = {}
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for path in self.path.iterdir():
                if len(path.stem) == _HASH_DIGITS:
                    self._paths[path.stem] = path

    def __contains__(self, sha256: object) -> bool:
        """Return whether there is a file of that name; `get` checks its bytes."""
        return sha256 in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def path_of(self, sha256: str) -> Path | None:
        """Return the path of the file with that name; None when there is none."""
        return self._paths.get(sha256)

    def put(self, data: bytes) -> str:
        """Store bytes and return their hash. Raises OSError when they cannot be written."""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self._paths:
            self.path.mkdir(parents=True, exist_ok=True)
            path = self.path / f"{sha256}{_ending(data)}"
            _write(path, data)
            self._paths[sha256] = path
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """Return the bytes with that hash; None when there is no such file, or it was changed."""
        path = self._paths.get(sha256)
        try:
            data = None if path is None else path.read_bytes()
        except OSError:
            return None
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None

    def remove(self, sha256: str) -> None:
        """Remove a file, if it is there and can be removed."""
        path = self._paths.pop(sha256, None)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()

    def remove_unfinished(self) -> None:
        """Remove the files that a killed process left unfinished. Raises OSError."""
        for unfinished in self.path.glob(f"{_PREFIX}*"):
            unfinished.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is complete."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _ending(data: bytes) -> str:
    kind = picture_kind(data)
    if kind is not None:
        return f".{kind.media_type.rpartition('/')[2]}"
    try:
        data.decode()
    except UnicodeDecodeError:
        return ".bin"
    return ".txt"
