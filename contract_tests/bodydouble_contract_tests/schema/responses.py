"""Places in an answer: where its schema has a property or a list, and the values there."""

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeAlias

from bodydouble_spec import is_array, is_object, join_pointer
from bodydouble_spec.schema import SchemaView

__all__ = ["Path", "places", "values_at", "values_named"]

Path: TypeAlias = tuple[str, ...]
"""The names that lead to a place from the top; ``*`` stands for any item of a list."""

_MAX_DEPTH = 20
# A schema that refers to itself has endless places.
_MOST_PLACES = 5_000


def places(top: SchemaView) -> Iterator[tuple[Path, SchemaView]]:
    """Yield every place that a schema describes, once for each alternative that may apply there, the top first and deeper places later."""
    pending: deque[tuple[Path, SchemaView]] = deque([((), top)])
    for _ in range(_MOST_PLACES):
        if not pending:
            return
        path, view = pending.popleft()
        if not view.parts or len(path) > _MAX_DEPTH:
            continue
        yield path, view
        pending += ((path, branch) for choice in view.choices for branch in choice)
        pending += (((*path, name), inner) for name, inner in view.properties.items())
        pending.append(((*path, "*"), view.items))


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
