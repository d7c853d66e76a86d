"""Places in an answer: where its schema has a property or a list, and what stands there."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bodydouble_spec import is_array, is_object, join_pointer

__all__ = ["Path", "at", "named", "places", "property_names"]

Path: TypeAlias = tuple[str, ...]
"""The names that lead to a place from the top; ``*`` stands for any item of a list."""

_MAX_DEPTH = 20
# A schema that refers to itself in many ways has places without end.
_MOST_PLACES = 5_000


def places(schema: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every place that a JSON Schema describes, with each schema that may hold there: the top first, what is deeper later."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    waiting: deque[tuple[Path, Any, int]] = deque([((), schema, 0)])
    for _ in range(_MOST_PLACES):
        if not waiting:
            return
        path, here, depth = waiting.popleft()
        if not is_object(here) or depth > _MAX_DEPTH:
            continue
        yield path, here
        waiting += ((path, part, depth + 1) for part in _parts(here, definitions))
        waiting += (((*path, name), value, depth + 1) for name, value in _properties(here).items())
        waiting.append(((*path, "*"), here.get("items"), depth + 1))


def _parts(schema: dict[str, Any], definitions: Mapping[str, Any]) -> list[Any]:
    """The schemas that may hold together with one, or in its place."""
    reference = schema.get("$ref")
    target = None if reference is None else definitions.get(str(reference).removeprefix("#/$defs/"))
    return [target, *(part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ()))]


def property_names(schema: dict[str, Any]) -> frozenset[str]:
    """The names in the ``properties`` of a schema."""
    return frozenset(_properties(schema))


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if is_object(properties) else {}


def at(value: Any, path: Path, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """What stands at a place of a JSON value, with the pointer of each: nothing, or one thing, or one for each item of a list."""
    if not path:
        yield pointer, value
    elif path[0] == "*":
        for index, item in enumerate(value if is_array(value) else ()):
            yield from at(item, path[1:], join_pointer(pointer, index))
    elif is_object(value) and path[0] in value:
        yield from at(value[path[0]], path[1:], join_pointer(pointer, path[0]))


def named(value: Any, name: str, depth: int = 0) -> Iterator[Any]:
    """The value of every property of that name, wherever it stands in a JSON value."""
    if depth > _MAX_DEPTH:
        return
    if is_object(value):
        if name in value:
            yield value[name]
        for item in value.values():
            yield from named(item, name, depth + 1)
    elif is_array(value):
        for item in value:
            yield from named(item, name, depth + 1)
