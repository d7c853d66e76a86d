"""Comparison of two schemas at every depth."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec.diff.changes import Change, Changes, Location, Verbatim
from bodydouble_spec.diff.constraints import LEAF_KEYWORDS, keyword_differences
from bodydouble_spec.diff.judgement import Judge, Place
from bodydouble_spec.diff.renames import Candidate, find_renames
from bodydouble_spec.diff.rules import RULES, schema_rule
from bodydouble_spec.meaning import Alternative, Node, Part, Source, digest, form_of
from bodydouble_spec.values import is_array, is_object

__all__ = ["SchemaComparison"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative, and its number (equal for equal contents)."""

    alternative: Alternative
    number: str

    @property
    def node(self) -> Node:
        """The schema."""
        return self.alternative.node

    @property
    def index(self) -> int:
        """The index in the document."""
        return self.alternative.index

    @property
    def label(self) -> str:
        """The label for messages: the title, the component's name, or the kind of value."""
        title = self.node.title
        if title is not None and title.strip():
            return title
        if self.alternative.reference is not None:
            return self.alternative.reference.rsplit("/", 1)[-1]
        return f"{_kind(self.node.value)} (alternative {self.index + 1})"


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
    return branch.alternative.reference


def _title(branch: Branch) -> str | None:
    return branch.node.title


def _is_named(node: Node) -> bool:
    return node.pointer.startswith("/components/schemas/") and node.pointer.count("/") == 3


def _is_unnamed(branch: Branch) -> bool:
    return _reference(branch) is None and _title(branch) is None


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
# A pair of components is compared at every place that uses it, up to this number; then, and on a cycle, once.
_MAX_COMPARISONS = 2_000
_TYPE_SUFFIXES = ("type-", "list-of-types-")


