"""The choice between operations of several contracts with one method and path, by a property of the request body, nested or not."""

from collections.abc import Mapping, Sequence, Set
from itertools import combinations
from typing import Any

from bodydouble_spec import Operation, is_object
from bodydouble_spec.schema import json_key
from bodydouble_spec.selection import LimitedProperty, limited_properties
from bodydouble_spec.text import cut

__all__ = ["Choice", "IndistinguishableOperations"]

_MAX_SHARED = 3
_MAX_VALUE_CHARACTERS = 60
# The names of a property from the outermost one on.
Place = tuple[str, ...]
Limits = Mapping[Place, LimitedProperty]


class IndistinguishableOperations(ValueError):
    """Two operations (indexes into those of the choice) that no property of a request tells apart, and the reason."""

    def __init__(self, first: int, second: int, reason: str) -> None:
        super().__init__(reason)
        self.first = first
        self.second = second
        self.reason = reason


class Choice:
    """A choice between operations by the properties whose ``enum`` or ``const`` differ between them, usually ``model``.

    ``places`` are these properties, by their names from the outermost one on. Raises IndistinguishableOperations when two operations have no
    property without a common value.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._limits = [limited_properties(operation) for operation in operations]
        self.places = self._separating_places()

    def _separating_places(self) -> tuple[Place, ...]:
        pairs = [*combinations(range(len(self._limits)), 2)]
        separated = {pair: self._separating(*pair) for pair in pairs}
        for first, second in pairs:
            if not separated[first, second]:
                raise IndistinguishableOperations(first, second, self._shared(first, second))
        # One property is enough for most contracts; one that every request has is the best, and then one that is not nested.
        alone = [place for place in separated[pairs[0]] if all(place in places for places in separated.values())]
        alone.sort(key=lambda place: (sum(not self._is_required(limits, place) for limits in self._limits), len(place)))
        if alone:
            return (alone[0],)
        outermost = ([place for place in places if len(place) == len(places[0])] for places in separated.values())
        return tuple(dict.fromkeys(place for places in outermost for place in places))

    def _separating(self, first: int, second: int) -> tuple[Place, ...]:
        """Return the properties of which two operations allow no common value, those that are not nested first."""
        one, other = self._limits[first], self._limits[second]
        return tuple(
            place for place in one if place in other and one[place].values.keys().isdisjoint(other[place].values)
        )

    def _shared(self, first: int, second: int) -> str:
        one, other = self._limits[first], self._limits[second]
        for place, limited in one.items():
            common = other[place].values if place in other else ()
            shared = [cut(key, _MAX_VALUE_CHARACTERS) for key in limited.values if key in common]
            if shared:
                return f"both allow {'.'.join(place)} {', '.join(shared[:_MAX_SHARED])}"
        return "no property of a request has an enum or const in both"

    def choose(self, parsed: Any, *, is_form: bool = False) -> int | None:
        """Return the index of the operation for a parsed body; None when it is for none of them, or for more than one.

        The values of a form are texts, also where the contract has numbers.
        """
        left = [*range(len(self._limits))]
        for place in self.places:
            keys = _keys_at(parsed, place, is_form=is_form)
            left = [index for index in left if self._allows(self._limits[index], place, keys)]
        return left[0] if len(left) == 1 else None

    def _allows(self, limits: Limits, place: Place, keys: Set[str | None]) -> bool:
        """Return whether an operation allows a value, given as its possible JSON texts, or None for a property that is left out."""
        if None in keys:
            return not self._is_required(limits, place)
        limited = limits.get(place)
        return limited is None or not limited.values.keys().isdisjoint(keys)

    @staticmethod
    def _is_required(limits: Limits, place: Place) -> bool:
        return place in limits and limits[place].is_required

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema that no body for which nothing can be chosen conforms to; it lists all known values."""
        schema = _nested({place: self._known(self._limits, place) for place in self.places}, is_required=True)
        if len(self.places) > 1:
            schema["anyOf"] = [
                _nested({place: self._known([limits], place) for place in self.places if place in limits})
                for limits in self._limits
            ]
        return schema

    def _known(self, all_limits: Sequence[Limits], place: Place) -> dict[str, Any]:
        values = {key: value for limits in all_limits if place in limits for key, value in limits[place].values.items()}
        # Beside an operation that allows any value, none is unknown.
        if not all(place in limits for limits in all_limits):
            return {}
        # With their type, for the words about a body without the property.
        type_of_all = {"type": "string"} if all(isinstance(value, str) for value in values.values()) else {}
        return {**type_of_all, "enum": [*values.values()]}


def _keys_at(parsed: Any, place: Place, *, is_form: bool) -> Set[str | None]:
    """Return the possible JSON texts of the value at a place of a body; None for one that is left out."""
    value = parsed
    for name in place:
        if not is_object(value) or name not in value:
            return {None}
        value = value[name]
    return {json_key(value), value} if is_form and isinstance(value, str) else {json_key(value)}


def _nested(schemas: Mapping[Place, dict[str, Any]], *, is_required: bool = False) -> dict[str, Any]:
    """Return the schema of an object with a schema at each place."""
    # Every operation has other properties, of which this schema says nothing.
    outermost: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}
    for place, schema in schemas.items():
        part = outermost
        for level, name in enumerate(place, 1):
            if is_required and name not in part.setdefault("required", []):
                part["required"].append(name)
            properties = part.setdefault("properties", {})
            part = properties.setdefault(
                name, schema if level == len(place) else {"type": "object", "additionalProperties": True}
            )
    return outermost
