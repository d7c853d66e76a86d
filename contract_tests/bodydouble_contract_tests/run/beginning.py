"""The beginning of an answer that is too large to be examined whole: the server decides on the size of its answers."""

from typing import Any

import orjson
from bodydouble_spec import is_array, is_object

__all__ = ["beginning_of_answer"]

# Every check works through all values of an answer, and the second validator takes 0.1 ms for each.
_MOST_VALUES = 10_000
# Lists are cut after the first of these numbers of items with which the answer is small enough.
_LENGTHS = (_MOST_VALUES, 1_000, 100, 10, 1)
_MAX_DEPTH = 200


def beginning_of_answer(content: bytes) -> bytes | None:
    """Return an answer of more than 10,000 JSON values, or deeper than 200, with its lists cut; null where its objects alone have too many.

    None where it is examined whole, or is not JSON. Texts are kept whole: a picture in Base64 is one value. So are objects: without a member, a
    property would seem to be absent.
    """
    opened, commas = content.count(b"[") + content.count(b"{"), content.count(b",")
    if opened <= _MAX_DEPTH and opened + commas < _MOST_VALUES:
        return None
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    for length in _LENGTHS:
        copy = _Copy(length)
        try:
            beginning = copy.of(value, 0)
        except _TooManyValues:
            continue
        return orjson.dumps(beginning) if copy.is_cut else None
    return b"null"


class _TooManyValues(Exception):
    """The copy of an answer is still too large."""


class _Copy:
    """A copy of a JSON value with cut lists, which ends when it has too many values."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.values = 0
        self.is_cut = False

    def of(self, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES:
            raise _TooManyValues
        is_beyond = depth > _MAX_DEPTH
        if is_array(value):
            kept = [] if is_beyond else value[: self._length]
            self.is_cut |= len(kept) < len(value)
            return [self.of(item, depth + 1) for item in kept]
        if is_object(value):
            self.is_cut |= is_beyond
            return {} if is_beyond else {name: self.of(item, depth + 1) for name, item in value.items()}
        return value
