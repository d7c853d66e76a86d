"""The bodies of recorded exchanges: long texts and bodies that are not JSON lie in files beside the exchange."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec.exchange import Exchange, RecordedAnswer, RecordedPicture, Redactor
from bodydouble_spec.values import is_array, is_object

__all__ = ["kept_bytes", "outside_texts", "recorded_files", "with_texts_inside", "with_texts_outside"]

_MEMBER = "$text"
# The same length at which the journal cuts a text.
_LONG_CHARACTERS = 20_000


def with_texts_outside(exchange: Exchange, put: Callable[[bytes], str]) -> Exchange:
    """Return an exchange with each long text in the place of its bodies stored by ``put``, which returns its hash."""

    def outside(value: Any) -> Any:
        if not isinstance(value, str) or len(value) <= _LONG_CHARACTERS:
            return value
        data = value.encode("utf-8", "surrogatepass")
        return {_MEMBER: {"sha256": put(data), "characters": len(value)}}

    return _with_bodies(exchange, lambda body: _replaced(body, outside))


def with_texts_inside(exchange: Exchange, get: Callable[[str], bytes | None]) -> Exchange:
    """Return an exchange with the long texts that `with_texts_outside` took out; one whose file is missing stays described."""

    def inside(value: Any) -> Any:
        sha256 = _hash_of(value, _MEMBER)
        data = None if sha256 is None else get(sha256)
        return value if data is None else data.decode("utf-8", "surrogatepass")

    return _with_bodies(exchange, lambda body: _replaced(body, inside))


def recorded_files(exchange: Exchange) -> Iterator[str]:
    """Yield the hash of each file that an exchange refers to: pictures, long texts, and bodies that are not JSON."""
    answer = exchange.answer
    for body in (exchange.body, None if answer is None else answer.body):
        yield from _hashes(body)
    for raw in (exchange.raw, None if answer is None else answer.raw):
        if raw is not None and raw.get("is_kept") is True and isinstance(raw.get("sha256"), str):
            yield raw["sha256"]


def outside_texts(exchange: Exchange) -> Iterator[str]:
    """Yield the hash of each long text of the bodies that is in a file, and not in its place."""
    answer = exchange.answer
    for body in (exchange.body, None if answer is None else answer.body):
        yield from _hashes(body, with_pictures=False)


def kept_bytes(data: bytes, redactor: Redactor, keys: list[bytes]) -> bytes | None:
    """Return a body that is not JSON as it may be kept: a text without secrets, other bytes unchanged.

    None for bytes that have one of the keys in them.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None if any(key in data for key in keys) else data
    return redactor.raw(text, len(text)).encode()


def _with_bodies(exchange: Exchange, change: Callable[[Any], Any]) -> Exchange:
    body, answer = change(exchange.body), exchange.answer
    if answer is not None:
        changed = change(answer.body)
        answer = (
            answer if changed is answer.body else RecordedAnswer(answer.status, answer.headers, changed, answer.raw)
        )
    if body is exchange.body and answer is exchange.answer:
        return exchange
    return replace(exchange, body=body, answer=answer)


def _replaced(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a JSON value with ``change`` applied to each part; the same object where nothing changes."""
    changed = change(value)
    if changed is not value:
        return changed
    if is_object(value):
        members = {name: _replaced(item, change) for name, item in value.items()}
        return members if any(members[name] is not item for name, item in value.items()) else value
    if is_array(value):
        items = [_replaced(item, change) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _hashes(value: Any, *, with_pictures: bool = True) -> Iterator[str]:
    picture = RecordedPicture.read(value) if with_pictures else None
    sha256 = picture.sha256 if picture is not None else _hash_of(value, _MEMBER)
    if sha256 is not None:
        yield sha256
    elif is_object(value):
        for item in value.values():
            yield from _hashes(item, with_pictures=with_pictures)
    elif is_array(value):
        for item in value:
            yield from _hashes(item, with_pictures=with_pictures)


def _hash_of(value: Any, member: str) -> str | None:
    inner = value.get(member) if is_object(value) and len(value) == 1 else None
    sha256 = inner.get("sha256") if is_object(inner) else None
    return sha256 if isinstance(sha256, str) else None