class SchemaComparison:
    """Compares schemas of two documents and collects the changes.

    ``numbers`` are the digests of the nodes of both documents, by the node's id.
    """

    def __init__(self, numbers: Mapping[int, str], changes: Changes) -> None:
        self.changes = changes
        self.judge = Judge(changes, numbers)
        self._numbers = dict(numbers)
        self._kept: list[Node] = []
        self._seen: set[tuple[str, str, str | None]] = set()
        self._later: deque[tuple[Place, Location]] = deque()
        self._entered: set[tuple[int, int]] = set()
        self._depth = 0
        self._comparisons = 0

    def enter(self, old: Part, new: Part) -> bool:
        """Return whether a pair of incoming operations is met for the first time; callbacks may lead to themselves."""
        pair = id(old), id(new)
        is_new = pair not in self._entered
        self._entered.add(pair)
        return is_new

    def are_equal(self, old: Node, new: Node) -> bool:
        """Return whether two nodes mean the same."""
        return self._numbers[id(old)] == self._numbers[id(new)]

    def number(self, node: Node, *, without: str = "") -> str:
        """Return the number of a node, or of the node without a keyword."""
        if not without or without not in node.value:
            return self._numbers[id(node)]
        form = form_of(node, self._numbers.__getitem__)
        return digest({key: item for key, item in form.items() if key != without})

    def compare(self, old: Node, new: Node, location: Location) -> None:
        """Add the changes between two schemas of a body or parameter."""
        self._compare_at(Place(old, new), location)
        while self._later:
            self._compare_at(*self._later.popleft())

    def _stand_in(self, value: Node | bool, pointer: str) -> Node:
        """Return a node for a schema that is not there or false."""
        if isinstance(value, Node):
            return value
        node = Node((Source({} if value else {"not": {}}, pointer),))
        node.is_built = True
        if not value:
            node.deny()
        self._kept.append(node)
        self._numbers[id(node)] = digest(form_of(node, str))
        return node

    def _compare_at(self, place: Place, location: Location) -> None:
        old, new = place.old, place.new
        if self.are_equal(old, new):
            return
        self._comparisons += 1
        is_once = old.is_cyclic or new.is_cyclic or self._comparisons > _MAX_COMPARISONS
        key = (self._numbers[id(old)], self._numbers[id(new)], location.direction)
        if is_once and key in self._seen:
            return
        if self._depth > (0 if old.is_cyclic or new.is_cyclic else _MAX_DEPTH):
            # Of the ways to a place on a cycle, the shortest one is told.
            self._later.append((place, location))
            return
        self._seen.add(key)
        self._depth += 1
        first = len(self.changes.found)
        self._compare(place, location)
        self._depth -= 1
        if (
            len(self.changes.found) == first
            and not self._later
            and not is_once
            and not self._is_told_above(old, new, location)
        ):
            self._note("keyword-changed", location, new.pointer, None, None)

    def _is_told_above(self, old: Node, new: Node, location: Location) -> bool:
        """Return whether all that differs is that a property is read-only or write-only, which its object tells."""
        forms = [form_of(node, self._numbers.__getitem__) for node in (old, new)]
        rest = [digest({key: item for key, item in form.items() if key not in _READ_WRITE}) for form in forms]
        return bool(location.name) and rest[0] == rest[1]

    def _compare(self, place: Place, location: Location) -> None:
        old, new = place.old, place.new
        location = _one_way_location(location, new)
        lone = self._lone_alternative(old, new)
        if lone is not None:
            self._compare_lone(place, location, *lone)
            return
        with self.judge.at(place, location):
            has_new_type = self._compare_leaves(old, new, location)
            is_wrapped = self._note_wrapping(old, new, location)
            for keyword, name in _COMPOSED.items():
                self._compare_alternatives(place, location, keyword, name)
            moved = _alternatives_properties(new) if is_wrapped else set[str]()
            self._compare_properties(place, location, moved)
            self._compare_undeclared(old, new, location)
            self._compare_additional(old, new, location)
            self._compare_not(old, new, location)
            self._compare_rest(old, new, location)
            self._compare_children(place, location, has_new_type=has_new_type)

    def _compare_leaves(self, old: Node, new: Node, location: Location) -> bool:
        """Add the changes of keywords without schemas; return whether the type is among them."""
        has_new_type = False
        found = keyword_differences(old.value, new.value, is_request=location.is_request, is_strict=location.is_strict)
        for item in found:
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
            number = self._numbers[id(single)]
            found = [branch for branch in branches if branch.number == number]
            found += [branch for branch in branches if branch.node.pointer == single.pointer and _is_named(single)]
            if found:
                return keyword, found[0]
        return None

    def _compare_lone(self, place: Place, location: Location, keyword: str, branch: Branch) -> None:
        old, new = place.old, place.new
        group = old if keyword in old.value else new
        labels = [item.label for item in self._branches(group, keyword) if item.index != branch.index]
        name = _COMPOSED[keyword]
        with self.judge.at(place, location):
            if group is new:
                self._note(f"{name}-added", location, new.child(keyword), None, labels)
            else:
                self._note(f"{name}-removed", location, old.child(keyword), labels, None, is_gone=True)
        pair = (old, branch.node) if group is new else (branch.node, new)
        self._compare_at(place.below(*pair, keyword, None), location)

    def _branches(self, node: Node, keyword: str) -> list[Branch]:
        return [Branch(item, self._numbers[id(item.node)]) for item in node.value.get(keyword, ())]

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
        are_nodes = isinstance(before, Node) and isinstance(after, Node)
        if before == after or (are_nodes and self.are_equal(before, after)):
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
        lengths = len(old.value.get("prefixItems", ())), len(new.value.get("prefixItems", ()))
        if lengths[0] != lengths[1]:
            word, part = ("added", new) if lengths[1] > lengths[0] else ("removed", old)
            kinds = [_kind(node.value) for node in part.value["prefixItems"][min(lengths) :]]
            values = (None, kinds) if word == "added" else (kinds, None)
            self._note(f"prefix-items-{word}", location, part.child("prefixItems"), *values, is_gone=word == "removed")
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            if keyword in _HANDLED or (
                (keyword in old.value) == (keyword in new.value) and digest(before) == digest(after)
            ):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            self._note("keyword-changed", location, place, before, after, is_gone=is_gone)

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

    def _compare_properties(self, place: Place, location: Location, moved: set[str]) -> None:
        """Add the changes between the properties of two objects; ``moved`` are those that moved into alternatives."""
        old, new = place.old, place.new
        before, after = _properties(old), _properties(new)
        for name, was in before.items():
            if name in after:
                self._compare_property(old, new, name, location)
                self._compare_at(place.below(was, after[name], "properties", name), location.below(name))
        removed = [self._candidate(old, name) for name in before if name not in after and name not in moved]
        added = [self._candidate(new, name) for name in after if name not in before]
        for was, is_now in find_renames(removed, added):
            removed.remove(was)
            added.remove(is_now)
            self._note_renamed(old, new, was, is_now, location)
            step = place.below(before[was.name], after[is_now.name], "properties", is_now.name)
            self._compare_at(step, location.below(is_now.name))
        for candidate in removed:
            self.changes.append(self._existence(old, candidate, location, is_gone=True))
        for candidate in added:
            self.changes.append(self._existence(new, candidate, location, is_gone=False))

    def _compare_property(self, old: Node, new: Node, name: str, location: Location) -> None:
        was, is_now = _properties(old)[name], _properties(new)[name]
        below = location.below(name)
        was_required, is_required = name in _required(old), name in _required(new)
        schema = is_now.value
        hidden = "readOnly" if location.is_request else "writeOnly"
        is_hidden = was.value.get(hidden) is True and schema.get(hidden) is True
        if was_required != is_required and not is_hidden:
            word = "became-required" if is_required else "became-optional"
            if below.scope == "request-property" and is_required and "default" in schema:
                word = "became-required-with-default"
            self._note(word, below, new.child("properties", name), was_required, is_required)
        if below.scope in ("request-property", "response-property"):
            for keyword, words in _READ_WRITE.items():
                if bool(was.value.get(keyword)) != bool(schema.get(keyword)):
                    kind = "required" if is_required else "optional"
                    became = words if schema.get(keyword) else f"not-{words}"
                    rule = f"{location.direction}-{kind}-property-became-{became}"
                    values = bool(was.value.get(keyword)), bool(schema.get(keyword))
                    self.changes.add(rule, below, is_now.child(keyword), *values)

    def _note_renamed(self, old: Node, new: Node, was: Candidate, is_now: Candidate, location: Location) -> None:
        covered = (
            self._existence(old, was, location, is_gone=True),
            self._existence(new, is_now, location, is_gone=False),
        )
        rule = "request-property-renamed" if location.is_request else "response-property-renamed"
        place = new.child("properties", is_now.name)
        renamed = self.changes.change(rule, location.below(was.name), place, was.name, is_now.name)
        self.changes.append(replace(renamed, covers=covered))

    def _existence(self, part: Node, candidate: Candidate, location: Location, *, is_gone: bool) -> Change:
        """Return the change that removes or adds a property."""
        below = location.below(candidate.name)
        node = _properties(part)[candidate.name]
        name = _existence_rule(below, node, is_required=candidate.is_required, is_gone=is_gone)
        rule = RULES[name] if name in RULES else schema_rule(below.scope, "keyword-changed")
        values = (node, None) if is_gone else (None, node)
        return self.changes.change(rule, below, part.child("properties", candidate.name), *values, is_gone=is_gone)

    def _compare_undeclared(self, old: Node, new: Node, location: Location) -> None:
        """Add a change for names that are required but not declared in either version."""
        declared = _properties(old).keys() | _properties(new).keys()
        was, is_now = (sorted(_required(node) - declared) for node in (old, new))
        if was != is_now:
            is_gone = "declared" not in new.value
            place = (old if is_gone else new).child("required")
            self._note("keyword-changed", location, place, was, is_now, is_gone=is_gone)

    def _candidate(self, node: Node, name: str) -> Candidate:
        names = ["", *_properties(node), ""]
        index = names.index(name, 1)
        own = _properties(node)[name]
        published = own.roots[0].schema if own.roots else {}
        return Candidate(
            name,
            published if is_object(published) else {},
            self.number(own, without="default"),
            name in _required(node),
            (names[index - 1], names[index + 1]),
        )


