"""Reading of the recordings that an option names."""

from collections.abc import Iterable
from pathlib import Path

from bodydouble_spec.recording import StoredRecording, read_stored_recording

from bodydouble.progress import progress

__all__ = ["UnusableRecording", "read_recordings"]


class UnusableRecording(ValueError):
    """A recording cannot be read at all; the message names it and says what to do."""


def read_recordings(paths: Iterable[Path]) -> list[StoredRecording]:
    """Read recordings, each a folder, or a file of exchanges without the files of a folder.

    Raises UnusableRecording for one that cannot be read, or has no exchange.
    """
    return [_read(path) for path in paths]


def _read(path: Path) -> StoredRecording:
    try:
        with progress(f"reading {path}"):
            recording = read_stored_recording(path)
    except FileNotFoundError as error:
        missing = error.strerror if path.is_dir() else "there is no such folder"
        raise UnusableRecording(f"{path}: {missing}; name a folder that `bodydouble proxy --record` wrote") from None
    except OSError as error:
        raise UnusableRecording(f"{path}: {error.strerror or error}; name a readable folder") from None
    if not recording.exchanges:
        if recording.findings:
            raise UnusableRecording(f"{path}: no call in it can be read; {recording.findings[0].message}")
        raise UnusableRecording(f"{path}: it has no call; record some first (bodydouble proxy --record {path})")
    return recording
