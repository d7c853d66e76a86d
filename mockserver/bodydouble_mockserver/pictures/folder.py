"""A temporary folder that is removed also when its process was killed: by the next process that makes one."""

import os
import shutil
import sys
import tempfile
import time
import weakref
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["TemporaryFolder"]

_PREFIX = "bodydouble-inputs-"
# Between the making of a folder and its lock, another process must not take it for abandoned.
_NEW_S = 60.0


class TemporaryFolder:
    """A folder that is locked while its process lives, and removed by `remove` or when it is collected.

    Raises OSError when it cannot be made. Where folders cannot be locked (Windows), those of killed processes stay.
    """

    def __init__(self) -> None:
        root = Path(tempfile.gettempdir())
        for folder in root.glob(f"{_PREFIX}*"):
            _remove_abandoned(folder)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        # Not TemporaryDirectory: it warns when it is collected unclosed, and an app called in process never shuts down.
        self._finalizer = weakref.finalize(self, _remove, self.path, _locked(self.path))

    def remove(self) -> None:
        """Remove the folder with its files; a second call does nothing."""
        self._finalizer()


def _locked(folder: Path) -> int | None:
    """Lock a folder and return its descriptor; None when another process has the lock or it cannot be locked."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(folder: Path) -> None:
    try:
        if time.time() - folder.stat().st_mtime < _NEW_S:
            return
        descriptor = _locked(folder)
    except OSError:
        return  # another user's, or removed in the meantime
    if descriptor is not None:
        _remove(folder, descriptor)


def _remove(folder: Path, descriptor: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if descriptor is not None:
        os.close(descriptor)
