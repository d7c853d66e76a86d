"""Reading of recordings: a folder with its files, or a single file of exchanges."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bodydouble_spec.exchange import Exchange, read_exchanges
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.recording.content import outside_texts, recorded_files, with_texts_inside
from bodydouble_spec.recording.files import ContentFiles

__all__ = ["EXCHANGES", "StoredRecording", "latest", "read_recording_folder", "read_stored_recording"]

EXCHANGES = "exchanges.jsonl"
"""The file of a recording that has the exchanges."""


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """The exchanges of a folder in the order of the calls, its files, and a finding for each damage; of a single file of exchanges, there are no files."""

    path: Path
    exchanges: tuple[Exchange, ...]
    files: ContentFiles
    findings: tuple[Finding, ...]


def read_recording_folder(path: Path) -> StoredRecording:
    """Read a recording. Raises OSError when the folder, or its file of exchanges, cannot be read; its ``strerror`` says which.

    Each bad line, and each file that is missing or changed, is a finding; all else can be used, but for a call without one of its texts.
    """
    try:
        log = read_exchanges(path / EXCHANGES)
    except FileNotFoundError as error:
        if path.is_dir():
            raise FileNotFoundError(error.errno, f"there is no {EXCHANGES} in it", str(path)) from None
        raise
    files = ContentFiles(path)
    completed = (with_texts_inside(exchange, files.get) for exchange in latest(log.exchanges))
    exchanges = tuple(exchange for exchange in completed if not any(outside_texts(exchange)))
    damage = _damage(log.exchanges, files)
    return StoredRecording(path, exchanges, files, (*log.findings, *damage))


def read_stored_recording(path: Path) -> StoredRecording:
    """Read a recording, a folder or a single file of exchanges. Raises OSError."""
    if path.is_dir():
        return read_recording_folder(path)
    log = read_exchanges(path)
    return StoredRecording(path, log.exchanges, ContentFiles(path), log.findings)


def latest(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """Yield each exchange once: the last one with its id, at the place of the first."""
    yield from {exchange.id: exchange for exchange in exchanges}.values()


def _damage(exchanges: Iterable[Exchange], files: ContentFiles) -> Iterator[Finding]:
    seen: set[str] = set()
    for exchange in exchanges:
        texts = frozenset(outside_texts(exchange))
        for sha256 in recorded_files(exchange):
            if sha256 in seen or files.get(sha256) is not None:
                seen.add(sha256)
                continue
            seen.add(sha256)
            was_changed = sha256 in files
            wrong = "has content that does not match its name (a SHA-256 hash)" if was_changed else "is missing"
            left_out = ", and the call is left out" if sha256 in texts else ""
            text = f"the file {sha256[:12]}… of {exchange.id} {wrong}{left_out}; restore it, or record the call again"
            rule = "recording-file-changed" if was_changed else "recording-file-missing"
            yield Finding(rule, Severity.ERROR, Evidence.OBSERVED, f"/{sha256}", text, witness=exchange.id)
