"""One of the two compared documents: it follows references and tells quickly whether two parts promise the same."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.schema import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["Document", "Interner", "Part"]

_VALUES = {"const", "default"}
_SETS = {"enum", "required", "type"}
# Lists whose order does not matter.
_UNORDERED = {"allOf", "anyOf", "oneOf", "security", "tags"}
# A keyword with one of these values means the same as a missing keyword.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "additionalProperties": (True, {}), "deprecated": (False,), "minItems": (0,), "minLength": (0,), "minProperties": (0,),
    "nullable": (False,), "properties": ({},), "readOnly": (False,), "required": ([],), "uniqueItems": (False,),
    "writeOnly": (False,),
}  # fmt: skip
_MAX_REFERENCES = 100
_MAX_DEPTH = 150
# The level of a value without open references.
_CLOSED = 1 << 30
# More values than this are an expansion attack.
_MAX_NODES = 400_000


class Interner:
    """Assigns equal numbers to equal contents, across both documents of a comparison."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, content: Hashable) -> int:
        """Return the number of a hashable content."""
        return self._numbers.setdefault(content, len(self._numbers))

    def value(self, value: Any) -> int:
        """Return the number of any JSON value; ``1.0`` equals ``1``, but ``true`` does not."""
        if is_object(value):
            return self.number(("object", frozenset((key, self.value(item)) for key, item in value.items())))
        if is_array(value):
            return self.number(("array", *(self.value(item) for item in value)))
        is_flag = isinstance(value, bool)
        return self.number((is_flag, value) if is_flag or not isinstance(value, str) else value)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document after its references were followed, and the pointer to its place."""

    value: Mapping[str, Any]
    pointer: str

    def child(self, *parts: str | int) -> str:
        """Return the pointer to a place below."""
        return join_pointer(self.pointer, *parts)


class Document:
    """The old or the new document (``value``), as published and repaired, without the overlay."""

    def __init__(self, contract: Contract, interner: Interner) -> None:
        self._repaired = contract.repaired
        self.value = self._repaired.document
        self._is_31 = not str(self.value.get("openapi", "3.0")).startswith("3.0")
        self._interner = interner
        self._references: dict[str, int] = {}
        self._numbers: dict[tuple[int, str], tuple[Any, int]] = {}
        self._open: list[str] = []
        self._nodes = 0
        self._depth = 0

    def published(self, pointer: str) -> str:
        """Translate a pointer into the repaired document to one into the published document."""
        return self._repaired.published_pointer(pointer)

    def follow(self, value: Any, pointer: str) -> Part:
        """Return the object that a value or its references lead to; an empty one when there is none."""
        beside: dict[str, Any] = {}
        for _ in range(_MAX_REFERENCES):
            if not is_object(value):
                break
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return Part({**value, **beside} if beside else value, pointer)
            if self._is_31:
                beside = {**{key: item for key, item in value.items() if key != "$ref"}, **beside}
            try:
                parts = pointer_parts(reference)
                value = resolve_pointer(self.value, parts)
            except LookupError:
                break
            pointer = join_pointer("", *parts)
        # In OpenAPI 3.1 `true` and `false` are schemas.
        return Part({"not": {}} if value is False else beside, pointer)

    def number(self, value: Any, key: str = "") -> int:
        """Return a number that is equal for two parts of the two documents exactly when they promise the same.

        Prose, examples, order and ``x-`` keys do not matter, nor does the choice between a reference and a schema
        written out. ``key`` is the key of the value in its parent.
        """
        return self._descend(value, key)[0]

    def _walk(self, value: Any, key: str) -> tuple[int, int]:
        """Return the number, and the outermost level of open references that it refers back to."""
        self._nodes += 1
        if key in _VALUES:
            return self._interner.value(value), _CLOSED
        if is_array(value):
            if key in _SETS:
                return self._interner.number(("set", frozenset(map(self._interner.value, value)))), _CLOSED
            items = [self._descend(item, "") for item in value]
            numbers = [number for number, _ in items]
            return self._interner.number(("list", *(sorted(numbers) if key in _UNORDERED else numbers))), _lowest(items)
        if not is_object(value):
            return self._interner.value(value), _CLOSED
        is_map = key in NAME_MAPS or key in EXTENSIBLE_NAME_MAPS
        if not is_map and isinstance(value.get("$ref"), str):
            return self._walk_reference(value)
        walked = [
            (name, self._descend(item, "" if is_map else name))
            for name, item in value.items()
            if _is_structure(name, item, key)
        ]
        number = self._interner.number(("map", frozenset((name, number) for name, (number, _) in walked)))
        return number, _lowest([found for _, found in walked])

    def _descend(self, value: Any, key: str) -> tuple[int, int]:
        if self._depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            # Equal to nothing, so that the comparison goes on below.
            return self._interner.number(("beyond", id(self))), _CLOSED
        known = self._numbers.get((id(value), key))
        if known is not None:
            return known[1], _CLOSED
        self._depth += 1
        found = self._walk(value, key)
        self._depth -= 1
        if found[1] == _CLOSED and (is_object(value) or is_array(value)):
            # The stored value stays alive, so that its id cannot be reused.
            self._numbers[id(value), key] = value, found[0]
        return found

    def _walk_reference(self, value: dict[str, Any]) -> tuple[int, int]:
        reference: str = value["$ref"]
        if reference in self._open:
            # The depth of a recursion is structure, the name of the component is not.
            level = self._open.index(reference)
            return self._interner.number(("up", len(self._open) - level)), level
        has_more = self._is_31 and any(name != "$ref" and _is_structure(name, item, "") for name, item in value.items())
        if not has_more and reference in self._references:
            return self._references[reference], _CLOSED
        try:
            target = resolve_pointer(self.value, pointer_parts(reference))
        except LookupError:
            return self._interner.number(("reference", reference)), _CLOSED
        self._open.append(reference)
        number, lowest = self._descend(dict(self.follow(value, "").value) if has_more else target, "")
        self._open.pop()
        if lowest >= len(self._open):
            lowest = _CLOSED
            if not has_more:
                self._references[reference] = number
        return number, lowest


def _is_structure(name: str, item: Any, key: str) -> bool:
    """Return whether an entry of an object under the key ``key`` is structure."""
    if key in NAME_MAPS:
        return True
    if name.startswith("x-"):
        return False
    if key in EXTENSIBLE_NAME_MAPS:
        return True
    defaults = _DEFAULTS.get(name, ())
    return name not in PROSE and not any(item == default and type(item) is type(default) for default in defaults)


def _lowest(found: list[tuple[int, int]]) -> int:
    return min((lowest for _, lowest in found), default=_CLOSED)
