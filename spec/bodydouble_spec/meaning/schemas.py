"""Nodes of a document's schemas: references are followed, and what holds together is merged."""

from collections.abc import Mapping
from typing import Any

from bodydouble_spec.document import strip_prose
from bodydouble_spec.errors import ContractError
from bodydouble_spec.meaning.alternatives import Simplification
from bodydouble_spec.meaning.identity import digest, encoded, form_of
from bodydouble_spec.meaning.keywords import Keywords, plain
from bodydouble_spec.meaning.node import Alternative, Node, Source
from bodydouble_spec.meaning.sources import LISTS, Sources, is_anything, is_nothing
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer

__all__ = ["Schemas"]

_MAX_NODES = 400_000
# These see what the schemas beside them declare, so that a schema with one of them cannot be merged into another.
_SIGHTED = ("unevaluatedItems", "unevaluatedProperties")
_CONDITIONS = ("if", "then", "else")
_OF_OBJECTS = {
    "additionalProperties", "dependentSchemas", "patternProperties", "properties", "propertyNames", "unevaluatedProperties",
}  # fmt: skip
_OF_ARRAYS = {"contains", "items", "prefixItems", "unevaluatedItems"}
# Handled by name here; definitions hold nothing by themselves.
_NO_LEAVES = {
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "contains", "contentSchema", "definitions", "dependentSchemas", "discriminator",
    "items", "maxContains", "minContains", "not", "oneOf", "patternProperties", "prefixItems", "properties", "propertyNames",
    *_CONDITIONS, *_SIGHTED, *PROSE,
}  # fmt: skip
_COMPOUND = _NO_LEAVES - {*PROSE}


