"""The values that the client reads in an answer, found by leaving out one after another."""

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
"""Takes the place of a field where the client raises an error without the value."""

# Fields that hold the answer itself, the id of the call or warnings, not values read from the answer.
_NOT_READ = {"raw", "client_request_id", "warnings"}
_MOST_PLACES = 200


def fields_of(result: EditResult) -> dict[str, Any]:
    """Return the fields of a result by name, without those that are None."""
    values = {item.name: getattr(result, item.name) for item in fields(EditResult) if item.name not in _NOT_READ}
    pictures = [(image.url, image.b64) for image in result.images]
    return {name: value for name, value in (values | {"images": pictures}).items() if value is not None}


def places_read(answer: bytes) -> dict[str, tuple[str, ...]]:
    """Return each value of a success body that the client reads, by JSON pointer, with the fields of the result that need it.

    The field is `INDISPENSABLE` where the client gives no result without the value. The dict is empty for a body that the client cannot read.
    Headers are left out, so that they cannot replace a value.
    """
    body = json.loads(answer)
    whole = _read(body)
    if whole is None:
        return {}
    places: dict[str, tuple[str, ...]] = {}
    for pointer, rest in islice(_each_left_out(body), _MOST_PLACES):
        values = _read(rest)
        if values is None:
            places[pointer] = (INDISPENSABLE,)
        elif values != whole:
            places[pointer] = tuple(name for name in whole if values.get(name) != whole[name])
    return places


def _read(body: Any) -> dict[str, Any] | None:
    """Return the fields that the client reads from a body, or None when it raises one of its errors."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    with httpx.Client(transport=transport, trust_env=False) as http_client:
        client = Client("a-key", "http://127.0.0.1", retries=0, http_client=http_client)
        try:
            return fields_of(client.edit("make it night", ["https://example.com/a.png"]))
        except BodydoubleError:
            return None


def _each_left_out(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the pointer of each innermost value, and the whole value without it."""
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
