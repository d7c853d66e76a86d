"""Comparison of two contracts as a client would notice the differences."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec._change import Change
from bodydouble_spec._contract import Contract
from bodydouble_spec._diff_identity import described_models
from bodydouble_spec._diff_operation import compare_operation
from bodydouble_spec._diff_schema import SchemaComparison
from bodydouble_spec._diff_security import compare_schemes, compare_security
from bodydouble_spec._diff_side import Document, Interner, Part
from bodydouble_spec._diff_spot import Changes, Location
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._repair import METHODS

__all__ = ["diff"]

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
