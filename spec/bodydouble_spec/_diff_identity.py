"""The models that a document describes, to notice when it describes another one."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec._diff_side import Document, Part
from bodydouble_spec._json import is_array, is_object

__all__ = ["DescribedModels", "described_models"]

# The request property that names a model, by the same name in the vendor's whole catalogue.
_PROPERTY = "model"


class DescribedModels:
    """The models that a document describes, as the values that a request may name, and the place of the first one."""

    def __init__(self, names: tuple[str, ...], pointer: str) -> None:
        self.names = names
        self.pointer = pointer

    def is_replaced_by(self, other: "DescribedModels") -> bool:
        """Return whether both documents name their models and have none in common."""
        return bool(self.names) and bool(other.names) and not {*self.names} & {*other.names}


def described_models(document: Document) -> DescribedModels:
    """Collect the models that the request bodies of a document may name."""
    found: dict[str, str] = {}
    for part in _schemas(document):
        values = part.value.get("enum", [part.value["const"]] if "const" in part.value else [])
        for value in values if is_array(values) else ():
            if isinstance(value, str):
                found.setdefault(value, part.pointer)
    return DescribedModels(tuple(found), next(iter(found.values()), ""))


def _schemas(document: Document) -> Iterator[Part]:
    """Yield the schema of the ``model`` property of each request body that has one."""
    for path, item in document.value["paths"].items():
        for method, operation in item.items():
            if not (is_object(operation) and "requestBody" in operation):
                continue
            top = Part({}, "/paths").child(path, method, "requestBody")
            body = document.follow(operation["requestBody"], top)
            content: Any = body.value.get("content")
            for name, media_type in content.items() if is_object(content) else ():
                schema = media_type.get("schema") if is_object(media_type) else None
                part = document.follow(schema, body.child("content", name, "schema"))
                yield from _naming(document, part)


def _naming(document: Document, top: Part) -> Iterator[Part]:
    waiting, seen = [top], {top.pointer}
    while waiting:
        part = waiting.pop(0)
        properties = part.value.get("properties")
        if is_object(properties) and _PROPERTY in properties:
            yield document.follow(properties[_PROPERTY], part.child("properties", _PROPERTY))
        for keyword in ("allOf", "anyOf", "oneOf"):
            branches = part.value.get(keyword)
            for index, branch in enumerate(branches if is_array(branches) else ()):
                below = document.follow(branch, part.child(keyword, index))
                if below.pointer not in seen:
                    seen.add(below.pointer)
                    waiting.append(below)
