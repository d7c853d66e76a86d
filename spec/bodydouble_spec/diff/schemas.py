"""Comparison of two schemas at every depth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec.diff.changes import Change, Changes, Location, Verbatim
from bodydouble_spec.diff.constraints import LEAF_KEYWORDS, is_list_of_types, keyword_differences
from bodydouble_spec.diff.documents import Document, Interner, Part
from bodydouble_spec.diff.renames import Candidate, find_renames
from bodydouble_spec.diff.rules import RULES, schema_rule
from bodydouble_spec.values import is_array, is_object, join_pointer

__all__ = ["SchemaComparison"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative: its index, the value in the list, the schema it refers to, and its number (equal for equal contents)."""

    index: int
    value: Any
    part: Part
    number: int

    @property
    def reference(self) -> str | None:
        """The reference in the list; None when the schema is written out."""
        return self.value.get("$ref") if is_object(self.value) else None

    @property
    def label(self) -> str:
        """The label for messages: the title, the component's name, or the kind of value."""
        title = self.part.value.get("title")
        if isinstance(title, str) and title.strip():
            return title
        if self.reference is not None:
            return self.reference.rsplit("/", 1)[-1]
        return f"{_kind(self.part.value)} (alternative {self.index + 1})"


@dataclass(frozen=True, slots=True)
class BranchMatches:
    """The pairs of an alternative before and after, and the alternatives that only one document has."""

    changed: tuple[tuple[Branch, Branch], ...]
    removed: tuple[Branch, ...]
    added: tuple[Branch, ...]


def match_branches(old: Sequence[Branch], new: Sequence[Branch]) -> BranchMatches:
    """Match alternatives: equal contents in any order, then equal references, equal titles, and at last a single pair left over.

    That last pair is matched only when neither has a name.
    """
    removed, added = _without_equal(old, new)
    changed: list[tuple[Branch, Branch]] = []
    for name_of in (_reference, _title):
        _pair(removed, added, name_of, changed)
    if len(removed) == len(added) == 1 and _is_unnamed(removed[0]) and _is_unnamed(added[0]):
        changed.append((removed.pop(), added.pop()))
    return BranchMatches(tuple(changed), tuple(removed), tuple(added))


def _without_equal(old: Sequence[Branch], new: Sequence[Branch]) -> tuple[list[Branch], list[Branch]]:
    added = list(new)
    removed: list[Branch] = []
    for branch in old:
        counterpart = next((item for item in added if item.number == branch.number), None)
        if counterpart is None:
            removed.append(branch)
        else:
            added.remove(counterpart)
    return removed, added


def _pair(
    removed: list[Branch],
    added: list[Branch],
    name_of: Callable[[Branch], str | None],
    changed: list[tuple[Branch, Branch]],
) -> None:
    for branch in list(removed):
        name = name_of(branch)
        counterpart = next((item for item in added if name is not None and name_of(item) == name), None)
        if counterpart is not None:
            changed.append((branch, counterpart))
            removed.remove(branch)
            added.remove(counterpart)


def _reference(branch: Branch) -> str | None:
    return branch.reference


def _title(branch: Branch) -> str | None:
    title = branch.part.value.get("title")
    return title if isinstance(title, str) and title else None


def _is_unnamed(branch: Branch) -> bool:
    return branch.reference is None and _title(branch) is None