def _existence_rule(location: Location, node: Node, *, is_required: bool, is_gone: bool) -> str:
    kind = "required" if is_required else "optional"
    if location.scope == "request-property":
        is_hidden = node.value.get("readOnly") is True
        if is_gone:
            return "request-read-only-property-removed" if is_hidden else "request-property-removed"
        if is_hidden:
            return "new-read-only-request-property"
        has_default = is_required and "default" in node.value
        return f"new-{kind}-request-property{'-with-default' if has_default else ''}"
    if location.scope == "response-property":
        hidden = "write-only-" if node.value.get("writeOnly") is True else ""
        return f"response-{kind}-{hidden}property-{'removed' if is_gone else 'added'}"
    return ""


def _properties(node: Node) -> Mapping[str, Node]:
    return node.value.get("properties", {})


def _required(node: Node) -> set[str]:
    return {*node.value.get("declared", ())}


def _one_way_location(location: Location, new: Node) -> Location:
    """Return the location of a read-only or write-only property, where no change can break a client."""
    if location.scope == "request-property" and new.value.get("readOnly") is True:
        return replace(location, scope="request-read-only-property")
    if location.scope == "response-property" and new.value.get("writeOnly") is True:
        return replace(location, scope="response-write-only-property")
    return location


def _alternatives_properties(node: Node) -> set[str]:
    """Collect the property names of the alternatives of a schema."""
    return {name for item in node.value.get("oneOf", ()) for name in _properties(item.node)}


def _additional_kind(value: Any) -> str:
    if value is False:
        return "closed"
    return "open" if value is True else "schema"
