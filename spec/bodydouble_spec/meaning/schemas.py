"""Nodes of a document's schemas: references are followed, and what holds together is merged."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bodydouble_spec.document import strip_prose
from bodydouble_spec.errors import ContractError
from bodydouble_spec.meaning.alternatives import Simplification
from bodydouble_spec.meaning.identity import digest, encoded, form_of
from bodydouble_spec.meaning.keywords import Keywords, plain
from bodydouble_spec.meaning.node import Alternative, Node, Source
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["Schemas"]

_MAX_NODES = 400_000
_LISTS = ("anyOf", "oneOf")
# These see what the schemas beside them declare, so that a schema with one of them cannot be merged into another.
_SIGHTED = ("unevaluatedItems", "unevaluatedProperties")
_CONDITIONS = ("if", "then", "else")
_OF_OBJECTS = {
    "additionalProperties", "dependentSchemas", "patternProperties", "properties", "propertyNames", "unevaluatedProperties",
}  # fmt: skip
_OF_ARRAYS = {"contains", "items", "prefixItems", "unevaluatedItems"}
# They say nothing when they are false or 0.
_OFF = {"deprecated", "minItems", "minLength", "minProperties", "nullable", "readOnly", "uniqueItems", "writeOnly"}
# Handled by name here; definitions hold nothing by themselves.
_NO_LEAVES = {
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "contains", "contentSchema", "definitions", "dependentSchemas", "discriminator",
    "items", "maxContains", "minContains", "not", "oneOf", "patternProperties", "prefixItems", "properties", "propertyNames",
    *_CONDITIONS, *_SIGHTED, *PROSE,
}  # fmt: skip


class Schemas:
    """The nodes of one document, for one direction.

    ``hidden`` is the keyword of the properties that a message of this direction does not have (``readOnly`` in a
    request), so that they are not required there.
    """

    def __init__(self, document: Mapping[str, Any], hidden: str | None) -> None:
        self._document = document
        self._hidden = hidden
        self._is_30 = str(document.get("openapi", "3.0")).startswith("3.0")
        self._nodes: dict[frozenset[int], Node] = {}
        self._unbuilt: set[Node] = set()
        self._waiting: list[Node] = []
        self._targets: dict[str, Source | None] = {}
        self._kept: list[Any] = []
        self._written: dict[int, bytes] = {}

    def finish(self) -> None:
        """Build every node that was asked for, and all below it."""
        for node in self._waiting:
            self.built(node)  # which may add to the list
        self._waiting.clear()

    def node(self, *roots: Source) -> Node:
        """Return the node of what holds together; the same schemas give the same node. Raises ContractError beyond a budget."""
        followed = self._unrepeated(self._followed(root) for root in roots)
        key = frozenset(id(root.schema) for root in followed)
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) > _MAX_NODES:
                raise ContractError(
                    f"the schemas of this document combine to more than {_MAX_NODES} places; not compared"
                )
            node = self._nodes[key] = Node(tuple({id(root.schema): root for root in followed}.values()))
            self._kept.append(followed)
            self._unbuilt.add(node)
            self._waiting.append(node)
        return node

    def made(self, schema: dict[str, Any], pointer: str) -> Node:
        """Return the node of a schema that no document has."""
        return self.node(Source(schema, pointer))

    def built(self, node: Node) -> Node:
        """Return the node with its value; one that is being built further up has none yet."""
        if node in self._unbuilt:
            self._unbuilt.remove(node)
            _Builder(self, node).build()
            node.is_built = True
        return node

    def conjuncts(self, roots: Iterable[Source]) -> list[Source]:
        """Return the schemas that hold together with the roots: targets of references, ``allOf``, and single alternatives."""
        found: dict[int, Source] = {}
        waiting = [*roots][::-1]
        while waiting:
            part = waiting.pop()
            if id(part.schema) in found:
                continue
            found[id(part.schema)] = part
            waiting += reversed(list(self._beside(part)))
        return self._unrepeated(found.values())

    def _unrepeated(self, parts: Iterable[Source]) -> list[Source]:
        """Return the parts without those that are written like an earlier one, as a component that is also written out."""
        every = list(parts)
        if len(every) == 1:
            return every
        first: dict[bytes, Source] = {}
        for part in every:
            if id(part.schema) not in self._written:
                self._written[id(part.schema)] = encoded(part.schema)
                self._kept.append(part)
            first.setdefault(self._written[id(part.schema)], part)
        return list(first.values())

    def _beside(self, part: Source) -> Iterator[Source]:
        schema = part.schema
        if not is_object(schema):
            return
        target = self.target(schema.get("$ref"))
        if target is not None:
            yield target
        branches = schema.get("allOf")
        yield from (
            part.below(item, "allOf", index) for index, item in enumerate(branches if is_array(branches) else ())
        )
        yield from (part.below(schema[keyword][0], keyword, 0) for keyword in _LISTS if _is_single(schema, keyword))

    def target(self, reference: Any) -> Source | None:
        """Return what a reference leads to, or None."""
        if not isinstance(reference, str):
            return None
        if reference not in self._targets:
            try:
                parts = pointer_parts(reference)
                found = Source(resolve_pointer(self._document, parts), join_pointer("", *parts))
            except LookupError:
                found = None
            self._targets[reference] = found
        return self._targets[reference]

    def _followed(self, root: Source) -> Source:
        for _ in range(100):
            schema = root.schema
            if not (is_object(schema) and isinstance(schema.get("$ref"), str)):
                break
            if not self._is_30 and any(_says_something(name, schema[name]) for name in schema if name != "$ref"):
                break
            target = self.target(schema["$ref"])
            if target is None:
                return Source({}, root.pointer)
            root = target
        return root

    def different(self, group: list[Alternative]) -> list[Alternative]:
        """Return the alternatives without those that are equal as far as they are built; numbers tell more of them later."""
        written = {self._outline(item.node): item for item in reversed(group)}
        built = {
            digest(form_of(item.node, self._outline)) if item.node.is_built else outline: item
            for outline, item in written.items()
        }
        return sorted(built.values(), key=lambda item: item.index)

    def _outline(self, node: Node) -> str:
        """Return what is equal for nodes that are written alike; of a node that no schema of the document is, its keywords."""
        if self._nodes.get(frozenset(id(root.schema) for root in node.roots)) is node:
            return digest([strip_prose(root.schema) for root in node.roots])
        return digest(form_of(node, self._outline))

    def is_hidden(self, sources: Iterable[Source]) -> bool:
        """Return whether a message of this direction does not have such a property."""
        name = self._hidden
        return name is not None and any(
            is_object(part.schema) and part.schema.get(name) is True for part in self.conjuncts(sources)
        )


def _is_single(schema: Mapping[str, Any], keyword: str) -> bool:
    """Return whether there is one alternative, so that it holds like a part of ``allOf``; it may be written more than once."""
    branches = schema.get(keyword)
    if not is_array(branches) or not branches or "discriminator" in schema:
        return False
    return len(branches) == 1 or (
        keyword == "anyOf"
        and all(item == branches[0] for item in branches)
        and len({encoded(item) for item in branches}) == 1
    )


def _is_wrapper(schema: Any) -> bool:
    """Return whether a schema says nothing but that others hold."""
    return is_object(schema) and all(
        name in ("$ref", "allOf") or _is_single(schema, name)
        for name, value in schema.items()
        if _says_something(name, value)
    )


def _is_structure(name: str) -> bool:
    return name not in PROSE and not name.startswith("x-")


def _says_something(name: str, value: Any) -> bool:
    """Return whether a keyword is neither prose nor written with the value that it has anyway."""
    return _is_structure(name) and not (name in _OFF and value in (False, 0))


class _Builder:
    """Fills in the value of one node."""

    def __init__(self, schemas: Schemas, node: Node) -> None:
        self._schemas = schemas
        self._node = node
        self._value: dict[str, Any] = node.value
        self._beside: list[Node] = []

    def build(self) -> None:
        """Fill in the value."""
        node = self._node
        parts = self._merged_parts()
        objects = [part for part in parts if is_object(part.schema)]
        keywords, present = self._read(objects)
        groups = [
            self._group(part, name)
            for part in objects
            for name in _LISTS
            if name in present and self._is_group(part, name)
        ]
        value = None if any(part.schema is False for part in parts) else keywords.value()
        if value is None:
            node.deny()
            return
        self._value.update({**value, **self._value})
        for keyword, group in groups:
            extra = Simplification(node, keyword, group).apply()
            self._beside += [extra] if extra is not None else []
            if node.is_never:
                return
        if "discriminator" in present:
            self._add_discriminator(objects)
        keywords.drop_foreign(self._value)
        beside = list({id(item): item for item in self._beside}.values())
        if beside:
            self._value["allOf"] = [Alternative(index, item, None) for index, item in enumerate(beside)]

    def _read(self, objects: list[Source]) -> tuple[Keywords, set[str]]:
        """Return the keywords without schemas, and the names of all; add those with schemas, except alternatives."""
        node = self._node
        keywords, present = Keywords(), set[str]()
        for part in objects:
            present |= part.schema.keys()
            leaves = {
                name: value
                for name, value in part.schema.items()
                if name not in _NO_LEAVES and not name.startswith("x-")
            }
            if node.pointer != part.pointer:
                for name in leaves:
                    node.origins.setdefault(name, join_pointer(part.pointer, name))
            title = part.schema.get("title")
            if node.title is None and isinstance(title, str) and title:
                node.title = title
            left = keywords.add(leaves)
            if left:
                self._beside.append(self._schemas.made(left, part.pointer))
        if present & _OF_OBJECTS:
            self._add_objects(objects, keywords)
        if present & _OF_ARRAYS:
            self._add_arrays(objects)
        if "contentSchema" in present:
            self._add_joined("contentSchema", objects)
        if "not" in present or "if" in present:
            self._add_logic(objects)
        return keywords, present

    def _merged_parts(self) -> list[Source]:
        """Return the schemas that can be read as one; each other becomes a node that holds beside them."""
        roots = self._node.roots
        parts = self._schemas.conjuncts(roots)
        if len(parts) == 1:
            return parts
        is_apart = self._apart(parts)
        if not is_apart:
            return parts
        kept = self._schemas.conjuncts([root for root in roots if id(root.schema) not in is_apart])
        self._beside += [self._schemas.node(part) for part in parts if id(part.schema) in is_apart]
        return [part for part in kept if id(part.schema) not in is_apart]

    def _apart(self, parts: list[Source]) -> set[int]:
        objects = [part for part in parts if is_object(part.schema)]
        if sum(not _is_wrapper(part.schema) for part in parts) == 1:
            return set()
        is_mixed = any(part.schema.get("patternProperties") for part in objects) and any(
            part.schema.get("additionalProperties", True) not in (True, {}) for part in objects
        )
        own = {id(root.schema) for root in self._node.roots} if len(self._node.roots) == 1 else set[int]()
        return {
            id(part.schema)
            for part in objects
            if id(part.schema) not in own
            and (any(name in part.schema for name in _SIGHTED) or (is_mixed and "patternProperties" in part.schema))
        }

    def _place(self, key: str, source: Source) -> None:
        if source.pointer != join_pointer(self._node.pointer, *key.split("/", 1)):
            self._node.origins.setdefault(key, source.pointer)

    def _add_objects(self, objects: list[Source], keywords: Keywords) -> None:
        schemas = self._schemas
        named = [part for part in objects if is_object(part.schema.get("properties"))]
        names = dict.fromkeys(name for part in named for name in part.schema["properties"])
        properties: dict[str, Node] = {}
        for name in names:
            sources = [found for part in objects if (found := _property(part, name)) is not None]
            properties[name] = schemas.node(*sources)
            self._place(f"properties/{name}", sources[0])
            if schemas.is_hidden(sources):
                keywords.required.names.discard(name)
        if properties:
            self._place("properties", named[0].below(None, "properties"))
            self._value["properties"] = properties
        self._add_joined("additionalProperties", objects)
        self._add_joined("propertyNames", objects)
        self._add_joined("unevaluatedProperties", objects)
        for keyword in ("patternProperties", "dependentSchemas"):
            maps = [part for part in objects if is_object(part.schema.get(keyword)) and part.schema[keyword]]
            keys = dict.fromkeys(name for part in maps for name in part.schema[keyword])
            joined = {
                name: [
                    part.below(part.schema[keyword][name], keyword, name)
                    for part in maps
                    if name in part.schema[keyword]
                ]
                for name in keys
            }
            if joined:
                self._place(keyword, maps[0].below(None, keyword))
                for name, sources in joined.items():
                    self._place(f"{keyword}/{name}", sources[0])
                self._value[keyword] = {name: schemas.node(*sources) for name, sources in joined.items()}

    def _add_joined(self, keyword: str, objects: list[Source]) -> None:
        """Add a keyword whose schemas hold together; one that allows anything adds nothing."""
        sources = [part.below(part.schema[keyword], keyword) for part in objects if keyword in part.schema]
        limiting = [source for source in sources if not _is_anything(source.schema)]
        # With `unevaluated…` even a schema that allows anything counts.
        if not limiting and not (keyword in _SIGHTED and sources):
            return
        self._place(keyword, (limiting or sources)[0])
        if any(_is_nothing(source.schema) for source in limiting):
            self._value[keyword] = False
        else:
            self._value[keyword] = self._schemas.node(*(limiting or sources))

    def _add_arrays(self, objects: list[Source]) -> None:
        schemas = self._schemas
        length = max(
            (len(part.schema["prefixItems"]) for part in objects if is_array(part.schema.get("prefixItems"))), default=0
        )
        prefix: list[Node] = []
        for index in range(length):
            sources = [found for part in objects if (found := _item(part, index)) is not None]
            prefix.append(schemas.node(*sources))
            self._place(f"prefixItems/{index}", sources[0])
        if prefix:
            self._value["prefixItems"] = prefix
        self._add_joined("items", objects)
        self._add_joined("unevaluatedItems", objects)
        counting = [part for part in objects if "contains" in part.schema]
        for index, part in enumerate(counting):
            own = {
                name: plain(part.schema[name]) if name != "contains" else part.schema[name]
                for name in ("contains", "minContains", "maxContains")
                if name in part.schema
            }
            if own.get("minContains") == 1:
                del own["minContains"]
            if index:
                self._beside.append(schemas.made({**own}, part.pointer))
                continue
            for name in own:
                self._place(name, part.below(None, name))
            self._value |= own | {"contains": schemas.node(part.below(own["contains"], "contains"))}

    def _add_logic(self, objects: list[Source]) -> None:
        schemas = self._schemas
        denied = [part.below(part.schema["not"], "not") for part in objects if "not" in part.schema]
        if any(_is_anything(source.schema) for source in denied):
            self._value["not"] = {}
        for index, source in enumerate(item for item in denied if not _is_anything(item.schema)):
            if "not" not in self._value and not index:
                self._place("not", source)
                self._value["not"] = schemas.node(source)
            elif self._value.get("not") != {}:
                self._beside.append(schemas.made({"not": source.schema}, source.pointer))
        for index, part in enumerate(
            item for item in objects if "if" in item.schema and {"then", "else"} & item.schema.keys()
        ):
            own = {name: part.below(part.schema[name], name) for name in _CONDITIONS if name in part.schema}
            if index:
                self._beside.append(schemas.made({name: source.schema for name, source in own.items()}, part.pointer))
                continue
            for name, source in own.items():
                self._place(name, source)
                self._value[name] = schemas.node(source)

    @staticmethod
    def _is_group(part: Source, keyword: str) -> bool:
        return bool(
            is_array(part.schema.get(keyword)) and part.schema[keyword] and not _is_single(part.schema, keyword)
        )

    def _group(self, part: Source, keyword: str) -> tuple[str, list[Alternative]]:
        self._place(keyword, part.below(None, keyword))
        found: list[Alternative] = []
        for index, branch in enumerate(part.schema[keyword]):
            reference = branch.get("$ref") if is_object(branch) else None
            node = self._schemas.built(self._schemas.node(part.below(branch, keyword, index)))
            found.append(Alternative(index, node, reference if isinstance(reference, str) else None))
        return keyword, found if keyword == "oneOf" else self._schemas.different(found)

    def _add_discriminator(self, objects: list[Source]) -> None:
        part = next((part for part in objects if is_object(part.schema.get("discriminator"))), None)
        if part is None:
            return
        given = part.schema["discriminator"]
        mapping = given.get("mapping")
        named = {value: str(name) for value, name in (mapping if is_object(mapping) else {}).items()}
        named = {value: name if "/" in name else f"#/components/schemas/{name}" for value, name in named.items()}
        references = [item.reference for keyword in _LISTS for item in self._value.get(keyword, ()) if item.reference]
        for reference in references:
            if reference not in named.values():
                named.setdefault(reference.rsplit("/", 1)[-1], reference)
        self._place("discriminator", part.below(None, "discriminator"))
        targets = {value: self._schemas.target(name) for value, name in named.items()}
        self._value["discriminator"] = {
            "propertyName": given.get("propertyName"),
            "mapping": {value: target and self._schemas.node(target) for value, target in sorted(targets.items())},
        }


def _property(part: Source, name: str) -> Source | None:
    properties = part.schema.get("properties")
    if is_object(properties) and name in properties:
        return part.below(properties[name], "properties", name)
    other = part.schema.get("additionalProperties", True)
    return None if _is_anything(other) else part.below(other, "additionalProperties")


def _item(part: Source, index: int) -> Source | None:
    prefix = part.schema.get("prefixItems")
    if is_array(prefix) and index < len(prefix):
        return part.below(prefix[index], "prefixItems", index)
    return part.below(part.schema["items"], "items") if "items" in part.schema else None


def _is_anything(schema: Any) -> bool:
    return schema is True or (is_object(schema) and not any(_is_structure(name) for name in schema))


def _is_nothing(schema: Any) -> bool:
    return schema is False or (is_object(schema) and schema.keys() == {"not"} and _is_anything(schema["not"]))
