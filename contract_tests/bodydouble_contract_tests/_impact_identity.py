"""What names the thing that a contract describes: a property whose every old value the new contract refuses, the model above all."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bodydouble_spec import is_object

from bodydouble_contract_tests._node import identity
from bodydouble_contract_tests._schemas import Schemas

__all__ = ["Identity", "replaced_identities"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A required property of the request that allowed ``old_values`` only and now allows none of them: ``new_value`` instead."""

    name: str
    old_values: tuple[Any, ...]
    new_value: Any
    new_values: tuple[Any, ...]

    def renamed(self, body: Any) -> Any:
        """The body with the new value where it has an old one."""
        return self._replaced(body, self.old_values, self.new_value)

    def restored(self, body: Any) -> Any:
        """The body with an old value where it has a new one."""
        return self._replaced(body, self.new_values, self.old_values[0])

    def _replaced(self, body: Any, values: tuple[Any, ...], value: Any) -> Any:
        if not is_object(body) or self.name not in body:
            return body
        is_one = identity(body[self.name]) in {identity(one) for one in values}
        return {**body, self.name: value} if is_one else body


def replaced_identities(old: Schemas, new: Schemas) -> tuple[Identity, ...]:
    """The properties without which no old request conforms, and with which no old request conforms any more."""
    before, after = _options(old, is_required=True), _options(new, is_required=False)
    found: list[Identity] = []
    for name, values in before.items():
        others = after.get(name, {})
        if others and not values.keys() & others.keys():
            found.append(Identity(name, tuple(values.values()), _nearest(values, others), tuple(others.values())))
    return tuple(found)


def _options(schemas: Schemas, *, is_required: bool) -> dict[str, dict[str, Any]]:
    """The only values that a property at the top allows, by their JSON text, for each property that has such a list in every way to conform."""
    ways = schemas.nodes(schemas.root)
    names = dict.fromkeys(name for way in ways for name in way.properties)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        nodes = [node for way in ways for node in schemas.nodes(way.parts_of(name))]
        is_listed = bool(nodes) and all(node.options is not None for node in nodes)
        if is_listed and (not is_required or all(name in way.required for way in ways)):
            found[name] = {identity(value): value for node in nodes for value in node.options or ()}
    return found


def _nearest(old: dict[str, Any], new: dict[str, Any]) -> Any:
    """Of several new values the one that looks most like an old one."""
    best = get_close_matches(next(iter(old), ""), [*new], n=1, cutoff=0.0)
    return new[best[0]] if best else next(iter(new.values()))
