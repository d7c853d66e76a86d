"""One operation of a contract, and one of the models that it is for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.defects import listed, show
from bodydouble_spec.document import METHODS
from bodydouble_spec.errors import UnknownOperation
from bodydouble_spec.operation import Operation, read_operations
from bodydouble_spec.schema import SchemaPart, SchemaView, json_key
from bodydouble_spec.values import copy_json, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["limited_values", "only_operation"]

_MODEL = "model"


def limited_values(operation: Operation) -> dict[str, Mapping[str, Any]]:
    """Return the only values that a request of an operation may have for a property, by property and `json_key`; free ones are left out."""
    schemas = [body.schema for body in operation.request_bodies.values() if body is not None]
    ways = [way for schema in schemas for way in SchemaView.of(schema).ways]
    found: dict[str, Mapping[str, Any]] = {}
    for name in dict.fromkeys(name for way in ways for name in way.properties):
        views = [inner for way in ways for inner in way.property(name).ways]
        if views and all(inner.options is not None for inner in views):
            found[name] = {json_key(value): value for inner in views for value in inner.options or ()}
    return found


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
            known = listed(map(show, models.values())) or "none by name"
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
