"""The schema of one body with the check of values: the ways to conform at each place, with the options that conform there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from bodydouble_spec import Contract, Operation, is_object, join_pointer
from bodydouble_spec.limits import DOCUMENT_LIMITS, DocumentLimits
from bodydouble_spec.schema import PROSE, SchemaValidator, SchemaView, type_of

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.schema.excerpt import LeftOut, excerpt_of

__all__ = ["SchemaWalker", "request_walker", "response_walkers", "whole_request_walker"]

# Beside these keywords an option is allowed if its type is; references and ``allOf`` are read together with their targets.
_OF_OPTIONS = {"$defs", "$ref", "$schema", "allOf", "const", "default", "deprecated", "enum", "type", *PROSE}


class Validator(Protocol):
    """The interface of a compiled schema of the contract."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        ...

    def is_valid(self, value: Any) -> bool:
        """Tell whether the value conforms."""
        ...

    def branch_is_valid(self, branch: dict[str, Any], value: Any) -> bool:
        """Tell whether the value conforms to one subschema of ``schema``, given as the same object."""
        ...


class SchemaWalker:
    """The schema of one body. ``root`` is its top, ``ways`` are the ways to conform at a place, ``conforms`` is the final check.

    ``left_out`` are the properties and options that a very large schema has and this one lacks.
    """

    def __init__(
        self, document: Mapping[str, Any], validator: Validator, pointer: str, left_out: Sequence[LeftOut] = ()
    ) -> None:
        self._validator = validator
        self._ways: dict[SchemaView, tuple[SchemaView, ...]] = {}
        self.left_out = left_out
        self.root = SchemaView.of(validator.schema, document, pointer)

    def ways(self, place: SchemaView) -> tuple[SchemaView, ...]:
        """Return the ways to conform at a place, each with only the options that also obey all other rules there."""
        if place not in self._ways:
            self._ways[place] = tuple(
                way if way.options is None else way.with_options(self._conforming(way, way.options))
                for way in place.ways
            )
        return self._ways[place]

    def _conforming(self, way: SchemaView, options: Iterable[Any]) -> Iterator[Any]:
        if not way.is_branch and way.origins.keys() <= _OF_OPTIONS:
            # Nothing but their type can forbid them; the validator would look for each of perhaps a hundred thousand in all of them.
            types = way.types | {"integer"} if "number" in way.types else way.types
            return (value for value in options if type_of(value) in types)
        return (value for value in options if self.conforms(way, value))

    def conforms(self, place: SchemaView, value: Any) -> bool:
        """Tell whether a value conforms to all schemas of a place."""
        return all(
            self._validator.branch_is_valid(root.schema, value) if is_object(root.schema) else root.schema is not False
            for root in place.roots
        )


def request_walker(contract: Contract, operation: Operation, limits: DocumentLimits = DOCUMENT_LIMITS) -> SchemaWalker:
    """Return the walker of which requests are made, for the operation's JSON body: of a very large schema, that of an excerpt.

    Raises UnsupportedSchema when the operation takes no such body, or only objects that are too large to be made.
    """
    validator, pointer = _json_request(operation)
    excerpt = excerpt_of(validator.schema, limits)
    part = validator.of_part(excerpt.schema) if excerpt.left_out else validator
    return SchemaWalker(contract.document, part, pointer, excerpt.left_out)


def whole_request_walker(contract: Contract, operation: Operation) -> SchemaWalker:
    """Return the walker for all of the operation's JSON request body. Raises UnsupportedSchema when it takes none."""
    return SchemaWalker(contract.document, *_json_request(operation))


def _json_request(operation: Operation) -> tuple[SchemaValidator, str]:
    """Return the validator of an operation's JSON request body, and its pointer."""
    media_type = operation.json_key
    if operation.request is None or media_type is None:
        raise UnsupportedSchema(f"{operation.key} has no JSON request body with a schema; choose another operation")
    return operation.request, join_pointer(operation.pointer, "requestBody", "content", media_type, "schema")


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
