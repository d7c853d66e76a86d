"""Reading of request bodies: completely, within the size limit, as JSON, with the position of a syntax error."""

import json
import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson
from bodydouble_spec import is_array, is_object
from bodydouble_spec.text import cut

from bodydouble_mockserver.asgi import Receive, Scope, header

__all__ = ["UnreadableBody", "duplicate_keys", "parse_json", "read_body"]

# A client reads the answer only after it has sent its body; beyond this size the connection is cut.
_DRAINED_BYTES = 256 * 1024 * 1024
# orjson parses four times deeper than it serializes, and an image request is never deep.
_MAX_DEPTH = 200
_MAX_LISTED_KEYS = 20
_MAX_KEY_CHARACTERS = 60

# Also matches inside strings, which only costs a closer check.
_KEY = re.compile(rb'"[ \t\n\r]*:')


@dataclass(frozen=True, slots=True)
class UnreadableBody:
    """The reason why a body cannot be used: the status of the answer, one sentence, and the position where it is known."""

    status: int
    message: str
    line: int | None = None
    column: int | None = None


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


async def read_body(
    scope: Scope, receive: Receive, limit: int, message: MutableMapping[str, Any]
) -> bytes | UnreadableBody:
    """Read the whole body, or return a 413 once a client that sends more than ``limit`` bytes has finished.

    ``message`` is the first ASGI message received. Raises Disconnected when the client disconnects.
    """
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    too_large = UnreadableBody(413, f"The request body is larger than {limit} bytes")
    declared = header(scope, b"content-length")
    is_too_large = len(body) > limit or (declared.isdigit() and (len(declared) > 18 or int(declared) > limit))
    chunks, size = [body], len(body)
    while message.get("more_body", False) and (not is_too_large or size <= _DRAINED_BYTES):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        is_too_large = is_too_large or size > limit
        if is_too_large:
            chunks.clear()
        else:
            chunks.append(chunk)
    return too_large if is_too_large else b"".join(chunks)


def parse_json(body: bytes, content_type: bytes) -> Any | UnreadableBody:
    """Parse the body, or return a 400 for a wrong or missing content type, an empty body, and one that is not UTF-8, not JSON or nested too deep."""
    if content_type != b"application/json" and not _is_json(content_type):
        shown = content_type.decode("latin-1")[:80] or "missing"
        return UnreadableBody(400, f"The Content-Type is {shown}; send application/json")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip(b" \t\r\n"):
            return UnreadableBody(400, "The request body is empty; send a JSON object")
        if body.startswith(b"\x1f\x8b"):
            return UnreadableBody(400, "The request body is compressed; send it without Content-Encoding", 1, 1)
        if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]:
            return UnreadableBody(400, "The request body is not UTF-8; it looks like UTF-16", 1, 1)
        if body.startswith(b"\xef\xbb\xbf"):
            return UnreadableBody(400, "The request body begins with a byte order mark; send UTF-8 without one", 1, 1)
        where = f"line {error.lineno}, column {error.colno}"
        return UnreadableBody(400, f"Malformed JSON at {where}: {error.msg}", error.lineno, error.colno)
    # Counting brackets is cheap and clears nearly every body.
    if body.count(b"[") + body.count(b"{") > _MAX_DEPTH and _is_deeper(parsed, _MAX_DEPTH):
        return UnreadableBody(400, f"The request body is nested more than {_MAX_DEPTH} levels deep")
    return parsed


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or media_type.endswith(b"+json")


def duplicate_keys(body: bytes, parsed: dict[str, Any]) -> list[str]:
    """Return the keys that appear twice in one object of a valid body, at most twenty, shortened. The parser kept the last value.

    Counting the places that look like keys is cheap and clears most bodies.
    """
    looks_like_keys = len(_KEY.findall(body))
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

    json.loads(body, object_pairs_hook=collect)
    first = list(dict.fromkeys(found))[:_MAX_LISTED_KEYS]
    return [cut(key, _MAX_KEY_CHARACTERS) for key in first]


def _is_deeper(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels + 1):
        containers = [item for item in layer if is_object(item) or is_array(item)]
        if not containers:
            return False
        layer = [inner for item in containers for inner in (item.values() if is_object(item) else item)]
    return True


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
