"""One reading of JSON Schema: the rules that hold at one place, whichever way the schema spells them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from bodydouble_spec.schema.keywords import normalize_bound
from bodydouble_spec.schema.pattern import matches_pattern
from bodydouble_spec.schema.types import ANYTHING, common_types, options_of, own_types, type_of, without_integer
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["SchemaPart", "SchemaView"]

_ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")
_HINTS = {
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
    "string": {"minLength", "maxLength", "pattern", "format", "contentEncoding"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
# Nested alternatives multiply; beyond these limits one more adds nothing.
_MAX_WAYS = 32
_MAX_RECURSION = 2
_MAX_TRAIL = 8
# Longer chains of references than these are not followed: Python's stack ends.
_MAX_CHAIN = 150


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One JSON Schema as written, its pointer in the document, and the references followed on the way there.

    ``subject`` is the reference by which the whole place is known, ``tags`` are values that discriminators of alternatives give to properties.
    """

    schema: Any
    pointer: str
    trail: tuple[str, ...] = ()
    subject: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def child(self, schema: Any, *keys: str | int) -> "SchemaPart":
        """Return a subschema of this one, found below ``keys``."""
        return SchemaPart(schema, join_pointer(self.pointer, *keys), self.trail)

    @property
    def is_recursive(self) -> bool:
        """True where a reference led back to a schema that encloses this one."""
        return len({*self.trail}) < len(self.trail)


