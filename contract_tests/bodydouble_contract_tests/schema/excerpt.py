"""The part of a very large schema of which requests are made: the first of its properties and options, with a note of the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import is_array, is_object, join_pointer
from bodydouble_spec.limits import DOCUMENT_LIMITS, DocumentLimits
from bodydouble_spec.schema import SUBSCHEMA_LISTS, SUBSCHEMA_MAPS, SUBSCHEMAS

from bodydouble_contract_tests.errors import TooLarge

__all__ = ["Excerpt", "LeftOut", "excerpt_of"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a schema that no request varies ("99,900 of 100,000 properties"), and its pointer there."""

    pointer: str
    what: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A schema with the properties and options of which requests are made, and what it lacks; the schema itself where it lacks nothing."""

    schema: Any
    left_out: tuple[LeftOut, ...] = ()


def excerpt_of(schema: Any, limits: DocumentLimits = DOCUMENT_LIMITS) -> Excerpt:
    """Return the excerpt of a JSON Schema. Raises TooLarge for an object with more required properties than the limit."""
    reader = _Reader(limits)
    return Excerpt(reader.read(schema, ""), tuple(reader.left_out))


class _Reader:
    def __init__(self, limits: DocumentLimits) -> None:
        self._limits = limits
        self.left_out: list[LeftOut] = []

    def read(self, schema: Any, pointer: str) -> Any:
        """Return the excerpt of one schema: the same object, not an equal one, where nothing is left out."""
        if not is_object(schema):
            return schema
        changed = {name: self._keyword(schema, name, join_pointer(pointer, name)) for name in schema}
        return _same_or_new(schema, changed)

    def _keyword(self, schema: Mapping[str, Any], keyword: str, pointer: str) -> Any:
        value = schema[keyword]
        if keyword in SUBSCHEMAS:
            return self.read(value, pointer)
        if keyword in SUBSCHEMA_LISTS and is_array(value):
            items = [self.read(item, join_pointer(pointer, index)) for index, item in enumerate(value)]
            return value if all(item is old for item, old in zip(items, value, strict=True)) else items
        if keyword in SUBSCHEMA_MAPS and is_object(value):
            kept = self._properties(schema, value, pointer) if keyword == "properties" else value
            return _same_or_new(value, {name: self.read(kept[name], join_pointer(pointer, name)) for name in kept})
        if keyword == "enum" and is_array(value):
            return self._options(value, pointer)
        return value

    def _properties(self, schema: Mapping[str, Any], properties: dict[str, Any], pointer: str) -> dict[str, Any]:
        """Return the required properties and the first others, in their order."""
        required = {*schema.get("required", ())}
        if len(required) > self._limits.max_required:
            raise TooLarge(
                f"an object with {len(required):,} required properties is not made, at {pointer}; the limit is {self._limits.max_required:,}"
            )
        optional = [name for name in properties if name not in required]
        beyond = {*optional[self._limits.max_properties :]}
        if not beyond:
            return properties
        self.left_out.append(LeftOut(pointer, f"{len(beyond):,} of {len(properties):,} properties"))
        return {name: value for name, value in properties.items() if name not in beyond}

    def _options(self, options: list[Any], pointer: str) -> list[Any]:
        beyond = len(options) - self._limits.max_options
        if beyond <= 0:
            return options
        self.left_out.append(LeftOut(pointer, f"{beyond:,} of {len(options):,} values"))
        return options[: self._limits.max_options]


def _same_or_new(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    is_same = len(old) == len(new) and all(new[name] is value for name, value in old.items())
    return old if is_same else new
