"""The simplest value for each place: always the same one, with every documented property."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec.schema import SchemaView, json_key

from bodydouble_contract_tests.schema.numbers import bounds
from bodydouble_contract_tests.schema.pattern import simplest_match, stretched_match
from bodydouble_contract_tests.schema.pictures import named_pictures
from bodydouble_contract_tests.schema.searching import NOTHING
from bodydouble_contract_tests.schema.walker import SchemaWalker

__all__ = ["Sampler", "candidate_numbers", "text_of_length"]


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
_FEW_CHARACTERS = 16
_DISTINCT = 64


class Sampler:
    """Makes the simplest values from the schema of one body. The values returned must not be changed."""

    def __init__(self, walker: SchemaWalker) -> None:
        self._walker = walker
        self._known: dict[SchemaView, Any] = {}

    def at(self, place: SchemaView) -> Any:
        """Return a value that conforms at a place, or NOTHING when none is found."""
        if place not in self._known:
            self._known[place] = next((value for view in self._walker.ways(place) for value in self.of(view)), NOTHING)
        return self._known[place]

    def of(self, view: SchemaView) -> Iterator[Any]:
        """Yield the values of one view, the simplest first: at most one for each type or option."""
        if view.options is not None:
            yield from view.options
            return
        for kind in view.likely_types():
            value = self.of_type(kind, view)
            if value is not NOTHING:
                yield value

    def of_type(self, kind: str, view: SchemaView) -> Any:
        """Return a simple value of one JSON type, or NOTHING when none is found."""
        return next((value for value in self._candidates(kind, view) if self._walker.conforms(view, value)), NOTHING)

    def list_of(self, view: SchemaView, length: int) -> list[Any] | None:
        """Return a list of that many conforming items, all different where required, or None when there is none."""
        if length > _LONGEST_LIST:
            return None
        items: list[Any] = []
        seen: set[str] = set()
        is_unique = True in view.values("uniqueItems")
        for index in range(length):
            place = view.item(index)
            choices: Iterable[Any] = self._distinct(place, length) if is_unique else [self.at(place)]
            item = next((value for value in choices if value is not NOTHING and json_key(value) not in seen), NOTHING)
            if item is NOTHING:
                return None
            if is_unique:
                seen.add(json_key(item))
            items.append(item)
        return items

    def _distinct(self, place: SchemaView, count: int) -> Iterator[Any]:
        """Yield different values for one place, as many as are easily found."""
        for view in self._walker.ways(place):
            yield from self.of(view)
            kinds = view.likely_types() if view.options is None else ()
            for index in range(min(count, _DISTINCT) + 1):
                least, _ = bounds(view, whole=True) if {"integer", "number"} & view.types else (0, 0)
                fresh: dict[str, Any] = {
                    "string": text_of_length(view, max(int(view.limits.get("minLength", 0)), 2), f"{index:02}"),
                    "integer": int(least or 0) + index,
                    "number": int(least or 0) + index,
                    "array": [str(index)],
                    "object": {f"key{index}": index},
                }
                yield from (
                    fresh[kind] for kind in kinds if kind in fresh and self._walker.conforms(place, fresh[kind])
                )

    def _candidates(self, kind: str, view: SchemaView) -> Iterator[Any]:
        if kind == "object":
            yield from self._objects(view)
        yield from view.values("default")
        match kind:
            case "array":
                least = int(view.limits.get("minItems", 0))
                most = int(view.limits.get("maxItems", _LONGEST_LIST))
                lengths = [max(least, len(view.prefix), 1), max(least, 1), least]
                made = (self.list_of(view, length) for length in lengths if length <= most)
                found = [items for items in made if items is not None]
                yield from found
                yield from self._with_contained(view, found)
            case "string":
                yield from _texts(view)
            case "boolean":
                yield from (True, False)
            case "null":
                yield None
            case _:
                yield from _numbers(view, whole=kind == "integer")

    def _with_contained(self, view: SchemaView, lists: list[list[Any]]) -> Iterator[list[Any]]:
        """Yield the lists with as many items as they must contain, in addition and in place of others."""
        if not view.contained.roots:
            return
        item = self.at(view.contained)
        count = int(max(view.values("minContains"), default=1))
        if item is NOTHING or count > _LONGEST_LIST:
            return
        for items in lists:
            yield [item] * count + items[count:]
            yield [item] * count + items
        yield [item] * count

    def _objects(self, view: SchemaView) -> Iterator[dict[str, Any]]:
        values = {name: self.at(view.property(name)) for name in (*view.properties, *view.required)}
        found = {name: value for name, value in values.items() if value is not NOTHING}
        needed = {name: value for name, value in found.items() if name in view.required}
        yield found
        missing = int(view.limits.get("minProperties", 0)) - len(found)
        filler = self.at(view.additional) if missing > 0 else NOTHING
        if filler is not NOTHING and missing <= _LONGEST_LIST:
            yield {**found, **{f"key{index}": filler for index in range(missing)}}
            name = self.at(view.names) if view.names.roots else NOTHING
            if isinstance(name, str):
                yield {**found, name: filler}
        most = int(view.limits.get("maxProperties", len(found)))
        optional = [name for name in found if name not in needed]
        yield {**needed, **{name: found[name] for name in optional[: max(0, most - len(needed))]}}
        yield needed


def text_of_length(view: SchemaView, length: int, start: str = "") -> str | None:
    """Return a text of that length that matches the first pattern where possible, or None when it is too long."""
    if length > _LONGEST_TEXT:
        return None
    if view.patterns:
        pattern = view.patterns[0]
        stretched = stretched_match(pattern, length) if length > _FEW_CHARACTERS else None
        return stretched if stretched is not None else simplest_match(pattern, length, length)
    return (start + "x" * length)[:length]


def candidate_numbers(view: SchemaView, *, whole: bool) -> list[float]:
    """Return numbers to try, the simplest first: 1, 0, the bounds, multiples of the factor, fractions. Not all of them conform."""
    least, most = bounds(view, whole=whole)
    found: list[float] = [1, 0, *(edge for edge in (least, most) if edge is not None)]
    for factor in view.values("multipleOf"):
        step = int(factor) if float(factor).is_integer() else factor
        found += [step, *(math.ceil(edge / step) * step for edge in (least, most) if edge is not None)]
        found += [math.floor(most / step) * step] if most is not None else []
    if not whole:
        found += [0.5, *((edge + direction) for edge, direction in ((least, 0.5), (most, -0.5)) if edge is not None)]
        found += [(least + most) / 2] if least is not None and most is not None else []
    return found


def _numbers(view: SchemaView, *, whole: bool) -> Iterator[float]:
    for number in candidate_numbers(view, whole=whole):
        if whole and isinstance(number, float):
            if number.is_integer():
                yield int(number)
        else:
            yield number


def _texts(view: SchemaView) -> Iterator[str]:
    yield from view.known_values
    yield from (_FORMAT_TEXTS[name] for name in view.values("format") if name in _FORMAT_TEXTS)
    least, most = int(view.limits.get("minLength", 0)), view.limits.get("maxLength")
    if not view.patterns:
        length = max(4, least) if most is None else max(least, min(4, int(most)))
        text = text_of_length(view, length, "text")
        yield from () if text is None else (text,)
        return
    yield from named_pictures().values()
    for pattern in view.patterns:
        text = simplest_match(pattern, least, None if most is None else int(most))
        if text is None:
            needed = max(least, *(int(number) for number in re.findall(r"\{(\d{1,7})", pattern)), 0)
            text = text_of_length(view, needed) if needed else None
        yield from () if text is None else (text,)
