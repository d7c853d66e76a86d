"""The alarm's state as a file: read with suspicion, written in one step."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import Severity, SpecError, is_object

from bodydouble_contract_tests._alarm import Witness
from bodydouble_contract_tests._alarm_state import AlarmState, KnownDrift
from bodydouble_contract_tests._upstream import Fetched

__all__ = ["BadAlarmState", "read_state", "write_state"]

_FORMAT = 1
_TEXTS = ("digest", "reported", "id", "pointer", "witness", "message")


class BadAlarmState(SpecError):
    """The state file is not what the alarm wrote, or cannot be read or written; the text says why and what to do."""


def read_state(path: Path) -> AlarmState:
    """The state in a file; an empty one when there is no file yet. Raises BadAlarmState, and never changes the file."""
    if path.exists() and not path.is_file():
        # A device would be read without end, and replaced by a file.
        raise BadAlarmState(f"--state {path}: this is no file; name one, which need not exist yet")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if path.parent.is_dir():
            return AlarmState()
        raise BadAlarmState(f"--state {path}: the folder {path.parent} does not exist; make it first") from None
    except (OSError, ValueError) as error:
        raise BadAlarmState(f"--state {path}: {getattr(error, 'strerror', None) or error}; name a file") from None
    try:
        return _parse(orjson.loads(content))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadAlarmState(
            f"--state {path}: this is no state that the alarm wrote ({_why(error)}); it is left as it is: name another file, or "
            "delete it to have every drift reported again"
        ) from None


def write_state(path: Path, state: AlarmState) -> None:
    """Write the state in one step: a reader sees the old file or the new one. Raises BadAlarmState; the old file is whole then."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            with beside.open("wb") as file:
                file.write(_serialized(state))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadAlarmState(f"--state {path}: {reason}; it could not be written, and is as it was") from None


def _serialized(state: AlarmState) -> bytes:
    fetched = {
        source: {"etag": item.etag, "last_modified": item.last_modified, "content": item.content.decode()}
        for source, item in sorted(state.fetched.items())
    }
    drifts = {
        key: {name: getattr(known, name) for name in KnownDrift.__slots__}
        for key, known in sorted(state.drifts.items())
    }
    # Not orjson, which refuses the lone surrogates that a stranger's document can bring into a message.
    text = json.dumps({"format": _FORMAT, "drifts": drifts, "fetched": fetched}, indent=2)
    return f"{text}\n".encode()


def _parse(value: Any) -> AlarmState:
    if not is_object(value):
        raise ValueError("it is no object")
    if value.get("format") != _FORMAT:
        raise ValueError(f"its format is {value.get('format')!r:.20}, known is {_FORMAT}")
    drifts = {key: _known(key, item) for key, item in _object(value, "drifts").items()}
    fetched = {source: _fetched(source, item) for source, item in _object(value, "fetched").items()}
    return AlarmState(drifts, fetched)


def _known(key: str, value: Any) -> KnownDrift:
    Witness(key.partition(":")[0])
    if not is_object(value):
        raise ValueError(f"drift {key} is no object")
    severity, operation = Severity(_text(value, "severity")), _optional(value, "operation")
    known = KnownDrift(severity=severity, operation=operation, **{name: _text(value, name) for name in _TEXTS})
    datetime.fromisoformat(known.reported)
    return known


def _fetched(source: str, value: Any) -> Fetched:
    if not is_object(value):
        raise ValueError(f"{source} is no object")
    return Fetched(
        source, _text(value, "content").encode(), _optional(value, "etag"), _optional(value, "last_modified")
    )


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    member = value.get(name)
    if not is_object(member):
        raise ValueError(f"{name} is no object")
    return member


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is no text")
    return text


def _optional(value: dict[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _text(value, name)


def _why(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return f"it is not JSON: line {error.lineno}, column {error.colno}"
    return str(error)
