"""The schema of one body with the check of values: the ways to conform at each place, with the options that conform there."""

from collections.abc import Mapping
from typing import Any, Protocol

from bodydouble_spec import Contract, Operation, is_object, join_pointer
from bodydouble_spec.schema import SchemaView

from bodydouble_contract_tests.errors import UnsupportedSchema

__all__ = ["SchemaWalker", "request_walker", "response_walkers"]


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
    """The schema of one body. ``root`` is its top, ``ways`` are the ways to conform at a place, ``conforms`` is the final check."""

    def __init__(self, document: Mapping[str, Any], validator: Validator, pointer: str) -> None:
        self._validator = validator
        self.root = SchemaView.of(validator.schema, document, pointer)

    def ways(self, place: SchemaView) -> tuple[SchemaView, ...]:
        """Return the ways to conform at a place, each with only the options that also obey all other rules there."""
        return tuple(
            way
            if way.options is None
            else way.with_options(value for value in way.options if self.conforms(way, value))
            for way in place.ways
        )

    def conforms(self, place: SchemaView, value: Any) -> bool:
        """Tell whether a value conforms to all schemas of a place."""
        return all(
            self._validator.branch_is_valid(root.schema, value) if is_object(root.schema) else root.schema is not False
            for root in place.roots
        )


def request_walker(contract: Contract, operation: Operation) -> SchemaWalker:
    """Return the walker for the operation's JSON request body. Raises UnsupportedSchema when it takes none."""
    media_type = operation.json_key
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
