"""What became different between two schemas, at every depth."""

from typing import Any

from bodydouble_spec._diff_keywords import LEAF_KEYWORDS, keyword_differences
from bodydouble_spec._diff_match import Branch, match_branches
from bodydouble_spec._diff_properties import compare_properties
from bodydouble_spec._diff_rules import schema_rule
from bodydouble_spec._diff_side import Interner, Node, Side
from bodydouble_spec._diff_spot import Changes, Spot, Words
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
# A pair of components is compared at every place that uses it, until there are so many that it must be an expansion attack.
_MAX_COMPARISONS = 2_000
_PLAIN_WORDS = ("type-", "list-of-types-")


class SchemaComparison:
    """Compares schemas of two documents and notes what became different."""

    def __init__(self, old: Side, new: Side, interner: Interner, changes: Changes) -> None:
        self.old = old
        self.new = new
        self.changes = changes
        self._interner = interner
        self._open: list[tuple[str, str]] = []
        self._met: set[tuple[str, str, str | None]] = set()
        self._comparisons = 0

    def are_equal(self, old: Any, new: Any, key: str = "") -> bool:
        """Whether two values that stand under ``key`` promise the same."""
        return self.old.number(old, key) == self.new.number(new, key)

    def compare(self, old: Any, old_pointer: str, new: Any, new_pointer: str, spot: Spot) -> None:
        """Note what became different between two schemas (or references to some), each at its pointer."""
        if self.are_equal(old, new):
            return
        before, after = self.old.follow(old, old_pointer), self.new.follow(new, new_pointer)
        pair = before.pointer, after.pointer
        place = *pair, spot.direction
        self._comparisons += 1
        is_known = self._comparisons > _MAX_COMPARISONS and place in self._met
        if pair in self._open or len(self._open) > _MAX_DEPTH or is_known:
            return
        self._met.add(place)
        self._open.append(pair)
        self._compare(before, after, spot)
        self._open.pop()

    def _compare(self, old: Node, new: Node, spot: Spot) -> None:
        spot = _seen_by_one_side(spot, new)
        is_list = is_list_of_types(old.value, new.value)
        has_new_type = False
        found = keyword_differences(
            old.value, new.value, self._interner, is_request=spot.is_request, is_strict=spot.is_strict
        )
        for item in found:
            is_type = item.suffix.startswith(_PLAIN_WORDS)
            has_new_type |= is_type
            values = (Words(item.old), Words(item.new)) if is_type else (item.old, item.new)
            place = (old if item.is_gone else new).child(*item.path)
            self._note(item.suffix, spot, place, *values, is_gone=item.is_gone)
        is_wrapped = self._note_wrapping(old, new, spot)
        for keyword, name in _COMPOSED.items():
            self._compare_alternatives(
                old, new, spot, keyword, name, is_silent=is_list and keyword in ("oneOf", "anyOf")
            )
        compare_properties(self, old, new, spot, moved=_alternatives_properties(self.new, new) if is_wrapped else set())
        self._compare_additional(old, new, spot)
        # Items that come or go with the type are no change of their own.
        if not has_new_type or ("items" in old.value and "items" in new.value):
            self._compare_below(old, new, "items", spot.below("[]"))
        if not self.are_equal(old.value.get("not"), new.value.get("not"), "not"):
            self._note("not-changed", spot, new.child("not"), old.value.get("not"), new.value.get("not"))
        self._compare_single(old, new, spot)
        self._compare_named(old, new, spot)
        self._compare_rest(old, new, spot)

    def _note(self, suffix: str, spot: Spot, pointer: str, old: Any, new: Any, *, is_gone: bool = False) -> None:
        self.changes.add(schema_rule(spot.scope, suffix), spot, pointer, old, new, is_gone=is_gone)

    def _compare_below(self, old: Node, new: Node, keyword: str, spot: Spot) -> None:
        before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
        self.compare(before, old.child(keyword), after, new.child(keyword), spot)

    def _note_wrapping(self, old: Node, new: Node, spot: Spot) -> bool:
        """Whether a body that was one object is now one of several that have its properties."""
        is_body = spot.scope in ("request-body", "response-body")
        was_object = bool(old.value.get("properties")) and not old.value.get("oneOf")
        is_bare = bool(new.value.get("oneOf")) and not new.value.get("properties") and not new.value.get("type")
        if not (is_body and was_object and is_bare):
            return False
        if not old.value["properties"].keys() & _alternatives_properties(self.new, new):
            return False
        self._note("wrapped-in-one-of", spot, new.child("oneOf"), None, None)
        return True

    def _compare_alternatives(
        self, old: Node, new: Node, spot: Spot, keyword: str, name: str, *, is_silent: bool
    ) -> None:
        before = _branches(self.old, old, keyword)
        after = _branches(self.new, new, keyword)
        matched = match_branches(before, after)
        for was, is_now in matched.changed:
            here, there = old.child(keyword, was.index), new.child(keyword, is_now.index)
            self.compare(was.value, here, is_now.value, there, spot.below(f" ({keyword} {is_now.index + 1})"))
        if matched.added and not is_silent:
            labels = [branch.label for branch in matched.added]
            self._note(f"{name}-added", spot, new.child(keyword), None, labels)
        if matched.removed and not is_silent:
            labels = [branch.label for branch in matched.removed]
            self._note(f"{name}-removed", spot, old.child(keyword), labels, None, is_gone=True)

    def _compare_additional(self, old: Node, new: Node, spot: Spot) -> None:
        keyword = "additionalProperties"
        before, after = old.value.get(keyword, True), new.value.get(keyword, True)
        kinds = _openness(before), _openness(after)
        if kinds == ("schema", "schema"):
            self._compare_below(old, new, keyword, spot.below("*"))
        elif kinds[0] != kinds[1]:
            words = {"closed": "forbidden", "schema": "restricted", "open": "allowed"}
            word = "allowed" if kinds[0] == "closed" else words[kinds[1]]
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            values = old.value.get(keyword), new.value.get(keyword)
            self._note(f"additional-properties-{word}", spot, place, *values, is_gone=is_gone)

    def _compare_single(self, old: Node, new: Node, spot: Spot) -> None:
        for keyword, name in _SINGLE.items():
            if keyword in old.value and keyword in new.value:
                self._compare_below(old, new, keyword, spot.below(f" ({keyword})"))
            elif keyword in old.value or keyword in new.value:
                word, node = ("removed", old) if keyword in old.value else ("added", new)
                values = old.value.get(keyword), new.value.get(keyword)
                self._note(f"{name}-{word}", spot, node.child(keyword), *values, is_gone=word == "removed")

    def _compare_named(self, old: Node, new: Node, spot: Spot) -> None:
        for keyword, rule in _NAMED.items():
            before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
            for name in {**before, **after}:
                here, there = old.child(keyword, name), new.child(keyword, name)
                if name in before and name in after:
                    self.compare(before[name], here, after[name], there, spot.below(f" ({keyword} {name})"))
                elif name in before:
                    self._note(f"{rule}-removed", spot, here, name, None, is_gone=True)
                else:
                    self._note(f"{rule}-added", spot, there, None, name)

    def _compare_rest(self, old: Node, new: Node, spot: Spot) -> None:
        """Keywords that no rule knows, so that nothing that changed goes by in silence."""
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            pair = {keyword: before} if keyword in old.value else {}, {keyword: after} if keyword in new.value else {}
            if keyword in _HANDLED or self.are_equal(*pair):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            self._note("keyword-changed", spot, place, before, after, is_gone=is_gone)


