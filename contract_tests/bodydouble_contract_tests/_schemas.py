"""Reading a body's schema place by place: references followed, conjunctions merged, alternatives told apart."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import unquote

from bodydouble_spec import Contract, Operation, is_array, is_object, join_pointer, pointer_parts, resolve_pointer

from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._node import ANYTHING, Located, Node, Parts, identity, merge, type_of

__all__ = ["Schemas", "request_schemas", "response_schemas"]

# Alternatives within alternatives multiply; beyond these nothing new is learnt from one more.
_MAX_NODES = 32
_MAX_RECURSION = 2
_MAX_TRAIL = 8
_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
# The negation of one of these is how OpenAPI 3.0 says "nothing".
_ANY: tuple[Any, ...] = ({}, True)
# What a flat record cannot say; a value is made without regard to them and then checked.
_INEXACT = {
    "not", "if", "dependentRequired", "dependentSchemas", "propertyNames", "contains", "oneOf",
    "unevaluatedProperties", "unevaluatedItems", "patternProperties",
}  # fmt: skip


class Validator(Protocol):
    """What is asked of a compiled schema of the contract."""

    schema: dict[str, Any]

    def is_valid(self, value: Any) -> bool:
        """Whether the value conforms."""
        ...

    def branch_is_valid(self, branch: dict[str, Any], value: Any) -> bool:
        """Whether the value conforms to one subschema of ``schema``, given as the very object that stands there."""
        ...


class Schemas:
    """The schema of one body: ``root`` is its top, ``nodes`` the ways to conform at a place, ``conforms`` the last word."""

    def __init__(self, document: Mapping[str, Any], validator: Validator, pointer: str) -> None:
        self._document = dict(document)
        self._validator = validator
        self._definitions: dict[str, Any] = validator.schema.get("$defs", {})
        self.root: Parts = (Located(validator.schema, pointer),)

    def nodes(self, parts: Parts) -> tuple[Node, ...]:
        """The ways for a value to conform to all of ``parts``; none when nothing can, or when a recursion must end here."""
        ways: list[Node] = [Node(pointer=parts[0].pointer if parts else "")]
        for part in parts:
            ways = _product(ways, self._ways(part))
        return tuple(self._settle(node, parts) for node in ways)

    def conforms(self, parts: Parts, value: Any) -> bool:
        """Whether a value conforms to all of ``parts``."""
        return all(
            self._validator.branch_is_valid(part.schema, value) if is_object(part.schema) else part.schema is not False
            for part in parts
        )

    def _settle(self, node: Node, parts: Parts) -> Node:
        """With the options that conform to everything else, and the types that these have."""
        if node.options is None:
            return node
        options = tuple(value for value in node.options if self.conforms(parts, value))
        return replace(node, options=options, types=frozenset(type_of(value) for value in options))

    def _ways(self, part: Located) -> list[Node]:
        schema = part.schema
        if schema is False or (is_object(schema) and schema.get("not") in _ANY):
            return []
        if not is_object(schema):
            return [Node(pointer=part.pointer)]
        ways = [self._own(schema, part)]
        if "$ref" in schema:
            ways = _product(ways, self._referred(schema["$ref"], part))
        for index, branch in enumerate(schema.get("allOf", ())):
            ways = _product(ways, self._ways(_below(part, branch, "allOf", index)))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                branches = [_below(part, branch, keyword, index) for index, branch in enumerate(schema[keyword])]
                found = [replace(node, is_branch=True) for branch in branches for node in self._ways(branch)]
                ways = _product(ways, found)
        return ways

    def _referred(self, reference: str, part: Located) -> list[Node]:
        depth = part.trail.count(reference)
        if depth >= _MAX_RECURSION or (depth and len(part.trail) >= _MAX_TRAIL):
            return []
        target = self._definitions.get(reference.removeprefix("#/$defs/"), True)
        source = _lookup(self._document, part.pointer)
        source_reference = source.get("$ref") if is_object(source) else None
        pointer = unquote(source_reference[1:]) if isinstance(source_reference, str) else part.pointer
        return self._ways(Located(target, pointer, (*part.trail, reference)))

    def _own(self, schema: dict[str, Any], part: Located) -> Node:
        source = _lookup(self._document, part.pointer)
        known = source.get("x-known-values", ()) if is_object(source) else ()
        options = [schema["const"]] if "const" in schema else schema.get("enum")
        factor = schema.get("multipleOf")
        return Node(
            pointer=part.pointer,
            types=_types(schema.get("type")),
            options=None if options is None else tuple({identity(value): value for value in options}.values()),
            limits={keyword: schema[keyword] for keyword in _LIMITS if keyword in schema},
            factors=() if factor is None else (factor,),
            patterns=(schema["pattern"],) if "pattern" in schema else (),
            formats=(schema["format"],) if isinstance(schema.get("format"), str) else (),
            known_values=tuple(value for value in known if isinstance(value, str)) if is_array(known) else (),
            defaults=(schema["default"],) if "default" in schema else (),
            properties=_below_each(part, schema, "properties"),
            pattern_properties=_below_each(part, schema, "patternProperties"),
            required=tuple(schema.get("required", ())),
            additional=_below_one(part, schema, "additionalProperties"),
            prefix=tuple(
                (_below(part, item, "prefixItems", index),) for index, item in enumerate(schema.get("prefixItems", ()))
            ),
            items=_below_one(part, schema, "items"),
            is_unique=schema.get("uniqueItems") is True,
            is_exact=not _INEXACT & schema.keys() and (factor is None or float(factor).is_integer()),
            origins={keyword: join_pointer(part.pointer, keyword) for keyword in schema},
        )


def request_schemas(contract: Contract, operation: Operation) -> Schemas:
    """The schema of the operation's JSON request body; raises UnsupportedSchema when it takes none."""
    source = _lookup(dict(contract.document), join_pointer(operation.pointer, "requestBody", "content"))
    media_type = next(
        (name for name in source or () if name.partition(";")[0].strip().endswith(("/json", "+json"))), None
    )
    if operation.request is None or media_type is None:
        raise UnsupportedSchema(f"{operation.key} has no JSON request body with a schema; choose another operation")
    pointer = join_pointer(operation.pointer, "requestBody", "content", media_type, "schema")
    return Schemas(contract.document, operation.request, pointer)


