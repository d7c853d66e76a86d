"""One operation of a contract, and one of the models that it is for."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.defects import listed, show
from bodydouble_spec.document import METHODS
from bodydouble_spec.errors import UnknownOperation
from bodydouble_spec.operation import Operation, read_operations
from bodydouble_spec.schema import SchemaPart, SchemaView, json_key
from bodydouble_spec.values import copy_json, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["LimitedProperty", "limited_properties", "limited_values", "only_operation"]

_MODEL = "model"


# A property deeper than this, or beyond so many others, tells no operations apart; a schema that contains itself has no end.
_MAX_LEVELS = 6
_MAX_PLACES = 500


@dataclass(frozen=True, slots=True)
class LimitedProperty:
    """A property of which a request may have only some values: these by `json_key`, and whether every request has the property."""

    values: Mapping[str, Any]
    is_required: bool


def limited_properties(operation: Operation, max_levels: int = _MAX_LEVELS) -> dict[tuple[str, ...], LimitedProperty]:
    """Return the properties with an ``enum`` or ``const`` of the requests of an operation, by their names from the outermost one on.

    Those that are free in one way to write a request are left out.
    """
    found: dict[tuple[str, ...], LimitedProperty] = {}
    schemas = [body.schema for body in operation.request_bodies.values() if body is not None]
    first = [SchemaView.of(schema) for schema in schemas]
    pending: deque[tuple[tuple[str, ...], list[SchemaView], bool]] = deque([((), first, True)])
    left = _MAX_PLACES
    while pending and left > 0:
        outer, views, is_present = pending.popleft()
        ways = [way for view in views for way in view.ways]
        is_present = is_present and (not outer or all("object" in way.types for way in ways))
        ways = [way for way in ways if not outer or "object" in way.types]
        for name in dict.fromkeys(name for way in ways for name in way.properties):
            left -= 1
            place = (*outer, name)
            inner = [way.property(name) for way in ways]
            is_required = is_present and all(name in way.required for way in ways)
            options = [way.options for view in inner for way in view.ways]
            known = [values for values in options if values is not None]
            if options and len(known) == len(options):
                found[place] = LimitedProperty(
                    {json_key(value): value for values in known for value in values}, is_required
                )
            elif len(place) < max_levels:
                pending.append((place, inner, is_required))
    return found


def limited_values(operation: Operation) -> dict[str, Mapping[str, Any]]:
    """Return the only values that a request may have for a property of its body, by property and `json_key`; free ones are left out."""
    return {place[0]: found.values for place, found in limited_properties(operation, 1).items()}


def only_operation(contract: Contract, name: str | None, model: str | None = None) -> Contract:
    """Return a contract with one of its operations (see `Contract.operation`), and with one ``model`` in its requests where one is given.

    Raises UnknownOperation when there is no such operation, or it is not for that model, and lists the known ones.
    """
    operation = contract.operation(name)
    document = _only(contract.document, operation)
    operations: tuple[Operation, ...] = (operation,)
    if model is not None:
        models = limited_values(operation).get(_MODEL, {})
        if json_key(model) not in models:
            known = listed(models.values(), show) or "none by name"
            raise UnknownOperation(
                f"{contract.source}: {operation.key} has no model {show(model)}; its models: {known}"
            )
        if len(models) > 1:
            document = copy_json(document)
            for part in _model_parts(document, operation):
                schema = resolve_pointer(document, pointer_parts(part.pointer))
                schema.pop("const", None)
                schema["enum"] = [model]
            operations = tuple(read_operations(document, contract.evidence))
    return replace(contract, published=_only(contract.published, operation), document=document, operations=operations)


def _only(document: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    """Return a document without the other operations; their schemas and other parts stay."""
    paths = document.get("paths")
    item = paths.get(operation.path) if is_object(paths) else None
    if not is_object(item):
        return dict(document)
    kept = {key: value for key, value in item.items() if key not in METHODS or key == operation.method.lower()}
    return {**document, "paths": {operation.path: kept}}


def _model_parts(document: Mapping[str, Any], operation: Operation) -> Iterator[SchemaPart]:
    """Yield the schemas that limit the model of a request."""
    for media_type in operation.request_media_types:
        pointer = join_pointer(operation.pointer, "requestBody", "content", media_type, "schema")
        try:
            ways = SchemaView.at(document, pointer).ways
        except LookupError:  # a media type without a schema
            continue
        for way in ways:
            for inner in way.property(_MODEL).ways:
                yield from (part for part in inner.parts if not {"enum", "const"}.isdisjoint(part.schema))