def _seen_by_one_side(spot: Spot, new: Node) -> Spot:
    """The spot of a property that is not sent or not returned: no change there can break a client."""
    if spot.scope == "request-property" and new.value.get("readOnly") is True:
        return Spot(spot.operation, spot.direction, "request-read-only-property", spot.root, spot.is_strict, spot.name)
    if spot.scope == "response-property" and new.value.get("writeOnly") is True:
        return Spot(
            spot.operation, spot.direction, "response-write-only-property", spot.root, spot.is_strict, spot.name
        )
    return spot


def _branches(side: Side, node: Node, keyword: str) -> list[Branch]:
    values = node.value.get(keyword)
    return [
        Branch(index, value, side.follow(value, node.child(keyword, index)), side.number(value))
        for index, value in enumerate(values if is_array(values) else ())
    ]


def _alternatives_properties(side: Side, node: Node) -> set[str]:
    """The names of all properties of the alternatives of a schema."""
    names: set[str] = set()
    for branch in _branches(side, node, "oneOf"):
        properties = branch.node.value.get("properties")
        names |= properties.keys() if is_object(properties) else set()
    return names


def _openness(value: Any) -> str:
    if value is False or (is_object(value) and value == {"not": {}}):
        return "closed"
    return "schema" if is_object(value) and value else "open"
