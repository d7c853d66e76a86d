"""Comparison of the properties of an object: removed, added, renamed, required, read-only or write-only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodydouble_spec._change import Change
from bodydouble_spec._diff_rename import Candidate, find_renames
from bodydouble_spec._diff_rules import RULES, schema_rule
from bodydouble_spec._diff_side import Document, Part
from bodydouble_spec._diff_spot import Location
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer

if TYPE_CHECKING:
    from bodydouble_spec._diff_schema import SchemaComparison

__all__ = ["compare_properties"]


_READ_WRITE = {"readOnly": "read-only", "writeOnly": "write-only"}


def compare_properties(
    comparison: "SchemaComparison", old: Part, new: Part, location: Location, *, moved: set[str]
) -> None:
    """Add the changes between the properties of two objects; ``moved`` are those that moved into alternatives."""
    before, after = _properties(old), _properties(new)
    for name in before:
        if name in after:
            _compare_property(comparison, old, new, name, location)
    removed = [_candidate(comparison.old, old, name) for name in before if name not in after and name not in moved]
    added = [_candidate(comparison.new, new, name) for name in after if name not in before]
    for was, is_now in find_renames(removed, added):
        removed.remove(was)
        added.remove(is_now)
        _note_renamed(comparison, old, new, was, is_now, location)
    for candidate in removed:
        comparison.changes.found.append(_existence(comparison, old, candidate, location, is_gone=True))
    for candidate in added:
        comparison.changes.found.append(_existence(comparison, new, candidate, location, is_gone=False))
    _compare_undeclared(comparison, old, new, location)


def _compare_property(comparison: "SchemaComparison", old: Part, new: Part, name: str, location: Location) -> None:
    here, there = old.child("properties", name), new.child("properties", name)
    was, is_now = _properties(old)[name], _properties(new)[name]
    below = location.below(name)
    was_required, is_required = name in _required(old), name in _required(new)
    schema = comparison.new.follow(is_now, there).value
    if was_required != is_required:
        is_hidden = schema.get("writeOnly") is True and not location.is_request
        scope = "response-write-only-property" if is_hidden else below.scope
        word = "became-required" if is_required else "became-optional"
        if scope == "request-property" and is_required and "default" in schema:
            word = "became-required-with-default"
        comparison.changes.add(schema_rule(scope, word), below, there, was_required, is_required)
    if below.scope in ("request-property", "response-property"):
        earlier = comparison.old.follow(was, here).value
        for keyword, words in _READ_WRITE.items():
            if bool(earlier.get(keyword)) != bool(schema.get(keyword)):
                kind = "required" if is_required else "optional"
                became = words if schema.get(keyword) else f"not-{words}"
                rule = f"{location.direction}-{kind}-property-became-{became}"
                values = bool(earlier.get(keyword)), bool(schema.get(keyword))
                comparison.changes.add(rule, below, join_pointer(there, keyword), *values)
    comparison.compare(was, here, is_now, there, below)


def _note_renamed(
    comparison: "SchemaComparison", old: Part, new: Part, was: Candidate, is_now: Candidate, location: Location
) -> None:
    covered = (
        _existence(comparison, old, was, location, is_gone=True),
        _existence(comparison, new, is_now, location, is_gone=False),
    )
    rule = "request-property-renamed" if location.is_request else "response-property-renamed"
    place = new.child("properties", is_now.name)
    changes = comparison.changes
    renamed = changes.change(rule, location.below(was.name), place, was.name, is_now.name)
    changes.found.append(replace(renamed, covers=covered))
    pair = _properties(old)[was.name], _properties(new)[is_now.name]
    comparison.compare(pair[0], old.child("properties", was.name), pair[1], place, location.below(is_now.name))


def _existence(
    comparison: "SchemaComparison", part: Part, candidate: Candidate, location: Location, *, is_gone: bool
) -> Change:
    """Return the change that removes or adds a property."""
    below = location.below(candidate.name)
    name = _existence_rule(below, candidate, is_gone=is_gone)
    rule = RULES[name] if name in RULES else schema_rule(below.scope, "keyword-changed")
    schema = _properties(part)[candidate.name]
    values = (schema, None) if is_gone else (None, schema)
    return comparison.changes.change(rule, below, part.child("properties", candidate.name), *values, is_gone=is_gone)


def _existence_rule(location: Location, candidate: Candidate, *, is_gone: bool) -> str:
    kind = "required" if candidate.is_required else "optional"
    if location.scope == "request-property":
        is_hidden = candidate.schema.get("readOnly") is True
        if is_gone:
            return "request-read-only-property-removed" if is_hidden else "request-property-removed"
        if is_hidden:
            return "new-read-only-request-property"
        has_default = candidate.is_required and "default" in candidate.schema
        return f"new-{kind}-request-property{'-with-default' if has_default else ''}"
    if location.scope == "response-property":
        hidden = "write-only-" if candidate.schema.get("writeOnly") is True else ""
        return f"response-{kind}-{hidden}property-{'removed' if is_gone else 'added'}"
    return ""


def _compare_undeclared(comparison: "SchemaComparison", old: Part, new: Part, location: Location) -> None:
    """Add a change for names that are required but not declared in either version."""
    declared = _properties(old).keys() | _properties(new).keys()
    was, is_now = (sorted(_required(part) - declared) for part in (old, new))
    if was != is_now:
        is_gone = "required" not in new.value
        place = (old if is_gone else new).child("required")
        comparison.changes.add(
            schema_rule(location.scope, "keyword-changed"), location, place, was, is_now, is_gone=is_gone
        )


def _properties(part: Part) -> Mapping[str, Any]:
    properties = part.value.get("properties")
    return properties if is_object(properties) else {}


def _required(part: Part) -> set[str]:
    names = part.value.get("required")
    return {name for name in names if isinstance(name, str)} if is_array(names) else set()


def _candidate(document: Document, part: Part, name: str) -> Candidate:
    names = ["", *_properties(part), ""]
    index = names.index(name, 1)
    schema = document.follow(_properties(part)[name], part.child("properties", name)).value
    return Candidate(
        name,
        schema,
        document.number({key: value for key, value in schema.items() if key != "default"}),
        name in _required(part),
        (names[index - 1], names[index + 1]),
    )
