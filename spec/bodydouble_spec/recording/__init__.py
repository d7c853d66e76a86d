"""Recordings: folders of exchanges with their pictures, to be committed, replayed and checked."""

from bodydouble_spec.recording.content import kept_bytes, recorded_files
from bodydouble_spec.recording.facts import CallFacts, PicturePlace
from bodydouble_spec.recording.files import ContentFiles
from bodydouble_spec.recording.folder import CannotRecord, RecordingFolder
from bodydouble_spec.recording.lines import LineFile
from bodydouble_spec.recording.missing import missing_pictures, picture_urls
from bodydouble_spec.recording.reading import (
    EXCHANGES,
    StoredRecording,
    latest,
    read_recording_folder,
    read_stored_recording,
)
from bodydouble_spec.recording.readme import Summary

__all__ = [
    "EXCHANGES",
    "CallFacts",
    "CannotRecord",
    "ContentFiles",
    "LineFile",
    "PicturePlace",
    "RecordingFolder",
    "StoredRecording",
    "Summary",
    "kept_bytes",
    "latest",
    "missing_pictures",
    "picture_urls",
    "read_recording_folder",
    "read_stored_recording",
    "recorded_files",
]