class SchemaView:
    """The rules at one place: those of every schema that holds there, merged.

    References are followed and ``allOf`` is merged; ``choices`` are the alternatives (``anyOf``, ``oneOf``), and ``ways`` the views
    with one alternative taken of each. Everything is computed when it is asked for. Each property holds for every spelling: ``nullable``
    and a list of types, an exclusive bound as a flag and as a number, ``const`` and ``enum``.
    """

    def __init__(
        self, source: "_Source", roots: tuple[SchemaPart, ...], parts: tuple[SchemaPart, ...] | None = None
    ) -> None:
        self._source = source
        self.roots = roots
        self.is_branch = parts is not None
        if parts is not None:
            vars(self).update(parts=parts, choices=())

    @classmethod
    def of(
        cls, schema: Any, document: Mapping[str, Any] | None = None, pointer: str = "", *, is_endless: bool = False
    ) -> "SchemaView":
        """View a JSON Schema 2020-12 whose references lead into its own ``$defs``.

        With ``document``, pointers lead to the OpenAPI schema behind each part; ``pointer`` is that of the one behind ``schema``.
        ``is_endless`` keeps no trail, so that a schema which contains itself is one view at every depth, and no recursion is cut off.
        """
        return _Source(schema, document, is_traced=not is_endless).view((SchemaPart(schema, pointer),))

    @classmethod
    def at(cls, document: Mapping[str, Any], pointer: str) -> "SchemaView":
        """View the schema at a pointer of an OpenAPI document. Raises LookupError when there is none."""
        schema = resolve_pointer(document, pointer_parts(pointer))
        return _Source(document, document).view((SchemaPart(schema, pointer),))

    @property
    def pointer(self) -> str:
        """The pointer of the first schema at this place; empty where no schema holds."""
        return self.roots[0].pointer if self.roots else ""

    @cached_property
    def parts(self) -> tuple[SchemaPart, ...]:
        """The schemas that hold together here, each read without its ``$ref``, ``allOf`` and alternatives; each once."""
        found: dict[int, SchemaPart] = {}
        pending = [*reversed(self.roots)]
        while pending:
            part = pending.pop()
            is_known = id(part.schema) in found
            if not is_object(part.schema) or (is_known and not part.is_recursive):
                continue
            found[id(part.schema)] = part  # the last one, where a schema refers to itself
            pending += () if is_known else reversed(self._source.conjuncts(part))
        return tuple(found.values())

    @cached_property
    def choices(self) -> tuple[tuple["SchemaView", ...], ...]:
        """The alternatives of each ``anyOf`` and ``oneOf`` here; a value conforms to one or more of every tuple."""
        return tuple(
            tuple(self._source.view((_branch(part, keyword, index),)) for index in range(len(branches)))
            for part in self.parts
            for keyword in ("anyOf", "oneOf")
            if is_array(branches := part.schema.get(keyword))
        )

    @cached_property
    def conditions(self) -> tuple[tuple["SchemaView", ...], ...]:
        """The schemas of each ``if`` and ``dependentSchemas`` here that hold under a condition, and a view of anything for where none does."""
        anything = self._source.view(())
        found: list[tuple[SchemaView, ...]] = []
        for part in self.parts:
            dependent = part.schema.get("dependentSchemas")
            for name, schema in dependent.items() if is_object(dependent) else ():
                # That a property is there is likely.
                found.append((self._source.view((part.child(schema, "dependentSchemas", name),)), anything))
            if "if" in part.schema:
                both = [child for name in ("then", "else") if (child := _child(part, name)) is not None]
                found.append((anything, *(self._source.view((child,)) for child in both)))
        return tuple(found)

    @cached_property
    def ways(self) -> tuple["SchemaView", ...]:
        """The ways to conform, each without alternatives and conditions: none when no value can, or where a recursion is cut off."""
        if any(_is_cut_off(part.trail) for part in self.parts) or not self.is_possible:
            return ()
        choices = (*self.choices, *self.conditions)
        if not choices:
            return (self,)
        ways: Iterator[SchemaView] = iter([SchemaView(self._source, self.roots, self.parts)])
        for choice in choices:
            ways = _product(ways, choice)
        return tuple(islice(ways, _MAX_WAYS))

    def joined(self, other: "SchemaView") -> "SchemaView":
        """Return the way that obeys both this way and another; the alternatives of either do not count."""
        return self._source.joined(self, other)

    def combined(self, other: "SchemaView") -> "SchemaView":
        """Return the view of a place where the schemas of both hold."""
        return self._source.view((*self.roots, *other.roots))

    @property
    def is_recursive(self) -> bool:
        """True where a reference led back to a schema that encloses this place."""
        return any(part.is_recursive for part in self.parts)

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """The value of each property by which discriminators recognize the schemas here."""
        found: dict[str, str] = {}
        for part in self.parts:
            own = () if "anyOf" in part.schema or "oneOf" in part.schema else _tags(part.schema, part.subject)
            found |= dict((*part.tags, *own))
        return found

    def with_options(self, options: Iterable[Any]) -> "SchemaView":
        """Return this way with other options, and their types."""
        way = SchemaView(self._source, self.roots, self.parts)
        values = tuple(options)
        vars(way).update(
            options=values, types=without_integer(frozenset(map(type_of, values))), is_branch=self.is_branch
        )
        return way

    @property
    def is_possible(self) -> bool:
        """False when no value can conform: no type or option is left, or a schema forbids everything."""
        return bool(self.types) and self.options != () and not any(root.schema is False for root in self.roots)

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types that a value may have: as declared, and those of the options and the alternatives."""
        if self.is_branch:
            found = [own_types(part.schema) for part in self.parts]
        else:
            found = [self._source.types(root.schema) for root in self.roots]
        # Two lists of options may have fewer types in common than each allows.
        return common_types([*found, *([] if self.options is None else [frozenset(map(type_of, self.options))])])

    @property
    def sorted_types(self) -> list[str]:
        """The types in a fixed order, null last."""
        return [kind for kind in _ORDER if kind in self.types]

    def likely_types(self) -> list[str]:
        """Return the types to make values of: the stated ones, else those implied by other keywords, else all; null comes last."""
        if self.types == ANYTHING and "type" not in self.origins:
            hinted = {kind for kind, keywords in _HINTS.items() if keywords & self.origins.keys()}
            if hinted:
                return [kind for kind in _ORDER if kind in hinted]
        return self.sorted_types

    @cached_property
    def options(self) -> tuple[Any, ...] | None:
        """The only values allowed, by ``enum`` or ``const``; None when there is no such list."""
        lists = [found for part in self.parts if (found := options_of(part.schema)) is not None]
        if not lists:
            return None
        common = set(lists[0]).intersection(*lists[1:])
        return tuple(value for key, value in lists[0].items() if key in common)

    @cached_property
    def origins(self) -> Mapping[str, str]:
        """The pointer of each keyword in the document; of a bound that several schemas set, that of the tightest."""
        first = {key: join_pointer(part.pointer, key) for part in reversed(self.parts) for key in part.schema}
        return first | {key: pointer for key, (_, pointer) in self._bounds.items()}

    def origin(self, keyword: str) -> str:
        """Return the pointer of a keyword in the document, or of the place when it has no such keyword."""
        behind = (part for part in self.parts if keyword in self._source.published(part))
        return self.origins.get(keyword) or next((join_pointer(part.pointer, keyword) for part in behind), self.pointer)

    @property
    def limits(self) -> Mapping[str, float]:
        """The tightest bound by keyword."""
        return {keyword: value for keyword, (value, _) in self._bounds.items()}

    @cached_property
    def _bounds(self) -> dict[str, tuple[float, str]]:
        found: dict[str, tuple[float, str]] = {}
        for part in self.parts:
            own = {key: part.schema[key] for key in _LIMITS if key in part.schema}
            normalize_bound(own, "minimum", "exclusiveMinimum")
            normalize_bound(own, "maximum", "exclusiveMaximum")
            for keyword, value in own.items():
                sign = -1 if "max" in keyword.lower() else 1
                if keyword not in found or sign * value > sign * found[keyword][0]:
                    found[keyword] = (value, join_pointer(part.pointer, keyword))
        return found

    def values(self, keyword: str) -> tuple[Any, ...]:
        """Return the value of a keyword in every schema that has it."""
        return tuple(part.schema[keyword] for part in self.parts if keyword in part.schema)

    def published(self, keyword: str) -> tuple[Any, ...]:
        """Return the value of a keyword in every OpenAPI schema behind this place: an ``example``, an ``x-`` keyword."""
        behind = (self._source.published(part) for part in self.parts)
        return tuple(schema[keyword] for schema in behind if keyword in schema)

    @cached_property
    def known_values(self) -> tuple[str, ...]:
        """The texts that ``x-known-values`` names; others are allowed too."""
        lists = (values for values in self.published("x-known-values") if is_array(values))
        return tuple(value for values in lists for value in values if isinstance(value, str))

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The patterns that a text matches, each once."""
        return tuple(dict.fromkeys(self.values("pattern")))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The names of the required properties."""
        return tuple(dict.fromkeys(name for names in self.values("required") for name in names))

    @cached_property
    def property_names(self) -> Mapping[str, None]:
        """The names of the ``properties``, without their views."""
        return dict.fromkeys(name for properties in self.values("properties") for name in properties)

    @cached_property
    def properties(self) -> Mapping[str, "SchemaView"]:
        """A view of each property that has a name here; those inside alternatives are not among them."""
        return {name: self._property(name) for name in self.property_names}

    def property(self, name: str) -> "SchemaView":
        """Return the view of a property: its own with those of patterns that its name matches, or that of additional properties."""
        return self._property(name) if name in self.property_names or self.pattern_properties else self.additional

    def _property(self, name: str) -> "SchemaView":
        patterns = [pattern for pattern in self.pattern_properties if matches_pattern(pattern, name)]
        found: list[SchemaPart | None] = []
        for part in self.parts:
            own = [_child(part, "properties", name), *(_child(part, "patternProperties", item) for item in patterns)]
            found += own if any(own) else [_child(part, "additionalProperties")]
        return self._source.view(tuple(child for child in found if child is not None))

    @cached_property
    def pattern_properties(self) -> Mapping[str, "SchemaView"]:
        """A view of the properties whose names match a pattern, by pattern."""
        patterns = dict.fromkeys(name for properties in self.values("patternProperties") for name in properties)
        return {name: self._view("patternProperties", name) for name in patterns}

    @cached_property
    def additional(self) -> "SchemaView":
        """The view of a property without a name here."""
        return self._view("additionalProperties")

    @cached_property
    def names(self) -> "SchemaView":
        """The view of the name of any property."""
        return self._view("propertyNames")

    @cached_property
    def contained(self) -> "SchemaView":
        """The view of the items that a list must contain; where several schemas ask for some, of an item that serves them all."""
        return self._view("contains")

    @cached_property
    def prefix(self) -> tuple["SchemaView", ...]:
        """A view of each item that has its own schema."""
        length = max(map(len, self.values("prefixItems")), default=0)
        return tuple(self._view("prefixItems", index, otherwise="items") for index in range(length))

    @cached_property
    def items(self) -> "SchemaView":
        """The view of an item beyond ``prefix``."""
        return self._view("items")

    def item(self, index: int) -> "SchemaView":
        """Return the view of the item of that index."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def _view(self, *keys: str | int, otherwise: str = "") -> "SchemaView":
        """Return the view of a subschema; a part without one there gives the one below ``otherwise``."""
        found = (_child(part, *keys) or (_child(part, otherwise) if otherwise else None) for part in self.parts)
        return self._source.view(tuple(child for child in found if child is not None))


