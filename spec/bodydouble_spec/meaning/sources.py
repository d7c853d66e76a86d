"""Schemas as a document writes them: what a reference leads to, and what holds together with a schema."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bodydouble_spec.meaning.identity import encoded
from bodydouble_spec.meaning.node import Source
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["LISTS", "Sources", "is_anything", "is_nothing"]

LISTS = ("anyOf", "oneOf")
"""The keywords of alternatives."""

# They say nothing when they are false or 0.
_OFF = {"deprecated", "minItems", "minLength", "minProperties", "nullable", "readOnly", "uniqueItems", "writeOnly"}


class Sources:
    """The schemas of one document as it writes them.

    ``hidden`` is the keyword of the properties that a message does not have, None when it may have all.
    """

    def __init__(self, document: Mapping[str, Any], hidden: str | None) -> None:
        self._document = document
        self._hidden = hidden
        self._is_30 = str(document.get("openapi", "3.0")).startswith("3.0")
        self._targets: dict[str, Source | None] = {}
        self._written: dict[int, bytes] = {}
        self._equal: dict[int, int] = {}
        # Schemas are told apart by their address, so they must live on.
        self._kept: list[Source] = []

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
        return self.unrepeated(found.values())

    def unrepeated(self, parts: Iterable[Source]) -> list[Source]:
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
        yield from (part.below(schema[keyword][0], keyword, 0) for keyword in LISTS if _is_single(schema, keyword))
        if id(schema) in self._equal:
            index = self._equal[id(schema)]
            yield part.below(schema["anyOf"][index], "anyOf", index)

    def note_equal(self, part: Source, index: int) -> None:
        """Note that all schemas of ``anyOf`` mean the same as one of them, which holds like a part of ``allOf`` then."""
        self._equal[id(part.schema)] = index
        self._kept.append(part)

    def is_wrapper(self, schema: Any) -> bool:
        """Return whether a schema says nothing but that others hold."""
        return is_object(schema) and all(
            name in ("$ref", "allOf") or _is_single(schema, name) or (name == "anyOf" and id(schema) in self._equal)
            for name, value in schema.items()
            if _says_something(name, value)
        )

    def is_group(self, part: Source, keyword: str) -> bool:
        """Return whether a schema has alternatives of which there is more than one."""
        found = part.schema.get(keyword)
        is_noted = keyword == "anyOf" and id(part.schema) in self._equal
        return is_array(found) and bool(found) and not is_noted and not _is_single(part.schema, keyword)

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

    def followed(self, root: Source) -> Source:
        """Return what a schema that is a reference and nothing else leads to; any other as it is."""
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

    @property
    def has_hidden(self) -> bool:
        """True where a message of this direction may lack a property that its schema declares."""
        return self._hidden is not None

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


def _is_structure(name: str) -> bool:
    return name not in PROSE and not name.startswith("x-")


def _says_something(name: str, value: Any) -> bool:
    """Return whether a keyword is neither prose nor written with the value that it has anyway."""
    return _is_structure(name) and not (name in _OFF and value in (False, 0))


def is_anything(schema: Any) -> bool:
    """Return whether a schema allows every value."""
    return schema is True or (is_object(schema) and not any(_is_structure(name) for name in schema))


def is_nothing(schema: Any) -> bool:
    """Return whether a schema allows no value."""
    return schema is False or (is_object(schema) and schema.keys() == {"not"} and is_anything(schema["not"]))
