"""Comparison of two schemas at every depth."""

from collections import deque
from dataclasses import replace
from typing import Any

from bodydouble_spec.diff.branches import Branch, kind_of, match_branches
from bodydouble_spec.diff.changes import Changes, Location, Verbatim
from bodydouble_spec.diff.constraints import LEAF_KEYWORDS, keyword_differences
from bodydouble_spec.diff.properties import READ_WRITE, PropertyComparison, properties_of
from bodydouble_spec.diff.rating import Place, Rating
from bodydouble_spec.diff.rules import schema_rule
from bodydouble_spec.finding import Severity
from bodydouble_spec.meaning import Node, Part, Source, digest, form_of

__all__ = ["SchemaComparison"]


_COMPOSED = {"oneOf": "one-of", "anyOf": "any-of", "allOf": "all-of"}
_SINGLE = {
    "contains": "contains", "contentSchema": "content-schema", "else": "else", "if": "if", "propertyNames": "property-names",
    "then": "then", "unevaluatedItems": "unevaluated-items", "unevaluatedProperties": "unevaluated-properties",
}  # fmt: skip
_NAMED = {"dependentSchemas": "dependent-schema", "patternProperties": "pattern-property"}
_HANDLED = {
    *LEAF_KEYWORDS, *_COMPOSED, *_SINGLE, *_NAMED, "additionalProperties", "declared", "isConst", "isImplied", "items", "not",
    "prefixItems", "properties", "readOnly", "required", "writeOnly",
}  # fmt: skip
_MAX_DEPTH = 60
# A pair of schemas is compared at every place of a body, up to this number; then, and on a cycle, once in each body.
_MAX_COMPARISONS = 2_000
# The comparisons of a whole document after which a pair that another body has too is not compared again.
_MAX_IN_ALL = 200_000
_MAX_CYCLIC_IN_ALL = 5_000
# Bodies of which it is said one by one that they were not compared again; of the others, their number.
_MAX_LIMITED = 20
_TYPE_SUFFIXES = ("type-", "list-of-types-")


