"""Proof that one node accepts all that another one accepts: true only where that is certain."""

from typing import Any

from bodydouble_spec.meaning import Node, digest
from bodydouble_spec.proof.acceptance import UncertainError, accepts
from bodydouble_spec.schema import ANYTHING

__all__ = ["is_within"]

_ANNOTATIONS = {"declared", "default", "deprecated", "discriminator", "isConst", "isImplied", "readOnly", "writeOnly"}
_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_NARROWER = {("int32", "int64"), ("float", "double")}
_KINDS = {
    "string": {"minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"},
    "object": {
        "properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties", "propertyNames",
        "dependentRequired", "dependentSchemas",
    },
}  # fmt: skip
_MAX_STEPS = 2_000
_MAX_DEPTH = 60


def is_within(inner: Node, outer: Node) -> bool:
    """Return whether it is proved that every value which ``inner`` accepts, ``outer`` accepts too."""
    return _Proof().holds(inner, outer, 0)


class _Proof:
    def __init__(self) -> None:
        # A pair that is met again below itself holds as far as the rest does.
        self._assumed: dict[tuple[int, int], None] = {}
        self._steps = 0

    def holds(self, inner: Node, outer: Node, depth: int) -> bool:
        self._steps += 1
        if self._steps > _MAX_STEPS or depth > _MAX_DEPTH:
            return False
        if _are_equal(inner, outer) or inner.is_never or not outer.value.keys() - _ANNOTATIONS:
            return True
        pair = (id(inner), id(outer))
        if pair in self._assumed:
            return True
        known = len(self._assumed)
        self._assumed[pair] = None
        result = self._holds(inner, outer, depth + 1)
        if not result:
            # With it fall those that rest on it.
            for later in list(self._assumed)[known:]:
                del self._assumed[later]
        return result

    def _holds(self, inner: Node, outer: Node, depth: int) -> bool:
        own = inner.value
        if "enum" in own:
            try:
                return all(accepts(outer, value) for value in own["enum"])
            except UncertainError:
                return False
        for keyword in ("anyOf", "oneOf"):
            items = own.get(keyword)
            if items and all(self.holds(item.node, outer, depth) for item in items):
                return True
        if any(self.holds(item.node, outer, depth) for item in own.get("allOf", ())):
            return True
        return all(
            self._obeys(inner, key, wanted, outer, depth)
            for key, wanted in outer.value.items()
            if key not in _ANNOTATIONS
        )

    def _obeys(self, inner: Node, key: str, wanted: Any, outer: Node, depth: int) -> bool:
        own = inner.value
        types = frozenset(own.get("type", ANYTHING))
        kinds: frozenset[str] = types | frozenset({"number"} if "integer" in types else ())
        if any(key in names and kind not in kinds for kind, names in _KINDS.items()):
            return True
        given = own.get(key)
        if key == "type":
            return all(kind in wanted or (kind == "integer" and "number" in wanted) for kind in types)
        if key in _MOST or key in _LEAST:
            return self._is_tighter(own, key, wanted)
        if key == "multipleOf":
            return given is not None and abs(given / wanted - round(given / wanted)) < 1e-9
        if key == "format":
            return given == wanted or (given, wanted) in _NARROWER
        if key == "required":
            return {*wanted} <= {*(given or ())}
        return self._obeys_schema(inner, key, wanted, outer, depth)

    def _obeys_schema(self, inner: Node, key: str, wanted: Any, outer: Node, depth: int) -> bool:
        own = inner.value
        if key in ("properties", "additionalProperties"):
            return self._has_properties(own, outer.value, depth)
        if key in ("items", "prefixItems"):
            return self._has_items(own, outer.value, depth)
        if key == "anyOf":
            return any(self.holds(inner, item.node, depth) for item in wanted)
        if key == "allOf":
            return all(self.holds(inner, item.node, depth) for item in wanted)
        if key == "oneOf":
            return self._is_one(inner, wanted, depth)
        return self._is_same(own.get(key), wanted)

    @staticmethod
    def _is_tighter(own: dict[str, Any], key: str, wanted: Any) -> bool:
        if key.startswith("exclusive"):
            plain = key[9].lower() + key[10:]
            if plain in own and (own[plain] < wanted if key in _MOST else own[plain] > wanted):
                return True
        elif f"exclusive{key[0].upper()}{key[1:]}" in own:
            beyond = own[f"exclusive{key[0].upper()}{key[1:]}"]
            if beyond <= wanted if key in _MOST else beyond >= wanted:
                return True
        if key not in own:
            return False
        return bool(own[key] <= wanted) if key in _MOST else bool(own[key] >= wanted)

    @staticmethod
    def _is_same(given: Any, wanted: Any) -> bool:
        if isinstance(given, Node) and isinstance(wanted, Node):
            return _are_equal(given, wanted)
        if isinstance(given, Node) or isinstance(wanted, Node) or given is None:
            return False
        try:
            return digest(given) == digest(wanted)
        except TypeError:
            return False

    def _within(self, inner: Any, outer: Any, depth: int) -> bool:
        """Compare two of: a node, True for anything, False for nothing."""
        if inner is False or outer is True:
            return True
        if outer is False:
            return isinstance(inner, Node) and inner.is_never
        return isinstance(inner, Node) and self.holds(inner, outer, depth)

    def _has_properties(self, own: dict[str, Any], wanted: dict[str, Any], depth: int) -> bool:
        if "patternProperties" in own or "patternProperties" in wanted:
            return False
        mine, theirs = own.get("properties", {}), wanted.get("properties", {})
        rest, other = own.get("additionalProperties", True), wanted.get("additionalProperties", True)
        names = {**mine, **theirs}
        return self._within(rest, other, depth) and all(
            self._within(mine.get(name, rest), theirs.get(name, other), depth) for name in names
        )

    def _has_items(self, own: dict[str, Any], wanted: dict[str, Any], depth: int) -> bool:
        mine, theirs = own.get("prefixItems", []), wanted.get("prefixItems", [])
        rest, other = own.get("items", True), wanted.get("items", True)
        length = max(len(mine), len(theirs))
        return self._within(rest, other, depth) and all(
            self._within(mine[i] if i < len(mine) else rest, theirs[i] if i < len(theirs) else other, depth)
            for i in range(length)
        )

    def _is_one(self, inner: Node, wanted: list[Any], depth: int) -> bool:
        own = _kinds(inner)
        return any(
            self.holds(inner, item.node, depth)
            and all(not own & _kinds(other.node) for other in wanted if other is not item)
            for item in wanted
        )


def _are_equal(one: Node, other: Node) -> bool:
    return bool(one.number) and one.number == other.number


def _kinds(node: Node) -> frozenset[str]:
    types = frozenset(node.value.get("type", ANYTHING))
    return types | {"integer"} if "number" in types else types
