"""Parsing of JSON bodies, with the reason and the position of what is wrong."""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson
from bodydouble_spec import is_array, is_object
from bodydouble_spec.text import cut

from bodydouble_mockserver.request.body import UnreadableBody
from bodydouble_mockserver.request.limits import count_names

__all__ = ["duplicate_keys", "explain", "without_mark"]

_MAX_LISTED_KEYS = 20
_MAX_KEY_CHARACTERS = 60
_SHORT_BYTES = 8_000
_BEGINNING_BYTES = 200
_CAUSES = (
    (
        re.compile(rb"\s*[{\[]\s*'"),
        "; it has single quotes, as Python prints a dict: send json.dumps(…), or json=… in requests and httpx",
    ),
    (re.compile(rb"\s*\[object Object\]"), "; it is a JavaScript object turned into a string: send JSON.stringify(…)"),
    (re.compile(rb"[\w.%+-]+="), "; it is a form: send JSON, with json=… in requests and httpx"),
)
_UTF8_MARK = b"\xef\xbb\xbf"

# Also matches inside strings, which only costs a closer check.
_KEY = re.compile(rb'"[ \t\n\r]*:')


def without_mark(body: bytes) -> bytes:
    """Return a body without the byte order mark of UTF-8."""
    return body.removeprefix(_UTF8_MARK)


def explain(body: bytes, error: orjson.JSONDecodeError) -> UnreadableBody:
    """Return a 400 for a body that is empty, not UTF-8 or not JSON; ``error`` is the parser's."""
    if not body.strip(b" \t\r\n"):
        return UnreadableBody(400, "The request body is empty; send a JSON object")
    if body.startswith(b"\x1f\x8b"):
        return UnreadableBody(
            400, "The request body is compressed with gzip; add Content-Encoding: gzip, or send it uncompressed"
        )
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]:
        return UnreadableBody(400, f"The request body is {_wide_name(body)}, from line 1, column 1; send UTF-8")
    try:
        body.decode()
    except UnicodeDecodeError as found:
        return _not_utf8(body, found.start)
    where = f"line {error.lineno}, column {error.colno}"
    return UnreadableBody(400, f"Malformed JSON at {where}: {error.msg}{_cause(body)}")


def _cause(body: bytes) -> str:
    """Return the likely reason why a body is not JSON, with what to do; empty for none."""
    return next((words for pattern, words in _CAUSES if pattern.match(body[:_BEGINNING_BYTES])), "")


def _wide_name(body: bytes) -> str:
    if body.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")) or body[:4].count(b"\0") == 3:
        return "UTF-32"
    return "UTF-16"


def _not_utf8(body: bytes, start: int) -> UnreadableBody:
    """Return a 400 for a body whose bytes are UTF-8 up to ``start``."""
    before = body[:start].decode()
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    byte = body[start : start + 1]
    # Windows-1252 is Latin-1 with letters in the place of control characters; five of its bytes mean nothing.
    letter = byte.decode("cp1252", "replace")
    guess = f"; as Latin-1 it would be {letter!r}" if letter.isprintable() and letter != "\ufffd" else ""
    return UnreadableBody(
        400,
        f"The request body is not UTF-8 at line {line}, column {column}: byte 0x{byte.hex().upper()}{guess}; send UTF-8",
    )


def duplicate_keys(text: bytes, parsed: dict[str, Any]) -> list[str]:
    """Return the keys that appear twice in one object of a valid text, at most twenty, shortened. The parser kept the last value.

    Counting the places that look like keys is cheap and clears most bodies.
    """
    # Each name has a colon after it, and none after that is followed by two slashes, as those in URLs are.
    if text.count(b":") - text.count(b"://") <= len(parsed):
        return []
    # A search costs more per name than the exact count does per byte, but most bodies are short.
    looks_like_keys = len(_KEY.findall(text)) if len(text) <= _SHORT_BYTES else count_names(text)
    if looks_like_keys <= len(parsed) or looks_like_keys <= _count_keys(parsed):
        return []
    found: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in pairs:
            if key in result:
                found.append(key)
            result[key] = value
        return result

    json.loads(text, object_pairs_hook=collect)
    first = list(dict.fromkeys(found))[:_MAX_LISTED_KEYS]
    return [cut(key, _MAX_KEY_CHARACTERS) for key in first]


def _count_keys(value: Any) -> int:
    count = 0
    pending: list[Iterable[Any]] = [[value]]
    while pending:
        for item in pending.pop():
            if is_object(item):
                count += len(item)
                pending.append(item.values())
            elif is_array(item):
                pending.append(item)
    return count
