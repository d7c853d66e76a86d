"""Which model a document describes, and whether it is still the same one."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec._diff_side import Node, Side
from bodydouble_spec._json import is_array, is_object

__all__ = ["Identity", "read_identity"]

# The request property that names a model: the one name of the vendor's whole catalogue that means what a document is about.
_PROPERTY = "model"


class Identity:
    """The models that a document describes, by the values that a request may name, and where the first of them stands."""

    def __init__(self, names: tuple[str, ...], pointer: str) -> None:
        self.names = names
        self.pointer = pointer

    def is_replaced_by(self, other: "Identity") -> bool:
        """Whether both documents say which models they describe, and none of these is in both."""
        return bool(self.names) and bool(other.names) and not {*self.names} & {*other.names}


def read_identity(side: Side) -> Identity:
    """The models that the request bodies of a document may name."""
    found: dict[str, str] = {}
    for node in _schemas(side):
        values = node.value.get("enum", [node.value["const"]] if "const" in node.value else [])
        for value in values if is_array(values) else ():
            if isinstance(value, str):
                found.setdefault(value, node.pointer)
    return Identity(tuple(found), next(iter(found.values()), ""))


def _schemas(side: Side) -> Iterator[Node]:
    """The schema of the property that names a model, in each request body that has one."""
    for path, item in side.document["paths"].items():
        for method, operation in item.items():
            if not (is_object(operation) and "requestBody" in operation):
                continue
            top = Node({}, "/paths").child(path, method, "requestBody")
            body = side.follow(operation["requestBody"], top)
            content: Any = body.value.get("content")
            for name, media_type in content.items() if is_object(content) else ():
                schema = media_type.get("schema") if is_object(media_type) else None
                node = side.follow(schema, body.child("content", name, "schema"))
                yield from _naming(side, node)


def _naming(side: Side, top: Node) -> Iterator[Node]:
    waiting, met = [top], {top.pointer}
    while waiting:
        node = waiting.pop(0)
        properties = node.value.get("properties")
        if is_object(properties) and _PROPERTY in properties:
            yield side.follow(properties[_PROPERTY], node.child("properties", _PROPERTY))
        for keyword in ("allOf", "anyOf", "oneOf"):
            branches = node.value.get(keyword)
            for index, branch in enumerate(branches if is_array(branches) else ()):
                below = side.follow(branch, node.child(keyword, index))
                if below.pointer not in met:
                    met.add(below.pointer)
                    waiting.append(below)
