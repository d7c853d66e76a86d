"""Nodes: schemas by their meaning, whichever way a document spells them."""

from dataclasses import dataclass
from typing import Any

from bodydouble_spec.values import join_pointer

__all__ = ["Alternative", "Node", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A schema as written in the repaired document, and the pointer to it."""

    schema: Any
    pointer: str

    def below(self, schema: Any, *keys: str | int) -> "Source":
        """Return a part of the schema."""
        return Source(schema, join_pointer(self.pointer, *keys))


class Node:
    """The meaning of a schema: ``value`` has the canonical keywords, with nodes in place of subschemas.

    ``pointer`` is the place of the first schema that holds here, `child` the place of a keyword. ``number`` is equal
    for nodes that mean the same, once `identify` has set it; ``is_cyclic`` tells that the node leads to itself or to
    such a node.
    """

    __slots__ = ("is_built", "is_cyclic", "number", "origins", "pointer", "roots", "title", "value")

    def __init__(self, roots: tuple[Source, ...]) -> None:
        self.roots = roots
        self.pointer = roots[0].pointer if roots else ""
        self.value: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.number = ""
        self.is_built = False
        self.is_cyclic = False
        self.title: str | None = None

    def child(self, *keys: str | int) -> str:
        """Return the pointer to a keyword, or to what is below it."""
        if not keys:
            return self.pointer
        first, *rest = map(str, keys)
        named = f"{first}/{rest[0]}" if rest else ""
        if named in self.origins:
            return join_pointer(self.origins[named], *rest[1:])
        return join_pointer(self.origins.get(first, join_pointer(self.pointer, first)), *rest)

    @property
    def is_never(self) -> bool:
        """True when no value conforms."""
        return self.value.get("not") == {}

    def deny(self) -> None:
        """Make this the node to which no value conforms."""
        self.value.clear()
        self.value["not"] = {}

    @property
    def children(self) -> "list[Node]":
        """The nodes directly below."""
        found: list[Node] = []
        waiting = [*self.value.values()]
        while waiting:
            value = waiting.pop()
            kind = value.__class__
            if kind is Node:
                found.append(value)
            elif kind is Alternative:
                found.append(value.node)
            elif kind is dict:
                waiting += value.values()
            elif kind is list and value and value[0].__class__ in (Node, Alternative):
                waiting += value
        return found


@dataclass(frozen=True, slots=True)
class Alternative:
    """One schema of ``anyOf``, ``oneOf`` or ``allOf``: its index in the document, its node, and its reference, if it is one."""

    index: int
    node: Node
    reference: str | None
