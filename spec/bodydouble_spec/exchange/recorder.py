"""Recording of a body: its JSON without secrets and pictures, or a description when it is not JSON or too large."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bodydouble_spec.exchange.pictures import RecordedPicture, may_hold_picture
from bodydouble_spec.exchange.redaction import REDACTED, Redactor, is_account_name, is_secret_name
from bodydouble_spec.values import is_array, is_object

__all__ = ["ReadBody", "describe_body", "has_secret_name", "record_body", "record_value"]

_MAX_TEXT_CHARACTERS = 20_000
_MAX_CHARACTERS = 200_000
_MAX_VALUES = 10_000
_MAX_DEPTH = 64
_DESCRIBED_CHARACTERS = 200
# A body up to this length can exceed none of the bounds above but the depth.
_SHORT_BYTES = 8_000


class _TooLarge(ValueError):
    """The value has more in it than a record may hold."""


@dataclass(slots=True)
class ReadBody:
    """A body that was parsed already: its value, that value as JSON, and its pictures by their references in both."""

    value: Any
    text: bytes
    pictures: Mapping[str, RecordedPicture]


def record_body(
    data: bytes, redactor: Redactor, read: ReadBody | None = None, *, whole: bool = False
) -> tuple[Any, dict[str, Any] | None]:
    """Record a body: return (JSON value, None), or (None, description) when it is not JSON, is ``null`` or is too large.

    A description has ``bytes``, ``sha256`` and ``text``, the first 200 characters. An empty body gives (None, None). With ``read``
    the body is not parsed again. A ``whole`` body is never too large and its texts are not cut; it is for files that others
    may read, so the ids of accounts in it are redacted too.
    """
    if not data:
        return None, None
    try:
        if read is None:
            read = ReadBody(orjson.loads(data), data, {})
        body = read.value
        # Most bodies are kept whole; a copy value by value would take several times as long.
        is_short = len(read.text) <= _SHORT_BYTES
        if (
            whole
            or read.pictures
            or not is_short
            or not redactor.is_plain(read.text)
            or not _is_plain_json(read.text, body)
        ):
            body = _ValueRecorder(redactor, read.pictures, whole=whole).value(body, 0)
    except (orjson.JSONDecodeError, _TooLarge):
        body = None
    return (body, None) if body is not None else (None, describe_body(data, redactor))


def describe_body(data: bytes, redactor: Redactor) -> dict[str, Any]:
    """Return the description of a body that is not recorded as JSON: ``bytes``, ``sha256`` and ``text``, the first 200 characters."""
    start = data[: 4 * (_DESCRIBED_CHARACTERS + redactor.margin)].decode("utf-8", "replace")
    digest = hashlib.sha256(data).hexdigest()
    return {"bytes": len(data), "sha256": digest, "text": redactor.raw(start, _DESCRIBED_CHARACTERS)}


def _is_plain_json(data: bytes, value: Any) -> bool:
    """Return True when this JSON (UTF-8, ``value`` parsed) is small and has no secret name and no picture; False means unknown."""
    return (
        len(data) <= _SHORT_BYTES
        and data.count(b"{") + data.count(b"[") < _MAX_DEPTH
        and not may_hold_picture(data)
        and not has_secret_name(value)
    )


def has_secret_name(value: Any) -> bool:
    """Return whether a property in this JSON value is a secret by its name."""
    waiting = [value]
    for item in waiting:
        kind = item.__class__
        if kind is dict:
            if any(map(is_secret_name, item)):
                return True
            waiting += item.values()
        elif kind is list:
            waiting += item
    return False


def record_value(value: Any, redactor: Redactor) -> Any:
    """Return a JSON value without secrets, with each Base64 picture as a `RecordedPicture` and texts cut at 20,000 characters.

    Raises ValueError for more than 10,000 values or 200,000 characters; `record_body` describes such a body.
    """
    return _ValueRecorder(redactor, {}).value(value, 0)


class _ValueRecorder:
    def __init__(self, redactor: Redactor, pictures: Mapping[str, RecordedPicture], *, whole: bool = False) -> None:
        self._redactor = redactor
        self._pictures = pictures
        self._is_whole = whole
        self._values = 0
        self._characters = 0

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int | float):
            return self._redactor.number(value)
        if depth >= _MAX_DEPTH:
            return f"[nested deeper than {_MAX_DEPTH}]"
        if is_object(value):
            self._count(len(value))
            return self._members(value, depth)
        if is_array(value):
            self._count(len(value))
            return [self.value(item, depth + 1) for item in value]
        return self._text(str(value))

    def _members(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, member in value.items():
            shown = self._redacted(name)
            # Two names may be equal after redaction.
            while shown in kept:
                shown += "*"
            is_secret = is_secret_name(name) or (self._is_whole and is_account_name(name))
            if is_secret and member is not None and not isinstance(member, bool):
                kept[shown] = REDACTED
            else:
                kept[shown] = self.value(member, depth + 1)
        return kept

    def _text(self, text: str) -> Any:
        picture = self._pictures.get(text) or RecordedPicture.of(text)
        return self._redacted(text) if picture is None else picture.to_dict()

    def _redacted(self, text: str) -> str:
        length = len(text)
        if self._is_whole:
            return self._redactor.text(text)
        if length <= _MAX_TEXT_CHARACTERS:
            kept = self._redactor.text(text)
        else:
            kept = self._redactor.text(text[: _MAX_TEXT_CHARACTERS + self._redactor.margin])[:_MAX_TEXT_CHARACTERS]
            kept += f"… [cut; {length:,} characters in all]"
        self._characters += len(kept)
        if self._characters > _MAX_CHARACTERS:
            raise _TooLarge
        return kept

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MAX_VALUES and not self._is_whole:
            raise _TooLarge
