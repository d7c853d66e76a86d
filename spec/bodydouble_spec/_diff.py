"""What became different between two contracts, as a client would notice it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bodydouble_spec._change import Change
from bodydouble_spec._contract import Contract
from bodydouble_spec._diff_identity import read_identity
from bodydouble_spec._diff_operation import compare_operation
from bodydouble_spec._diff_schema import SchemaComparison
from bodydouble_spec._diff_security import compare_schemes, compare_security
from bodydouble_spec._diff_side import Interner, Node, Side
from bodydouble_spec._diff_spot import Changes, Spot
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._repair import METHODS

__all__ = ["diff"]

_DOCUMENT = Spot(None, None, "", "the document")
_SERVICE = Spot(None, None, "", "the service")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def diff(old: Contract, new: Contract) -> list[Change]:
    """What became different between what was published of two contracts, in the order of the documents; empty when they promise the same.

    Both are compared repaired and without overlay. Prose, examples, order and ``x-`` keys give nothing. Severities are those of the table
    of rules. When the document now describes another model, that is the one change, and it covers all others; a renaming covers the removal
    and the addition. A document that cannot be read gives one change that says so.
    """
    problems = _unreadable(old), _unreadable(new)
    if any(problems):
        return _readability(*problems)
    interner = Interner()
    sides = Side(old, interner), Side(new, interner)
    changes = Changes(sides[0].published, sides[1].published)
    _compare_documents(SchemaComparison(*sides, interner, changes))
    before, after = map(read_identity, sides)
    if before.is_replaced_by(after):
        covered = tuple(changes.found)
        values = list(before.names), list(after.names)
        return [changes.change("model-identity-replaced", _DOCUMENT, after.pointer, *values, covers=covered)]
    return changes.found


def _unreadable(contract: Contract) -> str | None:
    """Why a document could not be read; None when it could."""
    return next((item.message for item in contract.findings if item.id == "document-unreadable"), None)


def _readability(old: str | None, new: str | None) -> list[Change]:
    changes = Changes(str, str)
    if new is not None and old is None:
        changes.add("document-became-unreadable", _DOCUMENT, "", None, new)
    if old is not None and new is None:
        changes.add("document-became-readable", _DOCUMENT, "", old, None)
    return changes.found


def _compare_documents(comparison: SchemaComparison) -> None:
    old, new = Node(comparison.old.document, ""), Node(comparison.new.document, "")
    changes = comparison.changes
    before, after = _servers(old), _servers(new)
    if before and after and before != after:
        changes.add("servers-changed", _SERVICE, "/servers", before, after)
    compare_schemes(changes, old, new)
    compare_security(changes, old, new, _SERVICE, "api-global-security")
    _compare_webhooks(comparison, old, new)
    _compare_paths(comparison, old.value["paths"], new.value["paths"])


def _compare_paths(comparison: SchemaComparison, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    twins = {_shape(path): path for path in new}
    changes = comparison.changes
    for path, item in old.items():
        twin = path if path in new else twins.get(_shape(path))
        for method, operation in _operations(item):
            node = Node(operation, Node({}, "/paths").child(path, method))
            key = f"{method.upper()} {path}"
            if twin is None or method not in new[twin]:
                scope = "api" if twin is not None else "api-path"
                word = "with" if operation.get("deprecated") is True else "without"
                spot = Spot(key, None, "", key)
                changes.add(f"{scope}-removed-{word}-deprecation", spot, node.pointer, key, None, is_gone=True)
                continue
            names = dict(zip(_TEMPLATE.findall(path), _TEMPLATE.findall(twin), strict=True))
            there = Node(new[twin][method], Node({}, "/paths").child(twin, method))
            compare_operation(comparison, node, there, f"{method.upper()} {twin}", names)
    known = {_shape(path): old[path] for path in old}
    for path, item in new.items():
        for method, _ in _operations(item):
            if method not in known.get(_shape(path), {}):
                key = f"{method.upper()} {path}"
                pointer = Node({}, "/paths").child(path, method)
                changes.add("endpoint-added", Spot(key, None, "", key), pointer, None, key)


def _compare_webhooks(comparison: SchemaComparison, old: Node, new: Node) -> None:
    before, after = (node.value.get("webhooks") for node in (old, new))
    known, kept = (list(item) if is_object(item) else [] for item in (before, after))
    for name in known:
        if name not in kept:
            spot = Spot(None, None, "", f"`{name}`")
            comparison.changes.add("webhook-removed", spot, old.child("webhooks", name), name, None, is_gone=True)
    for name in kept:
        if name not in known:
            spot = Spot(None, None, "", f"`{name}`")
            comparison.changes.add("webhook-added", spot, new.child("webhooks", name), None, name)


def _operations(item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in METHODS:
        if method in item:
            yield method, item[method]


def _servers(node: Node) -> list[str]:
    servers = node.value.get("servers")
    return [str(item["url"]) for item in servers if is_object(item) and "url" in item] if is_array(servers) else []


def _shape(path: str) -> str:
    """A path without the names of its parameters."""
    return _TEMPLATE.sub("{}", path)