class Schemas:
    """The nodes of one document, for one direction.

    ``hidden`` is the keyword of the properties that a message of this direction does not have (``readOnly`` in a
    request), so that they are not required there. ``leaves`` are the keywords of schemas without others in them, by
    the text of the schema.
    """

    def __init__(self, document: Mapping[str, Any], hidden: str | None) -> None:
        self.sources = Sources(document, hidden)
        self.leaves: dict[bytes, dict[str, Any] | None] = {}
        self._nodes: dict[frozenset[int], Node] = {}
        self._unbuilt: set[Node] = set()
        self._waiting: list[Node] = []
        self._referred: dict[str, Node] = {}
        self._kept: list[Any] = []

    def finish(self) -> None:
        """Build every node that was asked for, and all below it."""
        for node in self._waiting:
            self.built(node)  # which may add to the list
        self._waiting.clear()

    def node(self, *roots: Source) -> Node:
        """Return the node of what holds together; the same schemas give the same node. Raises ContractError beyond a budget."""
        followed = [self.sources.followed(root) for root in roots]
        if len(followed) > 1:
            followed = self.sources.unrepeated(followed)
        key = frozenset([id(root.schema) for root in followed])
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) > _MAX_NODES:
                raise ContractError(
                    f"the schemas of this document combine to more than {_MAX_NODES} places; not compared"
                )
            node = self._nodes[key] = Node(tuple(followed))
            self._kept.append(followed)
            self._unbuilt.add(node)
            self._waiting.append(node)
        return node

    def part(self, source: Source, *keys: str) -> Node:
        """Return the node of a part of a schema, `node` for the most frequent case: one that may be a reference and nothing else."""
        schema = source.schema
        for key in keys:
            schema = schema[key]
        if not (is_object(schema) and len(schema) == 1 and isinstance(reference := schema.get("$ref"), str)):
            return self.node(source.below(schema, *keys))
        found = self._referred.get(reference)
        if found is None:
            found = self._referred[reference] = self.node(source.below(schema, *keys))
        return found

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
        if len(node.roots) == 1 and is_object(schema := node.roots[0].schema) and not schema.keys() & _COMPOUND:
            self._fill_leaf(schema)
            return
        parts = self._merged_parts()
        while self._note_equal(parts):
            self._beside.clear()
            parts = self._merged_parts()
        objects = [part for part in parts if is_object(part.schema)]
        keywords, present = self._read(objects)
        groups = [
            self._group(part, name)
            for part in objects
            for name in LISTS
            if name in present and self._schemas.sources.is_group(part, name)
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

    def _fill_leaf(self, schema: Mapping[str, Any]) -> None:
        """Fill in a schema without others in it, as most are; those that are written alike are read once."""
        leaves = {name: value for name, value in schema.items() if name not in PROSE and not name.startswith("x-")}
        title = schema.get("title")
        self._node.title = title if isinstance(title, str) and title else None
        known = self._schemas.leaves
        written = encoded(leaves)
        if written not in known:
            keywords = Keywords()
            keywords.add(leaves)
            value = keywords.value()
            if value is not None:
                keywords.drop_foreign(value)
            known[written] = value
        value = known[written]
        if value is None:
            self._node.deny()
        else:
            self._value.update(value)

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
        parts = self._schemas.sources.conjuncts(roots)
        if len(parts) == 1:
            return parts
        is_apart = self._apart(parts)
        if not is_apart:
            return parts
        kept = self._schemas.sources.conjuncts([root for root in roots if id(root.schema) not in is_apart])
        self._beside += [self._schemas.node(part) for part in parts if id(part.schema) in is_apart]
        return [part for part in kept if id(part.schema) not in is_apart]

    def _note_equal(self, parts: list[Source]) -> bool:
        """Note alternatives that all mean the same; return whether there were any, which are among the parts from then on."""
        sources, is_noted = self._schemas.sources, False
        for part in parts:
            if is_object(part.schema) and sources.is_group(part, "anyOf") and "discriminator" not in part.schema:
                _, group = self._group(part, "anyOf")
                if len(group) == 1:
                    sources.note_equal(part, group[0].index)
                    is_noted = True
        return is_noted

    def _apart(self, parts: list[Source]) -> set[int]:
        objects = [part for part in parts if is_object(part.schema)]
        if sum(not self._schemas.sources.is_wrapper(part.schema) for part in parts) == 1:
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

    def _properties(self, objects: list[Source], keywords: Keywords) -> dict[str, Node]:
        schemas = self._schemas
        named = [part for part in objects if is_object(part.schema.get("properties"))]
        if (
            len(objects) == len(named) == 1
            and not schemas.sources.has_hidden
            and named[0].pointer == self._node.pointer
        ):
            return {name: schemas.part(named[0], "properties", name) for name in named[0].schema["properties"]}
        properties: dict[str, Node] = {}
        for name in dict.fromkeys(name for part in named for name in part.schema["properties"]):
            sources = [found for part in objects if (found := _property(part, name)) is not None]
            properties[name] = schemas.node(*sources)
            self._place(f"properties/{name}", sources[0])
            if schemas.sources.is_hidden(sources):
                keywords.required.names.discard(name)
        if properties:
            self._place("properties", named[0].below(None, "properties"))
        return properties

    def _add_objects(self, objects: list[Source], keywords: Keywords) -> None:
        schemas = self._schemas
        properties = self._properties(objects, keywords)
        if properties:
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
        limiting = [source for source in sources if not is_anything(source.schema)]
        # With `unevaluated…` even a schema that allows anything counts.
        if not limiting and not (keyword in _SIGHTED and sources):
            return
        self._place(keyword, (limiting or sources)[0])
        if any(is_nothing(source.schema) for source in limiting):
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
        if any(is_anything(source.schema) for source in denied):
            self._value["not"] = {}
        for index, source in enumerate(item for item in denied if not is_anything(item.schema)):
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
        references = [item.reference for keyword in LISTS for item in self._value.get(keyword, ()) if item.reference]
        for reference in references:
            if reference not in named.values():
                named.setdefault(reference.rsplit("/", 1)[-1], reference)
        self._place("discriminator", part.below(None, "discriminator"))
        targets = {value: self._schemas.sources.target(name) for value, name in named.items()}
        self._value["discriminator"] = {
            "propertyName": given.get("propertyName"),
            "mapping": {value: target and self._schemas.node(target) for value, target in sorted(targets.items())},
        }


def _property(part: Source, name: str) -> Source | None:
    properties = part.schema.get("properties")
    if is_object(properties) and name in properties:
        return part.below(properties[name], "properties", name)
    other = part.schema.get("additionalProperties", True)
    return None if is_anything(other) else part.below(other, "additionalProperties")


def _item(part: Source, index: int) -> Source | None:
    prefix = part.schema.get("prefixItems")
    if is_array(prefix) and index < len(prefix):
        return part.below(prefix[index], "prefixItems", index)
    return part.below(part.schema["items"], "items") if "items" in part.schema else None
