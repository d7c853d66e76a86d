"""Places in an answer: where its schema has a property or a list, and the values there."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bodydouble_spec import is_array, is_object, join_pointer

__all__ = ["Path", "places", "property_names", "values_at", "values_named"]

Path: TypeAlias = tuple[str, ...]
"""The names that lead to a place from the top; ``*`` stands for any item of a list."""

_MAX_DEPTH = 20
# A schema that refers to itself has endless places.
_MOST_PLACES = 5_000


def places(schema: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every place that a JSON Schema describes, with each schema that may apply there, the top first and deeper places later."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    pending: deque[tuple[Path, Any, int]] = deque([((), schema, 0)])
    for _ in range(_MOST_PLACES):
        if not pending:
            return
        path, subschema, depth = pending.popleft()
        if not is_object(subschema) or depth > _MAX_DEPTH:
            continue
        yield path, subschema
        pending += ((path, part, depth + 1) for part in _subschemas(subschema, definitions))
        pending += (((*path, name), value, depth + 1) for name, value in _properties(subschema).items())
        pending.append(((*path, "*"), subschema.get("items"), depth + 1))


def _subschemas(schema: dict[str, Any], definitions: Mapping[str, Any]) -> list[Any]:
    """Return the schemas that may apply together with a schema, or instead of it."""
    reference = schema.get("$ref")
    target = None if reference is None else definitions.get(str(reference).removeprefix("#/$defs/"))
    return [target, *(part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ()))]


def property_names(schema: dict[str, Any]) -> frozenset[str]:
    """Return the names in the ``properties`` of a schema."""
    return frozenset(_properties(schema))


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if is_object(properties) else {}


def values_at(value: Any, path: Path, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the pointer and the value at a place of a JSON value: none, one, or one for each item of a list."""
    if not path:
        yield pointer, value
    elif path[0] == "*":
        for index, item in enumerate(value if is_array(value) else ()):
            yield from values_at(item, path[1:], join_pointer(pointer, index))
    elif is_object(value) and path[0] in value:
        yield from values_at(value[path[0]], path[1:], join_pointer(pointer, path[0]))


def values_named(value: Any, name: str, depth: int = 0) -> Iterator[Any]:
    """Yield the value of every property of that name, at any depth of a JSON value."""
    if depth > _MAX_DEPTH:
        return
    if is_object(value):
        if name in value:
            yield value[name]
        for item in value.values():
            yield from values_named(item, name, depth + 1)
    elif is_array(value):
        for item in value:
            yield from values_named(item, name, depth + 1)
