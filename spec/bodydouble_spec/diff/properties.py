"""Comparison of the properties of two objects: which came, went, were renamed, or are required."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec.diff.changes import Change, Changes, Location
from bodydouble_spec.diff.rating import Place
from bodydouble_spec.diff.renames import Candidate, find_renames
from bodydouble_spec.diff.rules import RULES, schema_rule
from bodydouble_spec.meaning import Node
from bodydouble_spec.values import is_object

__all__ = ["READ_WRITE", "PropertyComparison", "properties_of"]

READ_WRITE = {"readOnly": "read-only", "writeOnly": "write-only"}
"""The keywords of a property that messages of one direction do not have, and their names in rules."""


class PropertyComparison:
    """Compares properties.

    ``number`` gives a node's number without its default; ``is_due`` says whether a pair below is still to be compared,
    and ``compare`` compares it.
    """

    def __init__(
        self,
        changes: Changes,
        number: Callable[[Node], str],
        is_due: Callable[[Node, Node], bool],
        compare: Callable[[Place, Location], None],
    ) -> None:
        self._changes = changes
        self._number = number
        self._is_due = is_due
        self._compare_at = compare

    def compare(self, place: Place, location: Location, moved: set[str]) -> None:
        """Add the changes between the properties of two objects; ``moved`` are those that moved into alternatives."""
        old, new = place.old, place.new
        before, after = properties_of(old), properties_of(new)
        required = _required(old), _required(new)
        for name, node in before.items():
            if name not in after:
                continue
            # Most properties are equal or were met before, and a large document has millions of pairs.
            is_due = self._is_due(node, after[name])
            if (name in required[0]) != (name in required[1]) or _has_other_flags(node.value, after[name].value):
                self._compare_property(old, new, name, location)
            if is_due:
                self._compare_at(place.below(node, after[name], "properties", name), location.below(name))
        removed = self._candidates(old, before.keys() - after.keys() - moved)
        added = self._candidates(new, after.keys() - before.keys())
        for was, is_now in find_renames(removed, added):
            removed.remove(was)
            added.remove(is_now)
            self._note_renamed(old, new, was, is_now, location)
            step = place.below(before[was.name], after[is_now.name], "properties", is_now.name)
            self._compare_at(step, location.below(is_now.name))
        self._note_existences(old, removed, location, is_gone=True)
        self._note_existences(new, added, location, is_gone=False)
        self._compare_undeclared(old, new, location)

    def _compare_property(self, old: Node, new: Node, name: str, location: Location) -> None:
        was, is_now = properties_of(old)[name], properties_of(new)[name]
        below = location.below(name)
        was_required, is_required = name in _required(old), name in _required(new)
        schema = is_now.value
        hidden = "readOnly" if location.is_request else "writeOnly"
        is_hidden = was.value.get(hidden) is True and schema.get(hidden) is True
        if was_required != is_required and not is_hidden:
            word = "became-required" if is_required else "became-optional"
            if below.scope == "request-property" and is_required and "default" in schema:
                word = "became-required-with-default"
            rule = schema_rule(below.scope, word)
            self._changes.add(rule, below, new.child("properties", name), was_required, is_required)
        if below.scope in ("request-property", "response-property"):
            for keyword, words in READ_WRITE.items():
                if was.value.get(keyword) != schema.get(keyword):
                    kind = "required" if is_required else "optional"
                    became = words if schema.get(keyword) else f"not-{words}"
                    flag_rule = f"{location.direction}-{kind}-property-became-{became}"
                    values = bool(was.value.get(keyword)), bool(schema.get(keyword))
                    self._changes.add(flag_rule, below, is_now.child(keyword), *values)

    def _note_renamed(self, old: Node, new: Node, was: Candidate, is_now: Candidate, location: Location) -> None:
        covered = (
            self._existence(old, was, location, is_gone=True),
            self._existence(new, is_now, location, is_gone=False),
        )
        rule = "request-property-renamed" if location.is_request else "response-property-renamed"
        place = new.child("properties", is_now.name)
        renamed = self._changes.change(rule, location.below(was.name), place, was.name, is_now.name)
        self._changes.append(replace(renamed, covers=covered))

    def _note_existences(
        self, part: Node, candidates: Iterable[Candidate], location: Location, *, is_gone: bool
    ) -> None:
        scope, properties = location.nested_scope, properties_of(part)

        def rule_of(candidate: Candidate) -> str:
            node = properties[candidate.name]
            return _existence_rule(scope, node, is_required=candidate.is_required, is_gone=is_gone)

        for candidate in self._changes.worth_listing(candidates, rule_of):
            self._changes.append(self._existence(part, candidate, location, is_gone=is_gone))

    def _existence(self, part: Node, candidate: Candidate, location: Location, *, is_gone: bool) -> Change:
        """Return the change that removes or adds a property."""
        below = location.below(candidate.name)
        node = properties_of(part)[candidate.name]
        name = _existence_rule(below.scope, node, is_required=candidate.is_required, is_gone=is_gone)
        rule = RULES[name] if name in RULES else schema_rule(below.scope, "keyword-changed")
        values = (node, None) if is_gone else (None, node)
        return self._changes.change(rule, below, part.child("properties", candidate.name), *values, is_gone=is_gone)

    def _compare_undeclared(self, old: Node, new: Node, location: Location) -> None:
        """Add a change for names that are required but not declared in either version."""
        declared = properties_of(old).keys() | properties_of(new).keys()
        was, is_now = (sorted(_required(node) - declared) for node in (old, new))
        if was != is_now:
            is_gone = "declared" not in new.value
            place = (old if is_gone else new).child("required")
            rule = schema_rule(location.scope, "keyword-changed")
            self._changes.add(rule, location, place, was, is_now, is_gone=is_gone)

    def _candidates(self, node: Node, names: set[str]) -> list[Candidate]:
        """Return the properties with these names, in document order."""
        if not names:
            return []  # as for most of the millions of pairs that a large document has
        own, required = properties_of(node), _required(node)
        around = ["", *own, ""]
        return [
            self._candidate(own[name], name, name in required, (around[index], around[index + 2]))
            for index, name in enumerate(own)
            if name in names
        ]

    def _candidate(self, own: Node, name: str, is_required: bool, position: tuple[str, str]) -> Candidate:
        published: Any = own.roots[0].schema if own.roots else {}
        return Candidate(name, published if is_object(published) else {}, self._number(own), is_required, position)


def _existence_rule(scope: str, node: Node, *, is_required: bool, is_gone: bool) -> str:
    kind = "required" if is_required else "optional"
    if scope == "request-property":
        is_hidden = node.value.get("readOnly") is True
        if is_gone:
            return "request-read-only-property-removed" if is_hidden else "request-property-removed"
        if is_hidden:
            return "new-read-only-request-property"
        has_default = is_required and "default" in node.value
        return f"new-{kind}-request-property{'-with-default' if has_default else ''}"
    if scope == "response-property":
        hidden = "write-only-" if node.value.get("writeOnly") is True else ""
        return f"response-{kind}-{hidden}property-{'removed' if is_gone else 'added'}"
    return ""


def properties_of(node: Node) -> Mapping[str, Node]:
    """Return the properties of an object by name."""
    found: dict[str, Node] = node.value.get("properties", {})
    return found


def _has_other_flags(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return old.get("readOnly") != new.get("readOnly") or old.get("writeOnly") != new.get("writeOnly")


def _required(node: Node) -> set[str]:
    return {*node.value.get("declared", ())}
