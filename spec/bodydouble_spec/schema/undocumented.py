"""Properties of a value that its schema neither names nor mentions otherwise."""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from bodydouble_spec.schema.strict import Shapes, lists_all
from bodydouble_spec.schema.validation import SchemaValidator
from bodydouble_spec.schema.view import SchemaView
from bodydouble_spec.values import is_array, is_object, join_pointer

__all__ = ["UndocumentedProperty", "undocumented_properties"]

_MAX_LEVELS = 20


class UndocumentedProperty(NamedTuple):
    """A property that a schema does not have: the pointer to its object, its name, and the names that the schema has there."""

    pointer: str
    name: str
    documented: frozenset[str]


def undocumented_properties(validator: SchemaValidator, value: Any) -> Iterator[UndocumentedProperty]:
    """Yield the properties outside of a schema, the outermost first; none where a schema says what further properties are.

    Of alternatives (anyOf, oneOf), those count that the value conforms to; where it conforms to none, nothing is yielded.
    """
    view = validator.view
    if is_object(value) and not view.choices and value.keys() <= view.property_names.keys() and _is_flat(value):
        return  # the usual request
    shapes = Shapes(validator)
    pending: deque[tuple[SchemaView, Any, str, int]] = deque([(view, value, "", 0)])
    while pending:
        place, item, pointer, level = pending.popleft()
        if level > _MAX_LEVELS or not (is_object(item) or is_array(item)):
            continue
        found = shapes.of(place, item)
        if is_object(item):
            documented = frozenset(name for shape in found for name in shape.property_names)
            if found and all(map(lists_all, found)):
                yield from (UndocumentedProperty(pointer, name, documented) for name in item if name not in documented)
        for shape in found[:1]:
            for inner, member, key in _inside(shape, item):
                pending.append((inner, member, join_pointer(pointer, key), level + 1))


def _inside(shape: SchemaView, value: Any) -> Iterator[tuple[SchemaView, Any, str | int]]:
    """Yield the values directly in an array or an object, with the view and the key of each."""
    if is_array(value):
        yield from ((shape.item(index), member, index) for index, member in enumerate(value))
    elif is_object(value):
        yield from ((view, value[name], name) for name, view in shape.properties.items() if name in value)


def _is_flat(value: dict[str, Any]) -> bool:
    # Loops without calls, because they would take longer than the search itself, on every request.
    for member in value.values():
        kind = member.__class__
        if kind is dict:
            return False
        if kind is list:
            for item in member:
                inner = item.__class__
                if inner is dict or inner is list:
                    return False
    return True
