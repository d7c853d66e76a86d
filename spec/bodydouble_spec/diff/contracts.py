"""Comparison of two contracts as a client would notice the differences."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.diff.changes import Change, Changes, Location
from bodydouble_spec.diff.documents import Document, Interner, Part
from bodydouble_spec.diff.operations import compare_operation, compare_schemes, compare_security
from bodydouble_spec.diff.schemas import SchemaComparison
from bodydouble_spec.document import METHODS
from bodydouble_spec.values import is_array, is_object

__all__ = ["diff"]

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


_DOCUMENT = Location(None, None, "", "the document")
_SERVICE = Location(None, None, "", "the service")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def diff(old: Contract, new: Contract) -> list[Change]:
    """Compare the published documents of two contracts and list the changes in document order; empty when both promise the same.

    Both documents are compared repaired and without their overlays. Prose, examples, order and ``x-`` keys do not
    count. The severities are those of the rule table. When the new document describes another model, that is the only
    change and covers all others; a renaming covers the removal and the addition. A document that cannot be read is a
    single change.
    """
    problems = _unreadable(old), _unreadable(new)
    if any(problems):
        return _readability_change(*problems)
    interner = Interner()
    documents = Document(old, interner), Document(new, interner)
    changes = Changes(documents[0].published, documents[1].published)
    _compare_documents(SchemaComparison(*documents, interner, changes))
    before, after = map(described_models, documents)
    if before.is_replaced_by(after):
        covered = tuple(changes.found)
        values = list(before.names), list(after.names)
        replaced = changes.change("model-identity-replaced", _DOCUMENT, after.pointer, *values)
        return [replace(replaced, covers=covered)]
    return changes.found


def _unreadable(contract: Contract) -> str | None:
    """Return the reason why a document could not be read; None when it could."""
    return next((item.message for item in contract.findings if item.id == "document-unreadable"), None)


def _readability_change(old: str | None, new: str | None) -> list[Change]:
    changes = Changes(str, str)
    if new is not None and old is None:
        changes.add("document-became-unreadable", _DOCUMENT, "", None, new)
    if old is not None and new is None:
        changes.add("document-became-readable", _DOCUMENT, "", old, None)
    return changes.found


def _compare_documents(comparison: SchemaComparison) -> None:
    old, new = Part(comparison.old.value, ""), Part(comparison.new.value, "")
    changes = comparison.changes
    before, after = _servers(old), _servers(new)
    if before and after and before != after:
        changes.add("servers-changed", _SERVICE, "/servers", before, after)
    compare_schemes(changes, old, new)
    compare_security(changes, old, new, _SERVICE, "api-global-security")
    _compare_webhooks(comparison, old, new)
    _compare_paths(comparison, old.value["paths"], new.value["paths"])


def _compare_paths(comparison: SchemaComparison, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    counterparts = {_without_names(path): path for path in new}
    changes = comparison.changes
    for path, item in old.items():
        counterpart = path if path in new else counterparts.get(_without_names(path))
        for method, operation in _operations(item):
            part = Part(operation, Part({}, "/paths").child(path, method))
            key = f"{method.upper()} {path}"
            if counterpart is None or method not in new[counterpart]:
                scope = "api" if counterpart is not None else "api-path"
                word = "with" if operation.get("deprecated") is True else "without"
                location = Location(key, None, "", key)
                changes.add(f"{scope}-removed-{word}-deprecation", location, part.pointer, key, None, is_gone=True)
                continue
            names = dict(zip(_TEMPLATE.findall(path), _TEMPLATE.findall(counterpart), strict=True))
            there = Part(new[counterpart][method], Part({}, "/paths").child(counterpart, method))
            compare_operation(comparison, part, there, f"{method.upper()} {counterpart}", names)
    known = {_without_names(path): old[path] for path in old}
    for path, item in new.items():
        for method, _ in _operations(item):
            if method not in known.get(_without_names(path), {}):
                key = f"{method.upper()} {path}"
                pointer = Part({}, "/paths").child(path, method)
                changes.add("endpoint-added", Location(key, None, "", key), pointer, None, key)


def _compare_webhooks(comparison: SchemaComparison, old: Part, new: Part) -> None:
    before, after = (part.value.get("webhooks") for part in (old, new))
    known, kept = (list(item) if is_object(item) else [] for item in (before, after))
    for name in known:
        if name not in kept:
            location = Location(None, None, "", f"`{name}`")
            comparison.changes.add("webhook-removed", location, old.child("webhooks", name), name, None, is_gone=True)
    for name in kept:
        if name not in known:
            location = Location(None, None, "", f"`{name}`")
            comparison.changes.add("webhook-added", location, new.child("webhooks", name), None, name)


def _operations(item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in METHODS:
        if method in item:
            yield method, item[method]


def _servers(part: Part) -> list[str]:
    servers = part.value.get("servers")
    return [str(item["url"]) for item in servers if is_object(item) and "url" in item] if is_array(servers) else []


def _without_names(path: str) -> str:
    """Return a path without the names of its parameters."""
    return _TEMPLATE.sub("{}", path)
