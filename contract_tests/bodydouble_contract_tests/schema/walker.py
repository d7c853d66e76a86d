"""Reading of a body's schema place by place: references are followed, conjunctions merged, alternatives kept apart."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import unquote

from bodydouble_spec import Contract, Operation, is_array, is_object, join_pointer, pointer_parts, resolve_pointer

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.schema.node import (
    ANYTHING,
    LocatedSchema,
    SchemaParts,
    SchemaView,
    json_key,
    merge,
    type_of,
)

__all__ = ["SchemaWalker", "request_walker", "response_walkers"]

# Nested alternatives multiply; beyond these limits one more adds nothing.
_MAX_NODES = 32
_MAX_RECURSION = 2
_MAX_TRAIL = 8
_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
# OpenAPI 3.0 writes "nothing is allowed" as the negation of one of these.
_ANY: tuple[Any, ...] = ({}, True)
# Keywords that a view does not cover; values are made without them and then checked.
_INEXACT = {
    "not", "if", "dependentRequired", "dependentSchemas", "propertyNames", "contains", "oneOf",
    "unevaluatedProperties", "unevaluatedItems", "patternProperties",
}  # fmt: skip


class Validator(Protocol):
    """The interface of a compiled schema of the contract."""

    schema: dict[str, Any]

    def is_valid(self, value: Any) -> bool:
        """Tell whether the value conforms."""
        ...

    def branch_is_valid(self, branch: dict[str, Any], value: Any) -> bool:
        """Tell whether the value conforms to one subschema of ``schema``, given as the same object."""
        ...


class SchemaWalker:
    """Reads the schema of one body. ``root`` is its top, ``views`` are the ways to conform at a place, ``conforms`` is the final check."""

    def __init__(self, document: Mapping[str, Any], validator: Validator, pointer: str) -> None:
        self._document = dict(document)
        self._validator = validator
        self._definitions: dict[str, Any] = validator.schema.get("$defs", {})
        self.root: SchemaParts = (LocatedSchema(validator.schema, pointer),)

    def views(self, parts: SchemaParts) -> tuple[SchemaView, ...]:
        """Return the ways for a value to conform to all of ``parts``: none when no value can, or where a recursion is cut off."""
        views: list[SchemaView] = [SchemaView(pointer=parts[0].pointer if parts else "")]
        for part in parts:
            views = _product(views, self._views_of(part))
        return tuple(self._with_conforming_options(view, parts) for view in views)

    def conforms(self, parts: SchemaParts, value: Any) -> bool:
        """Tell whether a value conforms to all of ``parts``."""
        return all(
            self._validator.branch_is_valid(part.schema, value) if is_object(part.schema) else part.schema is not False
            for part in parts
        )

    def _with_conforming_options(self, view: SchemaView, parts: SchemaParts) -> SchemaView:
        """Return the view with only the options that conform to all other rules, and their types."""
        if view.options is None:
            return view
        options = tuple(value for value in view.options if self.conforms(parts, value))
        return replace(view, options=options, types=frozenset(type_of(value) for value in options))

    def _views_of(self, part: LocatedSchema) -> list[SchemaView]:
        schema = part.schema
        if schema is False or (is_object(schema) and schema.get("not") in _ANY):
            return []
        if not is_object(schema):
            return [SchemaView(pointer=part.pointer)]
        views = [self._own_view(schema, part)]
        if "$ref" in schema:
            views = _product(views, self._referenced_views(schema["$ref"], part))
        for index, branch in enumerate(schema.get("allOf", ())):
            views = _product(views, self._views_of(_child(part, branch, "allOf", index)))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                branches = [_child(part, branch, keyword, index) for index, branch in enumerate(schema[keyword])]
                branch_views = [replace(view, is_branch=True) for branch in branches for view in self._views_of(branch)]
                views = _product(views, branch_views)
        return views

    def _referenced_views(self, reference: str, part: LocatedSchema) -> list[SchemaView]:
        depth = part.trail.count(reference)
        if depth >= _MAX_RECURSION or (depth and len(part.trail) >= _MAX_TRAIL):
            return []
        target = self._definitions.get(reference.removeprefix("#/$defs/"), True)
        source = _lookup(self._document, part.pointer)
        source_reference = source.get("$ref") if is_object(source) else None
        pointer = unquote(source_reference[1:]) if isinstance(source_reference, str) else part.pointer
        return self._views_of(LocatedSchema(target, pointer, (*part.trail, reference)))

    def _own_view(self, schema: dict[str, Any], part: LocatedSchema) -> SchemaView:
        source = _lookup(self._document, part.pointer)
        known = source.get("x-known-values", ()) if is_object(source) else ()
        options = [schema["const"]] if "const" in schema else schema.get("enum")
        factor = schema.get("multipleOf")
        return SchemaView(
            pointer=part.pointer,
            types=_types(schema.get("type")),
            options=None if options is None else tuple({json_key(value): value for value in options}.values()),
            limits={keyword: schema[keyword] for keyword in _LIMITS if keyword in schema},
            factors=() if factor is None else (factor,),
            patterns=(schema["pattern"],) if "pattern" in schema else (),
            formats=(schema["format"],) if isinstance(schema.get("format"), str) else (),
            known_values=tuple(value for value in known if isinstance(value, str)) if is_array(known) else (),
            defaults=(schema["default"],) if "default" in schema else (),
            properties=_children(part, schema, "properties"),
            pattern_properties=_children(part, schema, "patternProperties"),
            required=tuple(schema.get("required", ())),
            additional=_optional_child(part, schema, "additionalProperties"),
            prefix=tuple(
                (_child(part, item, "prefixItems", index),) for index, item in enumerate(schema.get("prefixItems", ()))
            ),
            items=_optional_child(part, schema, "items"),
            is_unique=schema.get("uniqueItems") is True,
            is_exact=not _INEXACT & schema.keys() and (factor is None or float(factor).is_integer()),
            origins={keyword: join_pointer(part.pointer, keyword) for keyword in schema},
        )


def request_walker(contract: Contract, operation: Operation) -> SchemaWalker:
    """Return the walker for the operation's JSON request body. Raises UnsupportedSchema when it takes none."""
    source = _lookup(dict(contract.document), join_pointer(operation.pointer, "requestBody", "content"))
    media_type = next(
        (name for name in source or () if name.partition(";")[0].strip().endswith(("/json", "+json"))), None
    )
    if operation.request is None or media_type is None:
        raise UnsupportedSchema(f"{operation.key} has no JSON request body with a schema; choose another operation")
    pointer = join_pointer(operation.pointer, "requestBody", "content", media_type, "schema")
    return SchemaWalker(contract.document, operation.request, pointer)


