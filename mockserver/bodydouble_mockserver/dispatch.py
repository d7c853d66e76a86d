"""The choice between operations of several contracts with one method and path, by a property of the request body."""

from collections.abc import Mapping, Sequence, Set
from itertools import combinations
from typing import Any

from bodydouble_spec import Operation, is_object
from bodydouble_spec.schema import SchemaView, json_key
from bodydouble_spec.selection import limited_values
from bodydouble_spec.text import cut

__all__ = ["Choice", "IndistinguishableOperations"]

_MAX_SHARED = 3
_MAX_VALUE_CHARACTERS = 60
# Values by their JSON text, as `json_key` gives it.
Options = Mapping[str, Any]


class IndistinguishableOperations(ValueError):
    """Two operations (indexes into those of the choice) that no property of a request tells apart, and the reason."""

    def __init__(self, first: int, second: int, reason: str) -> None:
        super().__init__(reason)
        self.first = first
        self.second = second
        self.reason = reason


class Choice:
    """A choice between operations by the properties whose ``enum`` or ``const`` differ between them, usually ``model``.

    Raises IndistinguishableOperations when two operations have no property without a common value.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._options = [limited_values(operation) for operation in operations]
        self._required = [_required(operation) for operation in operations]
        self.names = self._separating_names()

    def _separating_names(self) -> tuple[str, ...]:
        pairs = [*combinations(range(len(self._options)), 2)]
        separated = {pair: self._separating(*pair) for pair in pairs}
        for first, second in pairs:
            if not separated[first, second]:
                raise IndistinguishableOperations(first, second, self._shared(first, second))
        # One property is enough for most contracts; one that every request has is the best.
        alone = [name for name in separated[pairs[0]] if all(name in names for names in separated.values())]
        alone.sort(key=lambda name: sum(name not in required for required in self._required))
        return tuple(alone[:1]) or tuple(dict.fromkeys(name for names in separated.values() for name in names))

    def _separating(self, first: int, second: int) -> tuple[str, ...]:
        """Return the properties of which two operations allow no common value."""
        one, other = self._options[first], self._options[second]
        return tuple(name for name in one if name in other and one[name].keys().isdisjoint(other[name]))

    def _shared(self, first: int, second: int) -> str:
        one, other = self._options[first], self._options[second]
        for name in one:
            shared = [cut(key, _MAX_VALUE_CHARACTERS) for key in one[name] if key in other.get(name, ())]
            if shared:
                return f"both allow the {name} {', '.join(shared[:_MAX_SHARED])}"
        return "no property of a request has an enum or const in both"

    def choose(self, parsed: Any, *, is_form: bool = False) -> int | None:
        """Return the index of the operation for a parsed body; None when it is for none of them, or for more than one.

        The values of a form are texts, also where the contract has numbers.
        """
        body: Mapping[str, Any] = parsed if is_object(parsed) else {}
        left = [*range(len(self._options))]
        for name in self.names:
            key = json_key(body[name]) if name in body else None
            keys = {key, body[name]} if is_form and isinstance(body.get(name), str) else {key}
            left = [index for index in left if self._allows(index, name, keys)]
        return left[0] if len(left) == 1 else None

    def _allows(self, index: int, name: str, keys: Set[str | None]) -> bool:
        """Return whether an operation allows a value, given as its possible JSON texts, or None for a property that is left out."""
        if None in keys:
            return name not in self._required[index]
        options = self._options[index].get(name)
        return options is None or not options.keys().isdisjoint(keys)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema that no body for which nothing can be chosen conforms to; it lists all known values."""
        known = {name: self._known(self._options, name) for name in self.names}
        schema: dict[str, Any] = {"type": "object", "required": [*self.names], "properties": known}
        if len(self.names) > 1:
            schema["anyOf"] = [
                {"properties": {name: self._known([options], name) for name in self.names if name in options}}
                for options in self._options
            ]
        return schema

    def _known(self, options: Sequence[Mapping[str, Options]], name: str) -> dict[str, Any]:
        values = {key: value for item in options for key, value in item.get(name, {}).items()}
        # Beside an operation that allows any value, none is unknown.
        return {"enum": [*values.values()]} if all(name in item for item in options) else {}


def _required(operation: Operation) -> frozenset[str]:
    """Return the properties that every body of a request has."""
    bodies = [SchemaView.of(body.schema).required for body in operation.request_bodies.values() if body is not None]
    return frozenset(bodies[0]).intersection(*bodies[1:]) if bodies else frozenset()
