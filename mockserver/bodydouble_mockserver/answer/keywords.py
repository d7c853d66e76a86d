"""One way to conform to several schemas at once, as a single schema without references and alternatives, and what it says."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

from bodydouble_spec import is_array, is_object
from bodydouble_spec.schema import matches_pattern

__all__ = ["Way", "both", "by_pattern", "properties_of", "required_names", "types_of", "ways"]

# Alternatives within alternatives multiply; one more beyond this number adds nothing.
_MAX_WAYS = 64
_MAX_DEPTH = 60
_CHOICES = ("oneOf", "anyOf")
_COMPOUND = {"$ref", "$defs", "allOf", "if", "then", "else", *_CHOICES}
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_HINTS = {
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
    "string": {"minLength", "maxLength", "pattern", "format", "contentEncoding"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
_REFERENCE = "#/$defs/"
_NO_NAMES: frozenset[str] = frozenset()

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """The merged keywords of schemas that all apply; ``patterns`` has every pattern, ``opened`` the definitions that were followed."""

    schema: Schema
    patterns: tuple[str, ...] = ()
    opened: frozenset[str] = _NO_NAMES


def ways(
    schema: Any, definitions: Mapping[str, Any], opened: frozenset[str], depth: int = 0, subject: str | None = None
) -> Iterator[Way]:
    """Yield the ways to conform to a schema, one for each choice among its alternatives.

    None when it is false, or leads back to a definition in ``opened``. ``subject`` is the reference by which the whole is known, for the
    discriminator of a schema that others extend.
    """
    if schema is False or depth > _MAX_DEPTH:
        return
    if not is_object(schema):
        yield Way({}, (), opened)
        return
    found = [_own_way(schema, opened, subject)]
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REFERENCE)
        if name in opened:
            return
        inner = ways(definitions.get(name, {}), definitions, opened | {name}, depth + 1, subject or reference)
        found = _product(found, inner)
    for part in schema.get("allOf", ()):
        found = _product(found, ways(part, definitions, opened, depth + 1, subject))
    for keyword in _CHOICES:
        if keyword in schema:
            branches: Iterator[Way] = (
                named
                for branch in schema[keyword]
                for way in ways(branch, definitions, opened, depth + 1)
                for named in [_with_discriminator(way, schema.get("discriminator"), _reference_of(branch))]
            )
            found = _product(found, branches)
    for part in schema.get("dependentSchemas", {}).values():
        # The condition is the presence of a property, which is likely: the way with the part comes first.
        found = _product(found, chain(ways(part, definitions, opened, depth + 1), [Way({})]))
    if "if" in schema:
        # Only the whole value shows whether the condition holds.
        conditional = [
            Way({}),
            *(way for name in ("then", "else") for way in ways(schema.get(name, True), definitions, opened, depth + 1)),
        ]
        found = _product(found, iter(conditional))
    yield from found


def _own_way(schema: Schema, opened: frozenset[str], subject: str | None) -> Way:
    own = {name: value for name, value in schema.items() if name not in _COMPOUND}
    way = Way(own, (schema["pattern"],) if "pattern" in schema else (), opened)
    # Beside alternatives it is one of those that the discriminator tells apart.
    return way if schema.keys() & {*_CHOICES} else _with_discriminator(way, schema.get("discriminator"), subject)


def _product(first: Sequence[Way], second: Iterator[Way]) -> list[Way]:
    result: list[Way] = []
    for other in second:
        for one in first:
            merged = _merge_ways(one, other)
            if merged is not None:
                result.append(merged)
        if len(result) >= _MAX_WAYS:
            break
    return result


def _merge_ways(first: Way, second: Way) -> Way | None:
    schema = _merge(first.schema, second.schema)
    if schema is None:
        return None
    return Way(schema, tuple(dict.fromkeys(first.patterns + second.patterns)), first.opened | second.opened)


def _reference_of(branch: Any) -> Any:
    return branch.get("$ref") if is_object(branch) else None


def _with_discriminator(way: Way, discriminator: Any, reference: Any) -> Way:
    """Return the way with the value by which a referenced schema is recognized, in the property that the discriminator names."""
    if not is_object(discriminator) or not isinstance(reference, str):
        return way
    name = discriminator.get("propertyName")
    component = reference.removeprefix(_REFERENCE).removeprefix("components.schemas.")
    mapping: Any = discriminator.get("mapping")
    targets: dict[str, Any] = mapping if is_object(mapping) else {}
    value = next(
        (key for key, target in targets.items() if isinstance(target, str) and target.rpartition("/")[2] == component),
        component,
    )
    properties = way.schema.get("properties", {})
    if not isinstance(name, str) or not is_object(properties):
        return way
    named = both(properties.get(name, {}), {"example": value})
    return Way({**way.schema, "properties": {**properties, name: named}}, way.patterns, way.opened)


def both(first: Any, second: Any) -> Any:
    """Return the schema of what conforms to both."""
    if first in (True, {}):
        return second
    return first if second in (True, {}) else {"allOf": [first, second]}


def _merge(first: Schema, second: Schema) -> Schema | None:
    """Merge two schemas without alternatives; None when their types or options exclude each other."""
    if not first or not second:
        return first or second
    result = {**second, **first}
    types = _common_types(first.get("type"), second.get("type"))
    options = _common_options(_options(first), _options(second))
    if types == [] or options == []:
        return None
    if types is not None:
        result["type"] = types
    if options is not None:
        result.pop("const", None)
        result["enum"] = options
    result |= _merged_bounds(first, second)
    result |= _merged_places(first, second)
    result["required"] = list(dict.fromkeys([*first.get("required", ()), *second.get("required", ())]))
    for flag in ("uniqueItems", "readOnly", "writeOnly"):
        if first.get(flag) is True or second.get(flag) is True:
            result[flag] = True
    return result


def _merged_bounds(first: Schema, second: Schema) -> Schema:
    common = first.keys() & second.keys()
    result: Schema = {name: min(first[name], second[name]) for name in _UPPER if name in common}
    result |= {name: max(first[name], second[name]) for name in _LOWER if name in common}
    if "multipleOf" in common:
        result["multipleOf"] = _common_multiple(first["multipleOf"], second["multipleOf"])
    return result


def _merged_places(first: Schema, second: Schema) -> Schema:
    """Merge the schemas of properties and items."""
    result: Schema = {}
    names = [
        *first.get("properties", ()),
        *(name for name in second.get("properties", ()) if name not in first.get("properties", ())),
    ]
    if names:
        result["properties"] = {name: both(_property(first, name), _property(second, name)) for name in names}
    patterns = {**second.get("patternProperties", {}), **first.get("patternProperties", {})}
    if patterns:
        result["patternProperties"] = patterns
    length = max(len(first.get("prefixItems", ())), len(second.get("prefixItems", ())))
    if length:
        result["prefixItems"] = [both(_item(first, index), _item(second, index)) for index in range(length)]
    for keyword in ("additionalProperties", "items", "contains", "propertyNames"):
        if keyword in first and keyword in second:
            result[keyword] = both(first[keyword], second[keyword])
    return result


def _property(schema: Schema, name: str) -> Any:
    properties: dict[str, Any] = schema.get("properties", {})
    return properties[name] if name in properties else schema.get("additionalProperties", True)


def _item(schema: Schema, index: int) -> Any:
    prefix: list[Any] = schema.get("prefixItems", [])
    return prefix[index] if index < len(prefix) else schema.get("items", True)


def _names(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else [*types]


def _common_types(first: Any, second: Any) -> list[str] | None:
    if first is None or second is None:
        present = second if first is None else first
        return None if present is None else _names(present)
    ours, theirs = _names(first), _names(second)
    common = [name for name in ours if name in theirs or (name == "integer" and "number" in theirs)]
    return common + (["integer"] if "integer" in theirs and "number" in ours and "integer" not in common else [])


def _options(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    options = schema.get("enum")
    return options if is_array(options) else None


def _common_options(first: list[Any] | None, second: list[Any] | None) -> list[Any] | None:
    if first is None or second is None:
        return second if first is None else first
    return [option for option in first if any(option == other and type(option) is type(other) for other in second)]


def _common_multiple(first: float, second: float) -> float:
    one, other = Fraction(str(first)), Fraction(str(second))
    multiple = Fraction(
        math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
        one.denominator * other.denominator,
    )
    return int(multiple) if multiple.denominator == 1 else float(multiple)


def types_of(schema: dict[str, Any]) -> list[str]:
    """Return the types of a schema, null last: the stated ones, else those that its keywords imply."""
    stated = schema.get("type")
    if stated is None:
        if "enum" in schema:
            return ["null"] if None in schema["enum"] else []
        return [kind for kind, keywords in _HINTS.items() if keywords & schema.keys()][:1]
    types = [stated] if isinstance(stated, str) else [*stated]
    return sorted(types, key="null".__eq__)


def properties_of(way: Way) -> dict[str, Any]:
    """Return the schema of each property that is listed or required."""
    schema = way.schema
    listed: dict[str, Any] = schema.get("properties", {})
    patterns: dict[str, Any] = schema.get("patternProperties", {})
    result = {name: both(item, by_pattern(patterns, name)) for name, item in listed.items()}
    for name in required_names(schema):
        if name not in result:
            found = by_pattern(patterns, name)
            result[name] = schema.get("additionalProperties", True) if found is True else found
    return result


def required_names(schema: dict[str, Any]) -> list[str]:
    """Return the names of the required properties, with those that a listed or required one requires."""
    names = [name for name in schema.get("required", ()) if isinstance(name, str)]
    dependent: dict[str, Any] = schema.get("dependentRequired", {})
    present = dict.fromkeys([*schema.get("properties", ()), *names])
    return [*dict.fromkeys([*names, *(other for name in present for other in dependent.get(name, ()))])]


def by_pattern(patterns: Mapping[str, Any], name: str) -> Any:
    """Return the schema that ``patternProperties`` has for a name; true where no pattern matches."""
    result: Any = True
    for pattern, schema in patterns.items():
        if matches_pattern(pattern, name):
            result = both(result, schema)
    return result