def response_walkers(contract: Contract, operation: Operation, status: int) -> dict[str, SchemaWalker | None]:
    """Return the walker for each documented media type of a status, or None for a media type without a schema.

    Raises UnsupportedSchema when the status is not documented.
    """
    response = operation.response(status)
    if response is None:
        documented = ", ".join(operation.responses) or "none"
        raise UnsupportedSchema(f"{operation.key} documents no status {status}; documented are: {documented}")
    pointer = join_pointer(operation.pointer, "responses", response.status, "content")
    return {
        name: None
        if validator is None
        else SchemaWalker(contract.document, validator, join_pointer(pointer, name, "schema"))
        for name, validator in response.content.items()
    }


def _lookup(document: dict[str, Any], pointer: str) -> Any:
    """Return the value at a pointer, or None."""
    try:
        return resolve_pointer(document, pointer_parts(pointer))
    except LookupError:
        return None


def _product(first: list[SchemaView], second: list[SchemaView]) -> list[SchemaView]:
    merged = (merge(one, other) for one in first for other in second)
    return [view for view in merged if view is not None][:_MAX_NODES]


def _types(stated: Any) -> frozenset[str]:
    if stated is None:
        return ANYTHING
    types: frozenset[str] = frozenset([stated] if isinstance(stated, str) else stated)
    return types - {"integer"} if "number" in types else types


def _child(part: LocatedSchema, schema: Any, *keys: str | int) -> LocatedSchema:
    return LocatedSchema(schema, join_pointer(part.pointer, *keys), part.trail)


def _optional_child(part: LocatedSchema, schema: dict[str, Any], keyword: str) -> SchemaParts:
    return (_child(part, schema[keyword], keyword),) if keyword in schema else ()


def _children(part: LocatedSchema, schema: dict[str, Any], keyword: str) -> dict[str, SchemaParts]:
    entries: Iterable[tuple[str, Any]] = schema.get(keyword, {}).items()
    return {name: (_child(part, item, keyword, name),) for name, item in entries}
