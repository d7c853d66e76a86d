"""The canonical form of a request, by which a recorded one is found again: key order, secrets and the spelling of pictures make no difference."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import (
    Exchange,
    RecordedPicture,
    Redactor,
    is_array,
    is_object,
    join_pointer,
    pointer_parts,
    record_body,
)
from bodydouble_spec.recording import kept_bytes
from bodydouble_spec.schema import json_key

from bodydouble_mockserver.request import Intake

__all__ = [
    "RECORDED_PICTURES",
    "BodyRules",
    "CanonicalRequest",
    "canonical_of_exchange",
    "canonical_of_request",
    "check_pointers",
    "differences",
]

RECORDED_PICTURES = "/generations/recorded/"
"""The path below which the pictures of recordings are served, each by its hash."""

_OWN_PICTURE = re.compile(rf"https?://[^/?#]+{RECORDED_PICTURES}([0-9a-f]{{64}})(\.[a-z0-9.+-]+)?")
_PICTURE = "picture"
_MISSING = object()


@dataclass(frozen=True, slots=True)
class BodyRules:
    """The values of a body that do not count, by JSON pointer, and the hash of each picture that is known by its URL."""

    ignored: Sequence[str] = ()
    pictures: Mapping[str, str] = field(default_factory=dict[str, str])


_NO_RULES = BodyRules()


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """The parts of a request that tell it from others: method, path (without ``/v1`` and doubled slashes), query, whether it has a key, and the body.

    In the body a picture is ``{"picture": <hash>}``, wherever its bytes came from.
    """

    method: str
    path: str
    query: tuple[str, ...]
    has_key: bool
    body: Any

    @property
    def route(self) -> tuple[str, str]:
        """Method and path."""
        return self.method, self.path

    @property
    def text(self) -> str:
        """A text that is equal for equal requests only."""
        return json_key([self.method, self.path, list(self.query), self.has_key, self.body])


def canonical_of_exchange(exchange: Exchange, rules: BodyRules = _NO_RULES) -> CanonicalRequest:
    """Return the canonical form of a recorded request."""
    path, _, query = exchange.path.partition("?")
    body = exchange.body if exchange.raw is None else {"sha256": exchange.raw.get("sha256")}
    return _canonical(
        exchange.method, path, query, exchange.key is not None, _body(body, rules.ignored, rules.pictures)
    )


def canonical_of_request(
    method: str,
    path: str,
    has_key: bool,
    intake: Intake,
    redactor: Redactor,
    keys: Sequence[bytes] = (),
    rules: BodyRules = _NO_RULES,
) -> CanonicalRequest:
    """Return the canonical form of a request that came in. ``path`` has the query, both redacted; ``redactor`` knows the ``keys`` of the request."""
    route, _, query = path.partition("?")
    body, raw = record_body(intake.body, redactor, intake.read, whole=True)
    if raw is not None:
        kept = kept_bytes(intake.body, redactor, list(keys))
        body = {"sha256": raw["sha256"] if kept is None else hashlib.sha256(kept).hexdigest()}
    return _canonical(method, route, query, has_key, _body(body, rules.ignored, rules.pictures))


def check_pointers(pointers: Sequence[str]) -> None:
    """Raise ValueError for a text that is not a JSON pointer of a value in a body."""
    wrong = next((pointer for pointer in pointers if not pointer.startswith("/")), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:80]!r} is not a JSON pointer; write one like /seed or /image_urls/0")


def differences(recorded: CanonicalRequest, sent: CanonicalRequest) -> list[tuple[str, Any, Any]]:
    """List where two requests differ: place, recorded value, sent value; None stands for a value that is not there.

    A place is the JSON pointer of a value in the body, ``the query`` or ``the API key``.
    """
    found: list[tuple[str, Any, Any]] = []
    if recorded.query != sent.query:
        found.append(("the query", "&".join(recorded.query) or None, "&".join(sent.query) or None))
    if recorded.has_key != sent.has_key:
        found.append(("the API key", _key_words(recorded), _key_words(sent)))
    one, other = dict(_leaves(recorded.body, "")), dict(_leaves(sent.body, ""))
    for pointer in dict.fromkeys((*one, *other)):
        before, now = one.get(pointer, _MISSING), other.get(pointer, _MISSING)
        if before is _MISSING or now is _MISSING or json_key(before) != json_key(now):
            found.append((pointer, None if before is _MISSING else before, None if now is _MISSING else now))
    return found


def _key_words(request: CanonicalRequest) -> str:
    return "a key" if request.has_key else "no key"


def _canonical(method: str, path: str, query: str, has_key: bool, body: Any) -> CanonicalRequest:
    parts = [part for part in path.split("/") if part]
    route = "/" + "/".join(parts[1:] if parts[:1] == ["v1"] else parts)
    return CanonicalRequest(method.upper(), route, tuple(sorted(filter(None, query.split("&")))), has_key, body)


def _body(body: Any, ignored: Sequence[str], pictures: Mapping[str, str]) -> Any:
    for pointer in ignored:
        body = _without(body, pointer_parts(pointer))
    return _with_pictures(body, pictures)


def _without(value: Any, parts: Sequence[str]) -> Any:
    """Return a value without the part at a pointer; a value that has no such part stays as it is."""
    first, *rest = parts
    if is_object(value) and first in value:
        others = {name: item for name, item in value.items() if name != first}
        return {**others, first: _without(value[first], rest)} if rest else others
    if is_array(value) and first.isdigit() and int(first) < len(value):
        index = int(first)
        inner = [_without(value[index], rest)] if rest else []
        return [*value[:index], *inner, *value[index + 1 :]]
    return value


def _with_pictures(value: Any, pictures: Mapping[str, str]) -> Any:
    picture = RecordedPicture.read(value)
    if picture is not None:
        return {_PICTURE: picture.sha256}
    if isinstance(value, str):
        own = _OWN_PICTURE.fullmatch(value)
        sha256 = pictures.get(value) if own is None else own[1]
        return value if sha256 is None else {_PICTURE: sha256}
    if is_object(value):
        return {name: _with_pictures(item, pictures) for name, item in value.items()}
    return [_with_pictures(item, pictures) for item in value] if is_array(value) else value


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Yield each innermost value with its pointer; an empty object or list, and a picture, is one."""
    if is_object(value) and value and value.keys() != {_PICTURE}:
        for name, item in value.items():
            yield from _leaves(item, join_pointer(pointer, name))
    elif is_array(value) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, join_pointer(pointer, index))
    else:
        yield pointer, value
