"""Alternatives in one spelling: null apart from the others, bare types and values as lists, a single one merged."""

from itertools import combinations
from typing import Any

from bodydouble_spec.meaning.keywords import ORDER
from bodydouble_spec.meaning.node import Alternative, Node
from bodydouble_spec.schema import ANYTHING, json_key, type_of

__all__ = ["Simplification"]

_NULL = {"type": ["null"]}
_ANNOTATIONS = {"default", "deprecated", "nullable", "readOnly", "writeOnly"}
_OF_ANY_TYPE = {"allOf", "anyOf", "discriminator", "else", "enum", "if", "not", "oneOf", "then", *_ANNOTATIONS}


class Simplification:
    """The alternatives of one keyword of a node, which has its other keywords already."""

    def __init__(self, node: Node, keyword: str, group: list[Alternative]) -> None:
        self._node = node
        self._value: dict[str, Any] = node.value
        self._keyword = keyword
        self._items = group

    def apply(self) -> Node | None:
        """Write the alternatives into the node; return what must hold beside it instead, if anything."""
        types = _types(self._value)
        self._items = [
            item for item in self._items if not item.node.is_never and _overlap(types, _types(item.node.value))
        ]
        if self._keyword == "anyOf":
            self._items = list({id(item.node): item for item in self._items}.values())
            if any(item.node.is_built and not item.node.value for item in self._items):
                return None
        if not self._items:
            self._node.deny()
            return None
        if not all(item.node.is_built for item in self._items):
            return self._kept()
        if self._is_listed():
            return None
        self._part_null()
        merged = self._merged()
        if merged is None:
            return self._kept()
        if not self._value.keys() <= {*_ANNOTATIONS, "type", "isImplied"}:
            return _derived(merged, self._node)
        self._absorb(merged)
        return None

    def _is_listed(self) -> bool:
        """Turn alternatives that are lists of values into one list, when that means the same."""
        lists = [_options(item.node.value) for item in self._items]
        if any(found is None for found in lists) or all(item.node.value == _NULL for item in self._items):
            return False
        options = [found for found in lists if found is not None]
        if self._keyword == "oneOf" and any(one.keys() & other.keys() for one, other in combinations(options, 2)):
            return False
        union = {key: value for found in options for key, value in found.items()}
        if "enum" in self._value:
            own = {json_key(value) for value in self._value["enum"]}
            union = {key: value for key, value in union.items() if key in own}
        types = _types(self._value)
        union = {key: value for key, value in union.items() if _overlap(types, frozenset({type_of(value)}))}
        if not union:
            self._node.deny()
            return True
        kinds = _whole(frozenset(map(type_of, union.values())))
        self._value["enum"] = list(union.values())
        self._value["type"] = [name for name in ORDER if name in kinds]
        self._node.origins.setdefault("enum", self._node.child(self._keyword))
        return True

    def _part_null(self) -> None:
        """Make null an alternative of its own, when that means the same."""
        nulls = [item for item in self._items if item.node.value == _NULL]
        others = [item for item in self._items if item.node.value != _NULL]
        if not others:
            return
        open_to_null = [item for item in others if "null" in _types(item.node.value)]
        if any("type" not in item.node.value for item in open_to_null):
            if self._keyword == "anyOf":
                self._items = others
            return
        if not open_to_null or (self._keyword == "oneOf" and len(nulls) + len(open_to_null) > 1):
            return
        parted = [_without_null(item) if item in open_to_null else item for item in others]
        null = nulls[0] if nulls else Alternative(len(self._items), _derived(_NULL, self._node), None)
        self._items = [*parted, null]

    def _merged(self) -> dict[str, Any] | None:
        """Return the keywords that mean the same as the alternatives, or None when they must stay."""
        values = [item.node.value for item in self._items]
        if len(values) == 1:
            return dict(values[0])
        others = [value for value in values if value != _NULL]
        if len(others) == 1 and "null" not in _types(others[0]):
            nullable = dict(others[0])
            if "enum" in nullable:
                nullable["enum"] = [*nullable["enum"], None]
            nullable["type"] = [*nullable["type"], "null"]
            return nullable
        if any("type" not in value or _OF_ANY_TYPE & value.keys() for value in values):
            return None
        if any(_overlap(_types(one), _types(other)) for one, other in combinations(values, 2)):
            return None
        merged: dict[str, Any] = {}
        for value in values:
            if (value.keys() - {"type"}) & merged.keys():
                return None
            merged |= value
        kinds = frozenset[str]().union(*map(_types, values))
        merged["type"] = [name for name in ORDER if name in kinds]
        return merged

    def _absorb(self, merged: dict[str, Any]) -> None:
        own = dict(self._value)
        types = _common(_types(own), _types(merged))
        node = next(item.node for item in self._items if item.node.value != _NULL or len(self._items) == 1)
        for key, pointer in node.origins.items():
            self._node.origins.setdefault(key, pointer)
        for item in self._items:
            for key, pointer in item.node.origins.items():
                self._node.origins.setdefault(key, pointer)
        self._node.title = self._node.title or node.title
        self._value.clear()
        self._value |= {**merged, **own}
        if "enum" in merged:
            self._value["enum"] = [value for value in merged["enum"] if _overlap(types, frozenset({type_of(value)}))]
        self._value.pop("type", None)
        if types != ANYTHING:
            self._value["type"] = [name for name in ORDER if name in types]

    def _kept(self) -> Node | None:
        if self._keyword in self._value:
            return _derived({self._keyword: self._items}, self._node)
        self._value[self._keyword] = self._items
        return None


def _derived(value: dict[str, Any], node: Node) -> Node:
    """Return a node with these keywords that no schema of the document is."""
    made = Node(node.roots)
    made.value = dict(value)
    made.origins = node.origins
    made.is_built = True
    return made


def _without_null(item: Alternative) -> Alternative:
    value = dict(item.node.value)
    value["type"] = [name for name in value["type"] if name != "null"]
    if "enum" in value:
        value["enum"] = [option for option in value["enum"] if option is not None]
    made = _derived(value, item.node)
    made.title = item.node.title
    return Alternative(item.index, made, item.reference)


def _options(value: dict[str, Any]) -> dict[str, Any] | None:
    if value == _NULL:
        return {"null": None}
    if not value.keys() <= {"enum", "isConst", "isImplied", "type"} or "enum" not in value:
        return None
    return {json_key(option): option for option in value["enum"]}


def _types(value: dict[str, Any]) -> frozenset[str]:
    return frozenset(value["type"]) if "type" in value else ANYTHING


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    wide = [types | {"integer"} if "number" in types else types for types in (one, other)]
    return _whole(wide[0] & wide[1])


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(_common(one, other))


def _whole(types: frozenset[str]) -> frozenset[str]:
    return types - {"integer"} if "number" in types else types
