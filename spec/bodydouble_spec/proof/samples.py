"""Values that a node accepts, made of what the document says: always the same, and few."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bodydouble_spec.meaning import Alternative, Node
from bodydouble_spec.proof.acceptance import UncertainError, accepts
from bodydouble_spec.schema import json_key, matching_text
from bodydouble_spec.values import is_array, is_object

__all__ = ["NoValueError", "candidates", "sample"]

_MAX_DEPTH = 8
# Where schemas lead to themselves, optional properties are left out below this depth.
_MAX_CYCLIC_DEPTH = 1
# Schemas that are visited for the values of one place.
_MAX_VISITS = 600
_MAX_OPTIONS = 24
_MAX_TRIED = 60
# Characters of a text, and items of an array.
_MAX_LENGTH = 2_000
_EXAMPLES = {
    "byte": "YQ==",
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "a@example.com",
    "ipv4": "192.0.2.1",
    "time": "12:00:00Z",
    "uri": "https://example.com/a",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_TEXTS = ("text", "", "a", "Z", "0", "a b", "-1", "é")
_NUMBERS = (1, 0, -1, 2, 3, 0.5, 7)
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


class NoValueError(Exception):
    """No value was found that the node accepts."""


def sample(node: Node, *, is_full: bool) -> Any:
    """Return a value that a node accepts, with all properties of the document or only the required ones. Raises NoValueError."""
    return _Sampler().sample(node, is_full, 0)


def candidates(node: Node, other: Node) -> Iterator[Any]:
    """Yield values that a node accepts and that lie close to what another one refuses, each once, a few dozen at most."""
    seen: set[str] = set()
    for value in islice(_Sampler().near(node, other), 4 * _MAX_TRIED):
        key = json_key(value)
        if key in seen:
            continue
        seen.add(key)
        if len(seen) > _MAX_TRIED:
            return
        try:
            if accepts(node, value):
                yield value
        except UncertainError:
            continue


class _Sampler:
    """Makes values within a budget of schemas that are visited."""

    def __init__(self) -> None:
        self._visits = 0

    def sample(self, node: Node, is_full: bool, depth: int) -> Any:
        """Return a value that a node accepts. Raises NoValueError."""
        self._visits += 1
        if self._visits > _MAX_VISITS:
            raise NoValueError
        for value in islice(self._values(node, is_full, depth), _MAX_OPTIONS):
            try:
                if accepts(node, value):
                    return value
            except UncertainError:
                break
        raise NoValueError

    def near(self, node: Node, other: Node, depth: int = 0) -> Iterator[Any]:
        """Yield values that a node may accept and that lie close to what another one refuses."""
        if depth > _MAX_DEPTH:
            return
        yield from islice(node.value.get("enum", ()), _MAX_OPTIONS)
        for source in (node, *(item.node for item in _alternatives(node))):
            types = source.value.get("type", _TYPES)
            for kind in types:
                if kind == "string":
                    yield from _texts(source.value, other.value)
                elif kind in ("integer", "number"):
                    yield from _numbers(source.value, other.value, kind)
                elif kind == "array":
                    yield from self._arrays(source, other.value, depth)
                elif kind == "object":
                    yield from self._objects(source, other.value, depth)
                else:
                    yield from [True, False] if kind == "boolean" else [None]
        for is_full in (False, True):
            yield from islice(self._values(node, is_full, depth), 8)
        yield from self._of_other(other, depth)

    def _of_other(self, other: Node, depth: int) -> Iterator[Any]:
        # What the other one denies or demands by its alternatives is often a value of theirs.
        for item in _alternatives(other):
            yield from islice(self._values(item.node, False, depth + 2), 2)
        if isinstance(denied := other.value.get("not"), Node):
            yield from islice(self._values(denied, False, depth + 2), 4)

    def _arrays(self, node: Node, other: dict[str, Any], depth: int) -> Iterator[list[Any]]:
        least = node.value.get("minItems", 0)
        for is_full in (False, True):
            items = self._items(node, is_full, max(least, 1), depth + 1)
            if items is None:
                yield []
                return
            yield items[:least] if least else []
            yield items
            for length in (other.get("maxItems", -2) + 1, other.get("minItems", 0) - 1, 2):
                if 0 <= length <= 100:
                    longer = self._items(node, is_full, length, depth + 1)
                    if longer is not None:
                        yield longer

    def _items(self, node: Node, is_full: bool, count: int, depth: int) -> list[Any] | None:
        if count > _MAX_LENGTH:
            return None
        prefix = node.value.get("prefixItems", [])
        below = node.value.get("items", True)
        try:
            result = [self.sample(item, is_full, depth) for item in prefix[:count]]
            while len(result) < count:
                if below is False:
                    break
                item = self.sample(below, is_full, depth) if isinstance(below, Node) else "text"
                if node.value.get("uniqueItems") and isinstance(below, Node):
                    known = {json_key(value) for value in result}
                    item = next(
                        (
                            value
                            for value in self.near(below, below, depth)
                            if json_key(value) not in known and accepts(below, value)
                        ),
                        item,
                    )
                result.append(item)
        except (NoValueError, UncertainError):
            return None
        return result

    def _objects(self, node: Node, other: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        for is_full in (False, True):
            base = self._object(node, is_full, depth)
            if base is None:
                continue
            yield base
            for name in [*other.get("required", ()), *other.get("properties", {})]:
                if name in base:
                    yield {key: item for key, item in base.items() if key != name}
            for name, below in node.value.get("properties", {}).items():
                if name not in base:
                    try:
                        yield {**base, name: self.sample(below, False, depth + 1)}
                    except NoValueError:
                        continue
        yield from self._open_objects(node, depth)

    def _open_objects(self, node: Node, depth: int) -> Iterator[dict[str, Any]]:
        below = node.value.get("additionalProperties", True)
        base = self._object(node, False, depth)
        if isinstance(below, Node) and base is not None:
            try:
                yield {**base, "other": self.sample(below, False, depth + 1)}
            except NoValueError:
                return
        elif "additionalProperties" not in node.value and not node.value.get("properties") and base is not None:
            yield {**base, "other": "text"}

    def _object(self, node: Node, is_full: bool, depth: int) -> dict[str, Any] | None:
        properties: dict[str, Node] = node.value.get("properties", {})
        required = node.value.get("required", ())
        result: dict[str, Any] = {}
        limit = _MAX_CYCLIC_DEPTH if node.is_cyclic else _MAX_DEPTH
        for name in properties if is_full and depth < limit else required:
            below = properties.get(name)
            try:
                result[name] = self.sample(below, is_full, depth + 1) if below is not None else "text"
            except NoValueError:
                if name in required:
                    return None
        for name in required:
            if name not in result and name not in properties:
                result[name] = "text"
        return result

    def _values(self, node: Node, is_full: bool, depth: int) -> Iterator[Any]:
        """Yield values that a node probably accepts."""
        if depth > _MAX_DEPTH:
            return
        if "enum" in node.value:
            yield from islice(node.value["enum"], _MAX_OPTIONS)
            return
        yield from self._alternative_values(node, is_full, depth)
        types = node.value.get("type", ("string", "object", "integer", "array", "boolean"))
        for kind in types:
            if kind == "string":
                yield from islice(_texts(node.value, node.value), 10)
            elif kind in ("integer", "number"):
                yield from islice(_numbers(node.value, {}, kind), 12)
            elif kind == "array":
                items = self._items(node, is_full, max(node.value.get("minItems", 0), 1), depth + 1)
                yield [] if is_array(items) and not items else (items or [])
                yield []
            elif kind == "object":
                value = self._object(node, is_full, depth)
                if value is not None:
                    yield value
            else:
                yield True if kind == "boolean" else None

    def _alternative_values(self, node: Node, is_full: bool, depth: int) -> Iterator[Any]:
        alternatives = _alternatives(node)
        if not alternatives:
            return
        base = self._object(node, is_full, depth) if "object" in node.value.get("type", _TYPES) else None
        found = [next(self._values(item.node, is_full, depth + 1), None) for item in alternatives]
        for value in found:
            yield {**base, **value} if is_object(value) and base is not None else value
        merged: dict[str, Any] = dict(base or {})
        for value in found:
            merged |= value if is_object(value) else {}
        yield merged


def _alternatives(node: Node) -> list[Alternative]:
    return [item for keyword in ("anyOf", "oneOf", "allOf") for item in node.value.get(keyword, ())]


def _texts(own: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    least, most = own.get("minLength", 0), own.get("maxLength")
    pattern = own.get("pattern")
    lengths = [other.get("maxLength", -2) + 1, other.get("minLength", 0) - 1, least, most or 0]
    for length in lengths:
        if 0 <= length <= _MAX_LENGTH:
            text = "a" * length if pattern is None else matching_text(pattern, max(length, least), most)
            if text is not None:
                yield text
    if pattern is not None and (text := matching_text(pattern, least, most)) is not None:
        yield text
    if own.get("format") in _EXAMPLES:
        yield _EXAMPLES[own["format"]]
    for text in _TEXTS:
        yield text if len(text) >= least else text + "a" * (min(least, _MAX_LENGTH) - len(text))


def _numbers(own: dict[str, Any], other: dict[str, Any], kind: str) -> Iterator[Any]:
    step = own.get("multipleOf", 1 if kind == "integer" else 0.5)
    for keyword, sign in (("maximum", 1), ("minimum", -1), ("exclusiveMaximum", 1), ("exclusiveMinimum", -1)):
        if keyword in other:
            yield from (other[keyword] + sign * step, other[keyword], other[keyword] + sign)
        if keyword in own:
            yield from (own[keyword], own[keyword] - sign * step)
    yield from (step * count for count in (1, 2, 3, 5, 7, 0, -1))
    yield from (number for number in _NUMBERS if kind == "number" or isinstance(number, int))
    if other.get("format") == "int32":
        yield 2**31