def response_schemas(contract: Contract, operation: Operation, status: int) -> dict[str, Schemas | None]:
    """The schema of each documented media type of that status's answer, None where it has none.

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
        else Schemas(contract.document, validator, join_pointer(pointer, name, "schema"))
        for name, validator in response.content.items()
    }


def _lookup(document: dict[str, Any], pointer: str) -> Any:
    """What stands at a pointer; None when nothing does."""
    try:
        return resolve_pointer(document, pointer_parts(pointer))
    except LookupError:
        return None


def _product(first: list[Node], second: list[Node]) -> list[Node]:
    merged = (merge(one, other) for one in first for other in second)
    return [node for node in merged if node is not None][:_MAX_NODES]


def _types(stated: Any) -> frozenset[str]:
    if stated is None:
        return ANYTHING
    types: frozenset[str] = frozenset([stated] if isinstance(stated, str) else stated)
    return types - {"integer"} if "number" in types else types


def _below(part: Located, schema: Any, *keys: str | int) -> Located:
    return Located(schema, join_pointer(part.pointer, *keys), part.trail)


def _below_one(part: Located, schema: dict[str, Any], keyword: str) -> Parts:
    return (_below(part, schema[keyword], keyword),) if keyword in schema else ()


def _below_each(part: Located, schema: dict[str, Any], keyword: str) -> dict[str, Parts]:
    entries: Iterable[tuple[str, Any]] = schema.get(keyword, {}).items()
    return {name: (_below(part, item, keyword, name),) for name, item in entries}
