"""Comparison of two schemas at every depth."""

from dataclasses import replace
from typing import Any

from bodydouble_spec._diff_keywords import LEAF_KEYWORDS, keyword_differences
from bodydouble_spec._diff_match import Branch, match_branches
from bodydouble_spec._diff_properties import compare_properties
from bodydouble_spec._diff_rules import schema_rule
from bodydouble_spec._diff_side import Document, Interner, Part
from bodydouble_spec._diff_spot import Changes, Location, Verbatim
from bodydouble_spec._diff_types import is_list_of_types
from bodydouble_spec._json import is_array, is_object

__all__ = ["SchemaComparison"]

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
