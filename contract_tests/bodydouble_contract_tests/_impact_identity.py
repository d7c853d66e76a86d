"""Required properties whose values were all replaced, such as the model's name."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bodydouble_spec import is_object

from bodydouble_contract_tests._node import json_key
from bodydouble_contract_tests._schemas import SchemaWalker

__all__ = ["ReplacedProperty", "find_replaced_properties"]


@dataclass(frozen=True, slots=True)
class ReplacedProperty:
    """A required property that allowed only ``old_values`` and now allows none of them, but ``new_value`` and others."""

    name: str
    old_values: tuple[Any, ...]
    new_value: Any
    new_values: tuple[Any, ...]

    def renamed(self, body: Any) -> Any:
        """Return the body with an old value replaced by the new one."""
        return self._replaced(body, self.old_values, self.new_value)

    def restored(self, body: Any) -> Any:
        """Return the body with a new value replaced by an old one."""
        return self._replaced(body, self.new_values, self.old_values[0])

    def _replaced(self, body: Any, values: tuple[Any, ...], value: Any) -> Any:
        if not is_object(body) or self.name not in body:
            return body
        is_one = json_key(body[self.name]) in {json_key(one) for one in values}
        return {**body, self.name: value} if is_one else body


def find_replaced_properties(old: SchemaWalker, new: SchemaWalker) -> tuple[ReplacedProperty, ...]:
    """Return the properties that every old request needs and whose old values the new contract all refuses."""
    before, after = _options(old, is_required=True), _options(new, is_required=False)
    found: list[ReplacedProperty] = []
    for name, values in before.items():
        others = after.get(name, {})
        if others and not values.keys() & others.keys():
            found.append(
                ReplacedProperty(name, tuple(values.values()), _nearest(values, others), tuple(others.values()))
            )
    return tuple(found)


def _options(walker: SchemaWalker, *, is_required: bool) -> dict[str, dict[str, Any]]:
    """Return the only values allowed for each top property, by their JSON text, where every view lists them."""
    views = walker.views(walker.root)
    names = dict.fromkeys(name for view in views for name in view.properties)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        property_views = [inner for view in views for inner in walker.views(view.parts_of(name))]
        is_listed = bool(property_views) and all(inner.options is not None for inner in property_views)
        if is_listed and (not is_required or all(name in view.required for view in views)):
            found[name] = {json_key(value): value for inner in property_views for value in inner.options or ()}
    return found


def _nearest(old: dict[str, Any], new: dict[str, Any]) -> Any:
    """Return the new value that is most similar to an old one."""
    best = get_close_matches(next(iter(old), ""), [*new], n=1, cutoff=0.0)
    return new[best[0]] if best else next(iter(new.values()))