class _Source:
    """The document that references lead into, and the OpenAPI document behind it; the same places give the same views."""

    def __init__(self, root: Any, document: Mapping[str, Any] | None, *, is_traced: bool = True) -> None:
        self._root = root
        self._is_traced = is_traced
        self._joined: dict[tuple[SchemaView, SchemaView], SchemaView] = {}
        self._document = document
        self._views: dict[tuple[tuple[int, str, tuple[str, ...]], ...], SchemaView] = {}
        self._types: dict[int, frozenset[str]] = {}
        self._targets: dict[str, tuple[Any, str] | None] = {}
        self._depth = 0

    def view(self, roots: tuple[SchemaPart, ...]) -> SchemaView:
        key = tuple((id(root.schema), root.pointer, root.trail) for root in roots)
        if key not in self._views:
            self._views[key] = SchemaView(self, roots)
        return self._views[key]

    def joined(self, one: SchemaView, other: SchemaView) -> SchemaView:
        key = (one, other)
        if key not in self._joined:
            parts = {id(part.schema): part for part in (*one.parts, *other.parts)}
            self._joined[key] = SchemaView(self, one.roots, tuple(parts.values()))
        return self._joined[key]

    def conjuncts(self, part: SchemaPart) -> list[SchemaPart]:
        """Return the schemas that hold together with one: the target of its reference, and those of ``allOf``."""
        branches = part.schema.get("allOf")
        found = [
            replace(part.child(item, "allOf", index), subject=part.subject)
            for index, item in enumerate(branches if is_array(branches) else ())
        ]
        reference = part.schema.get("$ref")
        return [*self._follow(part, reference), *found] if isinstance(reference, str) else found

    def _follow(self, part: SchemaPart, reference: str) -> Iterator[SchemaPart]:
        if reference not in self._targets:
            self._targets[reference] = self._target(part, reference)
        found = self._targets[reference]
        if found is not None:
            trail = (*part.trail, reference) if self._is_traced else ()
            yield SchemaPart(found[0], found[1], trail, part.subject or reference)

    def _target(self, part: SchemaPart, reference: str) -> tuple[Any, str] | None:
        try:
            target = resolve_pointer(self._root, pointer_parts(reference))
        except LookupError:
            return None
        # A compiled schema gives its definitions other names than the document.
        behind = self.published(part).get("$ref", reference)
        return target, join_pointer("", *pointer_parts(behind))

    def published(self, part: SchemaPart) -> dict[str, Any]:
        """Return the OpenAPI schema behind a part, or an empty one."""
        if self._document is None or self._document is self._root:
            return part.schema if is_object(part.schema) else {}
        try:
            schema = resolve_pointer(self._document, pointer_parts(part.pointer))
        except LookupError:
            return {}
        return schema if is_object(schema) else {}

    def types(self, schema: Any) -> frozenset[str]:
        """Return the types that a schema allows, with those of its reference, ``allOf`` and alternatives."""
        if not is_object(schema):
            return frozenset() if schema is False else ANYTHING
        if id(schema) not in self._types:
            if self._depth >= _MAX_CHAIN:
                return ANYTHING
            self._types[id(schema)] = ANYTHING  # counts where the schema refers to itself
            self._depth += 1
            together = [part.schema for part in self.conjuncts(SchemaPart(schema, ""))]
            choices = [schema[keyword] for keyword in ("anyOf", "oneOf") if is_array(schema.get(keyword))]
            self._types[id(schema)] = common_types(
                [
                    own_types(schema),
                    *map(self.types, together),
                    *(without_integer(frozenset[str]().union(*map(self.types, branches))) for branches in choices),
                ]
            )
            self._depth -= 1
        return self._types[id(schema)]


