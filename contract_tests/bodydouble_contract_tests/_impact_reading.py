"""What the client reads in an answer, found by leaving out one value after another and looking at what it makes of the rest."""

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

import httpx
from bodydouble_client import BodydoubleError, Client, EditResult
from bodydouble_spec import is_array, is_object, join_pointer

__all__ = ["INDISPENSABLE", "fields_of", "places_read"]

INDISPENSABLE = ""
"""Stands for a field where the client raises an error without the value."""

# Not what a result says of an answer, but the answer itself, the call's own name and its remarks.
_NOT_READ = {"raw", "client_request_id", "warnings"}
_MOST_PLACES = 200


def fields_of(result: EditResult) -> dict[str, Any]:
    """What a result says, by field, without what is None."""
    told = {item.name: getattr(result, item.name) for item in fields(EditResult) if item.name not in _NOT_READ}
    pictures = [(image.url, image.b64) for image in result.images]
    return {name: value for name, value in (told | {"images": pictures}).items() if value is not None}


def places_read(answer: bytes) -> dict[str, tuple[str, ...]]:
    """By JSON pointer each value of a success body that the client reads, with the fields of its result that need it.

    The field is `INDISPENSABLE` where the client gives no result at all without it. Empty for a body that the client cannot read. Headers are left
    out, so that nothing can take the place of a value.
    """
    body = json.loads(answer)
    whole = _read(body)
    if whole is None:
        return {}
    places: dict[str, tuple[str, ...]] = {}
    for pointer, rest in islice(_each_left_out(body), _MOST_PLACES):
        told = _read(rest)
        if told is None:
            places[pointer] = (INDISPENSABLE,)
        elif told != whole:
            places[pointer] = tuple(name for name in whole if told.get(name) != whole[name])
    return places


def _read(body: Any) -> dict[str, Any] | None:
    """What the client makes of a body; None when it raises one of its errors."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    with httpx.Client(transport=transport, trust_env=False) as http_client:
        client = Client("a-key", "http://127.0.0.1", retries=0, http_client=http_client)
        try:
            return fields_of(client.edit("make it night", ["https://example.com/a.png"]))
        except BodydoubleError:
            return None


def _each_left_out(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The value without one of its innermost values, for each of these."""
    members: list[tuple[Any, Any]] = []
    if is_object(value):
        members = [*value.items()]
    elif is_array(value):
        members = [*enumerate(value)]
    for key, member in members:
        place = join_pointer(pointer, key)
        if is_object(member) or is_array(member):
            yield from ((inner, _with(value, key, rest)) for inner, rest in _each_left_out(member, place))
        else:
            yield place, _without(value, key)


def _with(value: Any, key: Any, member: Any) -> Any:
    if is_object(value):
        return {**value, key: member}
    return [member if number == key else item for number, item in enumerate(value)]


def _without(value: Any, key: Any) -> Any:
    if is_object(value):
        return {name: item for name, item in value.items() if name != key}
    return [item for number, item in enumerate(value) if number != key]
