"""Comparison of two contracts as a client would notice the differences."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.diff.changes import Change, Changes, Location
from bodydouble_spec.diff.operations import compare_item, compare_operation
from bodydouble_spec.diff.schemas import SchemaComparison
from bodydouble_spec.diff.security import SecurityComparison
from bodydouble_spec.document import without_collection
from bodydouble_spec.finding import Severity
from bodydouble_spec.meaning import Meaning, Node, Part, digest
from bodydouble_spec.values import join_pointer

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


def described_models(meaning: Meaning) -> DescribedModels:
    """Collect the models that the request bodies of a document may name."""
    found: dict[str, str] = {}
    for node in _naming(meaning):
        for value in node.value.get("enum", ()):
            if isinstance(value, str):
                found.setdefault(value, node.pointer)
    return DescribedModels(tuple(found), next(iter(found.values()), ""))


def _naming(meaning: Meaning) -> Iterator[Node]:
    """Yield the schema of the ``model`` property of each request body that has one."""
    for part in meaning.operations.values():
        body: Part | None = part.value.get("requestBody")
        for media_type in body.value["content"].values() if body is not None else ():
            waiting = [media_type.value["schema"]] if "schema" in media_type.value else []
            seen = set[int]()
            while waiting:
                node: Node = waiting.pop(0)
                if id(node) in seen:
                    continue
                seen.add(id(node))
                if _PROPERTY in node.value.get("properties", {}):
                    yield node.value["properties"][_PROPERTY]
                waiting += [
                    item.node for keyword in ("allOf", "anyOf", "oneOf") for item in node.value.get(keyword, ())
                ]


_DOCUMENT = Location(None, None, "", "the document")
_SERVICE = Location(None, None, "", "the service")


@without_collection()
def diff(old: Contract, new: Contract) -> list[Change]:
    """Compare the published documents of two contracts and list the changes in document order; empty when both mean the same.

    Both documents are compared repaired and without their overlays, by what they mean: prose, examples, order, ``x-``
    keys and spelling do not count, and the list is empty exactly when the fingerprints are equal. Severities are those
    of the rule table, unless a value shows that a change breaks or a proof that it cannot. When the new document
    describes another model, that is the only change and covers all others; a renaming covers the removal and the
    addition. A document that cannot be read is a single change. Raises ContractError when a document is too large to be
    compared.
    """
    problems = _unreadable(old), _unreadable(new)
    if any(problems):
        return _readability_change(*problems)
    meanings = old.meaning, new.meaning
    if meanings[0].fingerprint == meanings[1].fingerprint:
        return []
    changes = Changes(old.repaired.published_pointer, new.repaired.published_pointer)
    _Documents(meanings, SchemaComparison(changes)).compare()
    before, after = map(described_models, meanings)
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


class _Documents:
    """Two documents that are compared."""

    def __init__(self, meanings: tuple[Meaning, Meaning], comparison: SchemaComparison) -> None:
        self._old, self._new = meanings
        self._comparison = comparison
        self._changes = comparison.changes
        self._security = SecurityComparison(self._changes, self._old, self._new)

    def compare(self) -> None:
        common = self._old.operations.keys() & self._new.operations.keys()
        inherits = not common or any(
            not any("servers" in meaning.operations[key].value for meaning in (self._old, self._new)) for key in common
        )
        if inherits:
            self._compare_servers(self._old.servers, self._new.servers, _SERVICE, "/servers")
        self._security.compare_schemes()
        self._security.compare_document()
        self._compare_webhooks()
        self._compare_unread()
        self._compare_operations()
        self._comparison.finish()
        if not self._changes.found:
            # What differs is not of a kind that is compared.
            self._changes.add("not-compared", _DOCUMENT, "", None, None)

    def _compare_servers(
        self, before: list[dict[str, Any]], after: list[dict[str, Any]], location: Location, pointer: str
    ) -> None:
        if digest(before) == digest(after):
            return
        was, is_now = [str(item["url"]) for item in before], [str(item["url"]) for item in after]
        self._changes.add("servers-changed", location, pointer, was, is_now)
        known = {digest(item) for item in after}
        gone = [item["url"] for item in before if digest(item) not in known]
        if not gone or was == [""]:
            self._changes.rate(Severity.INFO)
        elif is_now != [""]:
            self._changes.show(f"a call to {gone[0] or '/'}")

    def _compare_webhooks(self) -> None:
        before, after = self._old.webhooks, self._new.webhooks
        for name in {**before, **after}:
            compare_item(self._comparison, before.get(name), after.get(name), None, "webhook", name)

    def _compare_unread(self) -> None:
        before, after = self._old.unread, self._new.unread
        for name in {**before, **after}:
            was, is_now = before.get(name, Part({}, "")), after.get(name, Part({}, ""))
            for key in {**was.value, **is_now.value}:
                values = was.value.get(key), is_now.value.get(key)
                if (key in was.value) == (key in is_now.value) and digest(values[0]) == digest(values[1]):
                    continue
                is_gone = key not in is_now.value
                shown = was if is_gone else is_now
                location = Location(None, None, "", f"`{key}` of {shown.name}")
                self._changes.add("not-compared", location, join_pointer(shown.pointer, key), *values, is_gone=is_gone)

    def _compare_operations(self) -> None:
        for key, part in self._old.operations.items():
            method, path = key[0].upper(), self._old.paths[key]
            other = self._new.operations.get(key)
            if other is not None:
                self._compare_operation(part, other, f"{method} {self._new.paths[key]}")
                continue
            is_path_gone = not any(template == key[1] for _, template in self._new.operations)
            scope, word = "api-path" if is_path_gone else "api", "with" if "deprecated" in part.value else "without"
            shown = f"{method} {path}"
            location = Location(shown, None, "", shown)
            self._changes.add(f"{scope}-removed-{word}-deprecation", location, part.pointer, shown, None, is_gone=True)
        for key, part in self._new.operations.items():
            if key not in self._old.operations:
                shown = f"{key[0].upper()} {self._new.paths[key]}"
                self._changes.add("endpoint-added", Location(shown, None, "", shown), part.pointer, None, shown)

    def _compare_operation(self, old: Part, new: Part, key: str) -> None:
        if self._old.forms.operation(old) == self._new.forms.operation(new):
            return
        location = Location(key, None, "", key)
        first = len(self._changes.found)
        if "servers" in old.value or "servers" in new.value:
            servers = old.value.get("servers", self._old.servers), new.value.get("servers", self._new.servers)
            self._compare_servers(*servers, location, new.child("servers"))
        self._security.compare_operation(old, new, location)
        compare_operation(self._comparison, old, new, key)
        if len(self._changes.found) == first and not first:
            self._changes.add("not-compared", location, new.pointer, None, None)