def _product(ways: Iterator[SchemaView], choice: tuple[SchemaView, ...]) -> Iterator[SchemaView]:
    for way in ways:
        for branch in choice:
            yield from (joined for other in branch.ways if (joined := way.joined(other)).is_possible)


def _is_cut_off(trail: tuple[str, ...]) -> bool:
    depth = trail.count(trail[-1]) - 1 if trail else 0
    return depth >= _MAX_RECURSION or (depth > 0 and len(trail) > _MAX_TRAIL) or len(trail) > _MAX_CHAIN


def _branch(part: SchemaPart, keyword: str, index: int) -> SchemaPart:
    """Return an alternative of a schema, with the value by which the schema's discriminator recognizes it."""
    schema = part.schema[keyword][index]
    reference = schema.get("$ref") if is_object(schema) else None
    return replace(part.child(schema, keyword, index), tags=_tags(part.schema, reference))


def _tags(schema: dict[str, Any], reference: Any) -> tuple[tuple[str, str], ...]:
    """Return the property that a schema's discriminator names, with its value for a reference; nothing where there is none."""
    discriminator = schema.get("discriminator")
    name = discriminator.get("propertyName") if is_object(discriminator) else None
    if not (is_object(discriminator) and isinstance(name, str) and isinstance(reference, str) and reference):
        return ()
    component = reference.rpartition("/")[2].removeprefix("components.schemas.")
    mapping: Any = discriminator.get("mapping")
    values = (
        key
        for key, target in (mapping.items() if is_object(mapping) else ())
        if isinstance(target, str) and target.rpartition("/")[2] == component
    )
    return ((name, next(values, component)),)


def _child(part: SchemaPart, *keys: str | int) -> SchemaPart | None:
    try:
        return part.child(resolve_pointer(part.schema, keys), *keys)
    except LookupError:
        return None