class SchemaComparison:
    """Compares schemas of two documents and collects the changes."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.rating = Rating(changes)
        self._properties = PropertyComparison(changes, _number_without_default, self._is_due, self._compare_at)
        self._kept: list[Node] = []
        self._seen: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str, str | None], str] = {}
        self._repeated: str | None = None
        self._limited = 0
        self._teller = ""
        self._skipped = 0
        self._worst = Severity.WARNING
        self._later: deque[tuple[Place, Location]] = deque()
        self._entered: set[tuple[int, int]] = set()
        self._depth = 0
        self._comparisons = 0
        self._in_all = 0

    def enter(self, old: Part, new: Part) -> bool:
        """Return whether a pair of incoming operations is met for the first time; callbacks may lead to themselves."""
        pair = id(old), id(new)
        is_new = pair not in self._entered
        self._entered.add(pair)
        return is_new

    def are_equal(self, old: Node, new: Node) -> bool:
        """Return whether two nodes mean the same."""
        return old.number == new.number

    def compare(self, old: Node, new: Node, location: Location) -> None:
        """Add the changes between two schemas of a body or parameter."""
        self._seen.clear()
        self._comparisons = 0
        self._repeated = None
        first = len(self.changes.found)
        self._compare_at(Place(old, new), location)
        while self._later:
            self._compare_pair(*self._later.popleft())
        if self._repeated is not None:
            self._limited += 1
            self._teller = self._repeated
            if self._limited <= _MAX_LIMITED:
                whole = replace(location, whole=_place_text(location))
                self._note_limited(whole, new.pointer)
        # What is not told again may be as severe as any that was told.
        self._worst = max((self._worst, *(change.severity for change in self.changes.found[first:])), key=_rank)

    def finish(self) -> None:
        """Add how many bodies more were not compared again."""
        if self._limited > _MAX_LIMITED:
            rest = f"{self._limited - _MAX_LIMITED:,} more bodies"
            self._note_limited(Location(None, None, "", rest), "")

    def _note_limited(self, location: Location, pointer: str) -> None:
        self.changes.add("comparison-limited", location, pointer, Verbatim(self._teller), None)
        self.changes.rate(self._worst)

    def _stand_in(self, value: Node | bool, pointer: str) -> Node:
        """Return a node for a schema that is not there or false."""
        if isinstance(value, Node):
            return value
        node = Node((Source({} if value else {"not": {}}, pointer),))
        node.is_built = True
        if not value:
            node.deny()
        self._kept.append(node)
        node.number = digest(form_of(node))
        return node

    def _is_due(self, old: Node, new: Node) -> bool:
        """Return whether two nodes differ and are still to be compared in this body."""
        if self.are_equal(old, new):
            return False
        is_met = (old.number, new.number) in self._seen and self._is_once(old, new)
        self._skipped += is_met
        return not is_met

    def _is_once(self, old: Node, new: Node) -> bool:
        return old.is_cyclic or new.is_cyclic or self._comparisons > _MAX_COMPARISONS

    def _compare_at(self, place: Place, location: Location) -> None:
        old, new = place.old, place.new
        if not self._is_due(old, new):
            return
        self._comparisons += 1
        if self._depth > (0 if old.is_cyclic or new.is_cyclic else _MAX_DEPTH):
            # Of the ways to a place on a cycle, the shortest one is told.
            self._seen.add((old.number, new.number))
            self._later.append((place, location))
        else:
            self._compare_pair(place, location)

    def _compare_pair(self, place: Place, location: Location) -> None:
        old, new = place.old, place.new
        key = old.number, new.number
        teller = self._told.get((*key, location.direction))
        if teller is not None and teller != _place_text(location) and self._in_all > self._limit(old, new):
            self._repeated = self._repeated or teller
            self._skipped += 1
            return
        self._seen.add(key)
        self._told.setdefault((*key, location.direction), _place_text(location))
        self._in_all += 1
        self._depth += 1
        first, skipped = len(self.changes.found), self._skipped
        self._compare(place, location)
        self._depth -= 1
        if (
            len(self.changes.found) == first
            and self._skipped == skipped
            and not self._later
            and not self._is_once(old, new)
            and not self._is_told_above(old, new, location)
        ):
            self._note("keyword-changed", location, new.pointer, None, None)

    @staticmethod
    def _limit(old: Node, new: Node) -> int:
        return _MAX_CYCLIC_IN_ALL if old.is_cyclic or new.is_cyclic else _MAX_IN_ALL

    def _is_told_above(self, old: Node, new: Node, location: Location) -> bool:
        """Return whether all that differs is that a property is read-only or write-only, which its object tells."""
        forms = [form_of(node) for node in (old, new)]
        rest = [digest({key: item for key, item in form.items() if key not in READ_WRITE}) for form in forms]
        return bool(location.name) and rest[0] == rest[1]

    def _compare(self, place: Place, location: Location) -> None:
        old, new = place.old, place.new
        location = _one_way_location(location, new)
        if old.is_never != new.is_never:
            word = "became-false" if new.is_never else "became-not-false"
            with self.rating.at(place, location):
                self._note(f"schema-{word}", location, new.pointer, old, new)
            return
        lone = self._lone_alternative(old, new)
        if lone is not None:
            self._compare_lone(place, location, *lone)
            return
        with self.rating.at(place, location):
            has_new_type = self._compare_leaves(old, new, location)
            is_wrapped = self._note_wrapping(old, new, location)
            for keyword, name in _COMPOSED.items():
                self._compare_alternatives(place, location, keyword, name)
            moved = _alternatives_properties(new) if is_wrapped else set[str]()
            self._properties.compare(place, location, moved)
            self._compare_additional(old, new, location)
            self._compare_not(old, new, location)
            self._compare_rest(old, new, location)
            self._compare_children(place, location, has_new_type=has_new_type)

    def _compare_leaves(self, old: Node, new: Node, location: Location) -> bool:
        """Add the changes of keywords without schemas; return whether the type is among them."""
        has_new_type = False
        found = keyword_differences(old.value, new.value, is_request=location.is_request, is_strict=location.is_strict)
        for item in self.changes.worth_listing(found, lambda item: item.suffix):
            is_type = item.suffix.startswith(_TYPE_SUFFIXES)
            has_new_type |= is_type
            values = (Verbatim(item.old), Verbatim(item.new)) if is_type else (item.old, item.new)
            self._note(
                item.suffix, location, (old if item.is_gone else new).child(*item.path), *values, is_gone=item.is_gone
            )
        return has_new_type

    def _note(
        self, suffix: str, location: Location, pointer: str, old: Any, new: Any, *, is_gone: bool = False
    ) -> None:
        self.changes.add(schema_rule(location.scope, suffix), location, pointer, old, new, is_gone=is_gone)

    def _note_wrapping(self, old: Node, new: Node, location: Location) -> bool:
        """Return whether a body that was one object is now one of several with its properties."""
        is_body = location.scope in ("request-body", "response-body")
        was_object = bool(old.value.get("properties")) and not old.value.get("oneOf")
        is_bare = bool(new.value.get("oneOf")) and not new.value.get("properties")
        if not (is_body and was_object and is_bare):
            return False
        if not old.value["properties"].keys() & _alternatives_properties(new):
            return False
        self._note("wrapped-in-one-of", location, new.child("oneOf"), None, None)
        return True

    def _lone_alternative(self, old: Node, new: Node) -> tuple[str, Branch] | None:
        """Return the alternative of one version that is all of the other version, and its keyword."""
        for keyword in ("oneOf", "anyOf"):
            if (keyword in old.value) == (keyword in new.value):
                continue
            group, single = (old, new) if keyword in old.value else (new, old)
            if group.value.keys() - {keyword, "type", "isImplied", "discriminator"}:
                continue
            branches = self._branches(group, keyword)
            found = [branch for branch in branches if branch.number == single.number]
            found += [branch for branch in branches if branch.node.pointer == single.pointer and _is_named(single)]
            if found:
                return keyword, found[0]
        return None

    def _compare_lone(self, place: Place, location: Location, keyword: str, branch: Branch) -> None:
        old, new = place.old, place.new
        group = old if keyword in old.value else new
        labels = [item.label for item in self._branches(group, keyword) if item.index != branch.index]
        name = _COMPOSED[keyword]
        with self.rating.at(place, location):
            if group is new:
                self._note(f"{name}-added", location, new.child(keyword), None, labels)
            else:
                self._note(f"{name}-removed", location, old.child(keyword), labels, None, is_gone=True)
        pair = (old, branch.node) if group is new else (branch.node, new)
        self._compare_at(place.below(*pair, keyword, None), location)

    def _branches(self, node: Node, keyword: str) -> list[Branch]:
        return [Branch(item, item.node.number) for item in node.value.get(keyword, ())]

    def _compare_alternatives(self, place: Place, location: Location, keyword: str, name: str) -> None:
        old, new = place.old, place.new
        matches = match_branches(self._branches(old, keyword), self._branches(new, keyword))
        for was, is_now in matches.changed:
            below = location.below(f" ({keyword} {is_now.index + 1})")
            self._compare_at(place.below(was.node, is_now.node, keyword, None), below)
        if matches.added:
            labels = [branch.label for branch in matches.added]
            self._note(f"{name}-added", location, new.child(keyword), None, labels)
        if matches.removed:
            labels = [branch.label for branch in matches.removed]
            self._note(f"{name}-removed", location, old.child(keyword), labels, None, is_gone=True)

    def _compare_additional(self, old: Node, new: Node, location: Location) -> None:
        keyword = "additionalProperties"
        before, after = old.value.get(keyword, True), new.value.get(keyword, True)
        kinds = _additional_kind(before), _additional_kind(after)
        if kinds[0] != kinds[1]:
            words = {"closed": "forbidden", "schema": "restricted", "open": "allowed"}
            word = "allowed" if kinds[0] == "closed" else words[kinds[1]]
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            values = old.value.get(keyword), new.value.get(keyword)
            self._note(f"additional-properties-{word}", location, place, *values, is_gone=is_gone)

    def _compare_not(self, old: Node, new: Node, location: Location) -> None:
        before, after = old.value.get("not"), new.value.get("not")
        if before is None and after is None:
            return
        if before == after or (isinstance(before, Node) and isinstance(after, Node) and self.are_equal(before, after)):
            return
        self._note("not-changed", location, new.child("not"), before, after)

    def _compare_rest(self, old: Node, new: Node, location: Location) -> None:
        """Add a general change for each keyword that no rule covers, so that no difference is lost."""
        is_conditional = "if" in old.value and "if" in new.value
        for keyword, name in _SINGLE.items():
            if keyword in ("then", "else") and not is_conditional:
                continue
            if (keyword in old.value) != (keyword in new.value):
                word, part = ("removed", old) if keyword in old.value else ("added", new)
                values = old.value.get(keyword), new.value.get(keyword)
                self._note(f"{name}-{word}", location, part.child(keyword), *values, is_gone=word == "removed")
        for keyword, rule in _NAMED.items():
            before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
            for name in {**before, **after}:
                if name not in after:
                    self._note(f"{rule}-removed", location, old.child(keyword, name), name, None, is_gone=True)
                elif name not in before:
                    self._note(f"{rule}-added", location, new.child(keyword, name), None, name)
        self._compare_lengths(old, new, location)
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            if keyword in _HANDLED or (
                (keyword in old.value) == (keyword in new.value) and digest(before) == digest(after)
            ):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            self._note("keyword-changed", location, place, before, after, is_gone=is_gone)

    def _compare_lengths(self, old: Node, new: Node, location: Location) -> None:
        """Add a change for first items that only one version has."""
        lengths = len(old.value.get("prefixItems", ())), len(new.value.get("prefixItems", ()))
        if lengths[0] != lengths[1]:
            word, part = ("added", new) if lengths[1] > lengths[0] else ("removed", old)
            kinds = [kind_of(node.value) for node in part.value["prefixItems"][min(lengths) :]]
            values = (None, kinds) if word == "added" else (kinds, None)
            self._note(f"prefix-items-{word}", location, part.child("prefixItems"), *values, is_gone=word == "removed")

    def _compare_children(self, place: Place, location: Location, *, has_new_type: bool) -> None:
        old, new = place.old, place.new
        keyword = "additionalProperties"
        before, after = old.value.get(keyword), new.value.get(keyword)
        if isinstance(before, Node) and isinstance(after, Node):
            self._compare_at(place.below(before, after, keyword, None), location.below("*"))
        for index, (was, is_now) in enumerate(
            zip(old.value.get("prefixItems", ()), new.value.get("prefixItems", ()), strict=False)
        ):
            self._compare_at(place.below(was, is_now, "prefixItems", index), location.below(f"[{index}]"))
        before, after = old.value.get("items", True), new.value.get("items", True)
        # Items that appear or disappear with the type are not a separate change.
        if isinstance(before, Node) and isinstance(after, Node):
            self._compare_at(place.below(before, after, "items", None), location.below("[]"))
        elif not has_new_type and before is not after:
            pair = self._stand_in(before, old.child("items")), self._stand_in(after, new.child("items"))
            self._compare_at(place.below(*pair, "items", None), location.below("[]"))
        for keyword in _SINGLE:
            before, after = old.value.get(keyword), new.value.get(keyword)
            if isinstance(before, Node) and isinstance(after, Node):
                self._compare_at(place.below(before, after, keyword, None), location.below(f" ({keyword})"))
            elif keyword in old.value and keyword in new.value and before != after:
                self._note("keyword-changed", location, new.child(keyword), before, after)
        for keyword in _NAMED:
            before, after = old.value.get(keyword, {}), new.value.get(keyword, {})
            for name in before.keys() & after.keys():
                step = place.below(before[name], after[name], keyword, name)
                self._compare_at(step, location.below(f" ({keyword} {name})"))


def _place_text(location: Location) -> str:
    """Return the name of a whole body in messages."""
    return f"{location.whole} of {location.operation}" if location.operation else location.whole


def _rank(severity: Severity) -> int:
    return severity.rank


def _one_way_location(location: Location, new: Node) -> Location:
    """Return the location of a read-only or write-only property, where no change can break a client."""
    if location.scope == "request-property" and new.value.get("readOnly") is True:
        return replace(location, scope="request-read-only-property")
    if location.scope == "response-property" and new.value.get("writeOnly") is True:
        return replace(location, scope="response-write-only-property")
    return location


def _number_without_default(node: Node) -> str:
    if "default" not in node.value:
        return node.number
    return digest({key: item for key, item in form_of(node).items() if key != "default"})


def _is_named(node: Node) -> bool:
    return node.pointer.startswith("/components/schemas/") and node.pointer.count("/") == 3


def _alternatives_properties(node: Node) -> set[str]:
    """Collect the property names of the alternatives of a schema."""
    return {name for item in node.value.get("oneOf", ()) for name in properties_of(item.node)}


def _additional_kind(value: Any) -> str:
    if value is False:
        return "closed"
    return "open" if value is True else "schema"
