"""One plain value for each place: the same one every time, with every documented property in it."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bodydouble_contract_tests._node import Node, Parts, identity
from bodydouble_contract_tests._numbers import bounds
from bodydouble_contract_tests._pattern import plainest_match
from bodydouble_contract_tests._pictures import named_pictures
from bodydouble_contract_tests._schemas import Schemas

__all__ = ["NOTHING", "Plain", "candidate_numbers", "text_of_length"]


class _Nothing:
    """The absence of a value, which is not null."""


NOTHING: Final = _Nothing()
_FORMAT_TEXTS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "email": "a@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/a.png",
    "url": "https://example.com/a.png",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.com",
    "byte": "aGk=",
}
_LONGEST_TEXT = 1_000_000
_LONGEST_LIST = 10_000
_DISTINCT = 64


class Plain:
    """Makes plain values from the schemas of one body. What is returned must not be changed."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._known: dict[tuple[Any, ...], Any] = {}

    def at(self, parts: Parts) -> Any:
        """A value that conforms to all of ``parts``; NOTHING when none is found."""
        key = tuple((id(part.schema), part.pointer, part.trail) for part in parts)
        if key not in self._known:
            self._known[key] = next(
                (value for node in self._schemas.nodes(parts) for value in self.of(node, parts)), NOTHING
            )
        return self._known[key]

    def of(self, node: Node, parts: Parts) -> Iterator[Any]:
        """Plain values of one way to conform, the plainest first: at most one for each type or option."""
        if node.options is not None:
            yield from node.options
            return
        for kind in node.likely_types():
            value = self.of_type(kind, node, parts)
            if value is not NOTHING:
                yield value

    def of_type(self, kind: str, node: Node, parts: Parts) -> Any:
        """A plain value of one JSON type; NOTHING when none is found."""
        return next((value for value in self._candidates(kind, node) if self._schemas.conforms(parts, value)), NOTHING)

    def list_of(self, node: Node, length: int) -> list[Any] | None:
        """A list with so many items that conform, all different where they must be; None when there is none."""
        if length > _LONGEST_LIST:
            return None
        items: list[Any] = []
        seen: set[str] = set()
        for index in range(length):
            parts = node.parts_at(index)
            choices: Iterable[Any] = self._distinct(parts, length) if node.is_unique else [self.at(parts)]
            item = next((value for value in choices if value is not NOTHING and identity(value) not in seen), NOTHING)
            if item is NOTHING:
                return None
            if node.is_unique:
                seen.add(identity(item))
            items.append(item)
        return items

    def _distinct(self, parts: Parts, count: int) -> Iterator[Any]:
        """Different values for one place, as many as are easily found."""
        for node in self._schemas.nodes(parts):
            yield from self.of(node, parts)
            kinds = node.likely_types() if node.options is None else ()
            for index in range(min(count, _DISTINCT) + 1):
                least, _ = bounds(node, whole=True) if {"integer", "number"} & node.types else (0, 0)
                fresh: dict[str, Any] = {
                    "string": text_of_length(node, max(int(node.limits.get("minLength", 0)), 2), f"{index:02}"),
                    "integer": int(least or 0) + index,
                    "number": int(least or 0) + index,
                    "array": [str(index)],
                    "object": {f"key{index}": index},
                }
                yield from (
                    fresh[kind] for kind in kinds if kind in fresh and self._schemas.conforms(parts, fresh[kind])
                )

    def _candidates(self, kind: str, node: Node) -> Iterator[Any]:
        if kind == "object":
            yield from self._objects(node)
        yield from node.defaults
        match kind:
            case "array":
                least = int(node.limits.get("minItems", 0))
                most = int(node.limits.get("maxItems", _LONGEST_LIST))
                lengths = [max(least, len(node.prefix), 1), max(least, 1), least]
                made = (self.list_of(node, length) for length in lengths if length <= most)
                yield from (items for items in made if items is not None)
            case "string":
                yield from _texts(node)
            case "boolean":
                yield from (True, False)
            case "null":
                yield None
            case _:
                yield from _numbers(node, whole=kind == "integer")

    def _objects(self, node: Node) -> Iterator[dict[str, Any]]:
        values = {name: self.at(node.parts_of(name)) for name in (*node.properties, *node.required)}
        found = {name: value for name, value in values.items() if value is not NOTHING}
        needed = {name: value for name, value in found.items() if name in node.required}
        yield found
        missing = int(node.limits.get("minProperties", 0)) - len(found)
        filler = self.at(node.additional) if missing > 0 else NOTHING
        if filler is not NOTHING:
            yield {**found, **{f"key{index}": filler for index in range(missing)}}
        most = int(node.limits.get("maxProperties", len(found)))
        optional = [name for name in found if name not in needed]
        yield {**needed, **{name: found[name] for name in optional[: max(0, most - len(needed))]}}
        yield needed


def text_of_length(node: Node, length: int, start: str = "") -> str | None:
    """A text with so many characters, matching the first pattern where one is found; None when it would be too long."""
    if length > _LONGEST_TEXT:
        return None
    if node.patterns:
        return plainest_match(node.patterns[0], length, length)
    return (start + "x" * length)[:length]


def candidate_numbers(node: Node, *, whole: bool) -> list[float]:
    """Numbers to try, the plainest first: 1, 0, the bounds, multiples of the factor, fractions; not all conform."""
    least, most = bounds(node, whole=whole)
    found: list[float] = [1, 0, *(edge for edge in (least, most) if edge is not None)]
    for factor in node.factors:
        step = int(factor) if float(factor).is_integer() else factor
        found += [step, *(math.ceil(edge / step) * step for edge in (least, most) if edge is not None)]
        found += [math.floor(most / step) * step] if most is not None else []
    if not whole:
        found += [0.5, *((edge + direction) for edge, direction in ((least, 0.5), (most, -0.5)) if edge is not None)]
        found += [(least + most) / 2] if least is not None and most is not None else []
    return found


def _numbers(node: Node, *, whole: bool) -> Iterator[float]:
    for number in candidate_numbers(node, whole=whole):
        if whole and isinstance(number, float):
            if number.is_integer():
                yield int(number)
        else:
            yield number


def _texts(node: Node) -> Iterator[str]:
    yield from node.known_values
    yield from (_FORMAT_TEXTS[name] for name in node.formats if name in _FORMAT_TEXTS)
    least, most = int(node.limits.get("minLength", 0)), node.limits.get("maxLength")
    if not node.patterns:
        length = max(4, least) if most is None else max(least, min(4, int(most)))
        text = text_of_length(node, length, "text")
        yield from () if text is None else (text,)
        return
    yield from named_pictures().values()
    for pattern in node.patterns:
        text = plainest_match(pattern, least, None if most is None else int(most))
        yield from () if text is None else (text,)
