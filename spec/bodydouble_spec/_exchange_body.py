"""What is kept of a body: its JSON without secrets and pictures, or a description when it is no JSON or too much of it."""

import hashlib
from typing import Any

import orjson

from bodydouble_spec._exchange_picture import PixelSize, RecordedPicture, begins_picture
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._redact import REDACTED, Redactor
from bodydouble_spec._redact_names import is_secret_name

__all__ = ["is_plain_json", "record_body", "record_value"]

_LONGEST_TEXT = 20_000
_MOST_CHARACTERS = 200_000
_MOST_VALUES = 10_000
_DEEPEST = 64
_DESCRIBED_CHARACTERS = 200
# A body up to this length cannot exceed any of the bounds above but the depth.
_SHORT = 8_000


class _TooMuch(ValueError):
    """The value has more in it than an entry may hold."""


def record_body(
    data: bytes, redactor: Redactor, pixel_size: PixelSize | None = None
) -> tuple[Any, dict[str, Any] | None]:
    """A body as kept: (JSON value, None), or (None, description) when it is not JSON, is ``null``, or is too much to keep.

    A description has ``bytes``, ``sha256`` and ``text``, the first 200 characters. An empty body is (None, None).
    """
    if not data:
        return None, None
    try:
        body = orjson.loads(data)
        # Most bodies are kept whole; to copy them value by value would take several times as long.
        if not redactor.is_plain(data) or not is_plain_json(data, body):
            body = record_value(body, redactor, pixel_size)
    except (orjson.JSONDecodeError, _TooMuch):
        body = None
    if body is not None:
        return body, None
    start = data[: 4 * (_DESCRIBED_CHARACTERS + redactor.margin)].decode("utf-8", "replace")
    digest = hashlib.sha256(data).hexdigest()
    return None, {"bytes": len(data), "sha256": digest, "text": redactor.raw(start, _DESCRIBED_CHARACTERS)}


def is_plain_json(data: bytes, value: Any) -> bool:
    """Whether this JSON (UTF-8; ``value`` when parsed) is small, and has no secret name and no picture; False says nothing.

    For texts that `Redactor.is_plain` has looked at.
    """
    return (
        len(data) <= _SHORT
        and data.count(b"{") + data.count(b"[") < _DEEPEST
        and not begins_picture(data)
        and not _has_secret_name(value)
    )


def _has_secret_name(value: Any) -> bool:
    if is_object(value):
        if any(map(is_secret_name, value)):
            return True
        value = value.values()
    elif not is_array(value):
        return False
    for member in value:
        kind = member.__class__
        if (kind is dict or kind is list) and _has_secret_name(member):
            return True
    return False


def record_value(value: Any, redactor: Redactor, pixel_size: PixelSize | None = None) -> Any:
    """A JSON value without secrets; each Base64 picture is a `RecordedPicture`, a text over 20,000 characters is cut and says so.

    Raises ValueError for more than 10,000 values or 200,000 characters; `record_body` describes such a body.
    """
    return _Recording(redactor, pixel_size).value(value, 0)


class _Recording:
    def __init__(self, redactor: Redactor, pixel_size: PixelSize | None) -> None:
        self._redactor = redactor
        self._pixel_size = pixel_size
        self._values = 0
        self._characters = 0

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int | float):
            return self._redactor.number(value)
        if depth >= _DEEPEST:
            return f"[nested deeper than {_DEEPEST}]"
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
            shown = self._plain(name)
            # Two names may look alike once their secrets are out.
            while shown in kept:
                shown += "*"
            if is_secret_name(name) and member is not None and not isinstance(member, bool):
                kept[shown] = REDACTED
            else:
                kept[shown] = self.value(member, depth + 1)
        return kept

    def _text(self, text: str) -> Any:
        picture = RecordedPicture.of(text, self._pixel_size)
        return self._plain(text) if picture is None else picture.to_dict()

    def _plain(self, text: str) -> str:
        length = len(text)
        if length <= _LONGEST_TEXT:
            kept = self._redactor.text(text)
        else:
            kept = self._redactor.text(text[: _LONGEST_TEXT + self._redactor.margin])[:_LONGEST_TEXT]
            kept += f"… [cut here; it had {length:,} characters]"
        self._characters += len(kept)
        if self._characters > _MOST_CHARACTERS:
            raise _TooMuch
        return kept

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise _TooMuch
