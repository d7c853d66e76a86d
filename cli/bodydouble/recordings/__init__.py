"""Recordings as the commands and the fixture use them: read from disk, and what must be said of them at start."""

from bodydouble.recordings.notices import recording_notices
from bodydouble.recordings.reading import UnusableRecording, read_recordings

__all__ = ["UnusableRecording", "read_recordings", "recording_notices"]