def _kind(schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties")
    if is_object(properties) and properties:
        return f"object with {', '.join(list(properties)[:4])}"
    values = schema.get("enum")
    if is_array(values):
        return " or ".join(map(str, values[:3]))
    types = schema.get("type", "schema")
    return " or ".join(map(str, types)) if is_array(types) else str(types)


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


_COMPOSED = {"oneOf": "one-of", "anyOf": "any-of", "allOf": "all-of", "prefixItems": "prefix-items"}
_SINGLE = {
    "contains": "contains", "contentSchema": "content-schema", "else": "else", "if": "if", "propertyNames": "property-names",
    "then": "then", "unevaluatedItems": "unevaluated-items", "unevaluatedProperties": "unevaluated-properties",
}  # fmt: skip
_NAMED = {"dependentSchemas": "dependent-schema", "patternProperties": "pattern-property"}
_HANDLED = {
    *LEAF_KEYWORDS, *_COMPOSED, *_SINGLE, *_NAMED, "additionalProperties", "items", "not", "properties", "readOnly",
    "required", "writeOnly", "$defs", "definitions",
}  # fmt: skip
_MAX_DEPTH = 120
# A pair of components is compared at every place that uses it. Beyond this number it must be an expansion attack.
_MAX_COMPARISONS = 2_000
_TYPE_SUFFIXES = ("type-", "list-of-types-")


class SchemaComparison:
    """Compares schemas of two documents and collects the changes."""

    def __init__(self, old: Document, new: Document, interner: Interner, changes: Changes) -> None:
        self.old = old
        self.new = new
        self.changes = changes
        self._interner = interner
        self._path: list[tuple[str, str]] = []
        self._seen: set[tuple[str, str, str | None]] = set()
        self._comparisons = 0

    def are_equal(self, old: Any, new: Any, key: str = "") -> bool:
        """Return whether two values under the key ``key`` promise the same."""
        return self.old.number(old, key) == self.new.number(new, key)

    def compare(self, old: Any, old_pointer: str, new: Any, new_pointer: str, location: Location) -> None:
        """Add the changes between two schemas (or references to schemas), each at its pointer."""
        if self.are_equal(old, new):
            return
        before, after = self.old.follow(old, old_pointer), self.new.follow(new, new_pointer)
        pair = before.pointer, after.pointer
        place = *pair, location.direction
        self._comparisons += 1
        is_known = self._comparisons > _MAX_COMPARISONS and place in self._seen
        if pair in self._path or len(self._path) > _MAX_DEPTH or is_known:
            return
        self._seen.add(place)
        self._path.append(pair)
        self._compare(before, after, location)
        self._path.pop()

    def _compare(self, old: Part, new: Part, location: Location) -> None:
        location = _one_way_location(location, new)
        is_list = is_list_of_types(old.value, new.value)
        has_new_type = False
        found = keyword_differences(
            old.value, new.value, self._interner, is_request=location.is_request, is_strict=location.is_strict
        )
        for item in found:
            is_type = item.suffix.startswith(_TYPE_SUFFIXES)
            has_new_type |= is_type
            values = (Verbatim(item.old), Verbatim(item.new)) if is_type else (item.old, item.new)
            place = (old if item.is_gone else new).child(*item.path)
            self._note(item.suffix, location, place, *values, is_gone=item.is_gone)
        is_wrapped = self._note_wrapping(old, new, location)
        for keyword, name in _COMPOSED.items():
            self._compare_alternatives(
                old, new, location, keyword, name, is_covered_by_type=is_list and keyword in ("oneOf", "anyOf")
            )
        compare_properties(
            self, old, new, location, moved=_alternatives_properties(self.new, new) if is_wrapped else set()
        )
        self._compare_additional(old, new, location)
        # Items that appear or disappear with the type are not a separate change.
        if not has_new_type or ("items" in old.value and "items" in new.value):
            self._compare_below(old, new, "items", location.below("[]"))
        if not self.are_equal(old.value.get("not"), new.value.get("not"), "not"):
            self._note("not-changed", location, new.child("not"), old.value.get("not"), new.value.get("not"))
        self._compare_single(old, new, location)
        self._compare_named(old, new, location)
        self._compare_rest(old, new, location)

    def _note(
        self, suffix: str, location: Location, pointer: str, old: Any, new: Any, *, is_gone: bool = False
    ) -> None:
        self.changes.add(schema_rule(location.scope, suffix), location, pointer, old, new, is_gone=is_gone)

    def _compare_below(self, old: Part, new: Part, keyword: str, location: Location) -> None:
        before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
        self.compare(before, old.child(keyword), after, new.child(keyword), location)

    def _note_wrapping(self, old: Part, new: Part, location: Location) -> bool:
        """Return whether a body that was one object is now one of several with its properties."""
        is_body = location.scope in ("request-body", "response-body")
        was_object = bool(old.value.get("properties")) and not old.value.get("oneOf")
        is_bare = bool(new.value.get("oneOf")) and not new.value.get("properties") and not new.value.get("type")
        if not (is_body and was_object and is_bare):
            return False
        if not old.value["properties"].keys() & _alternatives_properties(self.new, new):
            return False
        self._note("wrapped-in-one-of", location, new.child("oneOf"), None, None)
        return True

    def _compare_alternatives(
        self, old: Part, new: Part, location: Location, keyword: str, name: str, *, is_covered_by_type: bool
    ) -> None:
        before = _branches(self.old, old, keyword)
        after = _branches(self.new, new, keyword)
        matches = match_branches(before, after)
        for was, is_now in matches.changed:
            here, there = old.child(keyword, was.index), new.child(keyword, is_now.index)
            self.compare(was.value, here, is_now.value, there, location.below(f" ({keyword} {is_now.index + 1})"))
        if matches.added and not is_covered_by_type:
            labels = [branch.label for branch in matches.added]
            self._note(f"{name}-added", location, new.child(keyword), None, labels)
        if matches.removed and not is_covered_by_type:
            labels = [branch.label for branch in matches.removed]
            self._note(f"{name}-removed", location, old.child(keyword), labels, None, is_gone=True)

    def _compare_additional(self, old: Part, new: Part, location: Location) -> None:
        keyword = "additionalProperties"
        before, after = old.value.get(keyword, True), new.value.get(keyword, True)
        kinds = _additional_kind(before), _additional_kind(after)
        if kinds == ("schema", "schema"):
            self._compare_below(old, new, keyword, location.below("*"))
        elif kinds[0] != kinds[1]:
            words = {"closed": "forbidden", "schema": "restricted", "open": "allowed"}
            word = "allowed" if kinds[0] == "closed" else words[kinds[1]]
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            values = old.value.get(keyword), new.value.get(keyword)
            self._note(f"additional-properties-{word}", location, place, *values, is_gone=is_gone)

    def _compare_single(self, old: Part, new: Part, location: Location) -> None:
        for keyword, name in _SINGLE.items():
            if keyword in old.value and keyword in new.value:
                self._compare_below(old, new, keyword, location.below(f" ({keyword})"))
            elif keyword in old.value or keyword in new.value:
                word, part = ("removed", old) if keyword in old.value else ("added", new)
                values = old.value.get(keyword), new.value.get(keyword)
                self._note(f"{name}-{word}", location, part.child(keyword), *values, is_gone=word == "removed")

    def _compare_named(self, old: Part, new: Part, location: Location) -> None:
        for keyword, rule in _NAMED.items():
            before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
            for name in {**before, **after}:
                here, there = old.child(keyword, name), new.child(keyword, name)
                if name in before and name in after:
                    self.compare(before[name], here, after[name], there, location.below(f" ({keyword} {name})"))
                elif name in before:
                    self._note(f"{rule}-removed", location, here, name, None, is_gone=True)
                else:
                    self._note(f"{rule}-added", location, there, None, name)

    def _compare_rest(self, old: Part, new: Part, location: Location) -> None:
        """Add a general change for each keyword that no rule covers, so that no difference is lost."""
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            pair = {keyword: before} if keyword in old.value else {}, {keyword: after} if keyword in new.value else {}
            if keyword in _HANDLED or self.are_equal(*pair):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            self._note("keyword-changed", location, place, before, after, is_gone=is_gone)


def _one_way_location(location: Location, new: Part) -> Location:
    """Return the location of a read-only or write-only property, where no change can break a client."""
    if location.scope == "request-property" and new.value.get("readOnly") is True:
        return replace(location, scope="request-read-only-property")
    if location.scope == "response-property" and new.value.get("writeOnly") is True:
        return replace(location, scope="response-write-only-property")
    return location


def _branches(document: Document, part: Part, keyword: str) -> list[Branch]:
    values = part.value.get(keyword)
    return [
        Branch(index, value, document.follow(value, part.child(keyword, index)), document.number(value))
        for index, value in enumerate(values if is_array(values) else ())
    ]


def _alternatives_properties(document: Document, part: Part) -> set[str]:
    """Collect the property names of the alternatives of a schema."""
    names: set[str] = set()
    for branch in _branches(document, part, "oneOf"):
        properties = branch.part.value.get("properties")
        names |= properties.keys() if is_object(properties) else set()
    return names


def _additional_kind(value: Any) -> str:
    if value is False or (is_object(value) and value == {"not": {}}):
        return "closed"
    return "schema" if is_object(value) and value else "open"
