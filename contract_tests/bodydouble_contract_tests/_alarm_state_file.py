"""The state of drift detection as a file: validated when read, written atomically."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import Severity, SpecError, is_object

from bodydouble_contract_tests._alarm import DriftSource
from bodydouble_contract_tests._alarm_state import DriftState, KnownDrift
from bodydouble_contract_tests._upstream import Fetched

__all__ = ["BadDriftState", "read_state", "write_state"]

_FORMAT = 1
_TEXTS = ("digest", "reported", "id", "pointer", "source", "message")


class BadDriftState(SpecError):
    """The state file is not valid, or cannot be read or written. The text says why and what to do."""


def read_state(path: Path) -> DriftState:
    """Read the state from a file; a missing file gives an empty state. Raises BadDriftState, and never changes the file."""
    if path.exists() and not path.is_file():
        # A device would be read forever, and replaced by a file.
        raise BadDriftState(f"--state {path}: not a regular file; name a file, which need not exist yet")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if path.parent.is_dir():
            return DriftState()
        raise BadDriftState(f"--state {path}: the folder {path.parent} does not exist; create it first") from None
    except (OSError, ValueError) as error:
        raise BadDriftState(f"--state {path}: {getattr(error, 'strerror', None) or error}; name a file") from None
    try:
        return _parse(orjson.loads(content))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadDriftState(
            f"--state {path}: not a state file of `bodydouble drift` ({_reason_of(error)}); it was left unchanged: name another file, or "
            "delete it to have every drift reported again"
        ) from None


def write_state(path: Path, state: DriftState) -> None:
    """Write the state atomically: a reader sees the old file or the new one. Raises BadDriftState, with the old file unchanged."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(_serialized(state))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadDriftState(
            f"--state {path}: {reason}; the state could not be written, and the file is unchanged"
        ) from None


def _serialized(state: DriftState) -> bytes:
    fetched = {
        address: {"etag": item.etag, "last_modified": item.last_modified, "content": item.content.decode()}
        for address, item in sorted(state.fetched.items())
    }
    drifts = {
        key: {name: getattr(known, name) for name in KnownDrift.__slots__}
        for key, known in sorted(state.drifts.items())
    }
    # Not orjson, which refuses the lone surrogates that a foreign document can bring into a message.
    text = json.dumps({"format": _FORMAT, "drifts": drifts, "fetched": fetched}, indent=2)
    return f"{text}\n".encode()


def _parse(value: Any) -> DriftState:
    if not is_object(value):
        raise ValueError("not a JSON object")
    if value.get("format") != _FORMAT:
        raise ValueError(f"format {value.get('format')!r:.20} instead of {_FORMAT}")
    drifts = {key: _known(key, item) for key, item in _object(value, "drifts").items()}
    fetched = {address: _fetched(address, item) for address, item in _object(value, "fetched").items()}
    return DriftState(drifts, fetched)


def _known(key: str, value: Any) -> KnownDrift:
    DriftSource(key.partition(":")[0])
    if not is_object(value):
        raise ValueError(f"drift {key} is not an object")
    severity, operation = Severity(_text(value, "severity")), _optional(value, "operation")
    known = KnownDrift(severity=severity, operation=operation, **{name: _text(value, name) for name in _TEXTS})
    datetime.fromisoformat(known.reported)
    return known


def _fetched(address: str, value: Any) -> Fetched:
    if not is_object(value):
        raise ValueError(f"{address} is not an object")
    return Fetched(
        address, _text(value, "content").encode(), _optional(value, "etag"), _optional(value, "last_modified")
    )


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    member = value.get(name)
    if not is_object(member):
        raise ValueError(f"{name} is not an object")
    return member


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is not a text")
    return text


def _optional(value: dict[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _text(value, name)


def _reason_of(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return f"not JSON: line {error.lineno}, column {error.colno}"
    return str(error)
