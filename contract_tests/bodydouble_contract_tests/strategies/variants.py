"""Variants at the boundaries of numbers and texts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import is_array
from bodydouble_spec.schema import SchemaView, json_key, type_of

from bodydouble_contract_tests.schema import (
    NOT_PICTURES,
    NOTHING,
    Sampler,
    alternatives,
    candidate_numbers,
    matches,
    named_pictures,
    simplest_match,
    text_of_length,
)
from bodydouble_contract_tests.strategies.texts import LONG

__all__ = [
    "Variant",
    "length_variants",
    "number_variants",
    "option_variants",
    "property_count_variants",
    "text_variants",
    "type_variants",
]

_LARGEST_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Variant:
    """A value for one place, the rule that it tests, the pointer of that rule in the document, and whether the value should conform."""

    rule: str
    value: Any
    origin: str
    valid: bool = True


def number_variants(view: SchemaView, example: Any) -> Iterator[Variant]:
    """Yield each bound exactly, one step beyond and the smallest step beyond, fractions, and numbers that break a factor."""
    if view.options is not None or type_of(example) not in {"integer", "number"}:
        return
    whole = "number" not in view.types
    for keyword, direction in (("minimum", -1), ("maximum", 1)):
        if keyword in view.limits:
            yield from _bound(view, keyword, direction, whole=whole)
    for keyword, direction in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        if keyword in view.limits:
            yield from _exclusive_bound(view, keyword, direction, whole=whole)
    if not whole and not view.values("multipleOf"):
        fractions = (number for number in candidate_numbers(view, whole=False) if not float(number).is_integer())
        yield from (Variant("fraction", number, view.origin("type")) for number in fractions)
    for factor in view.values("multipleOf"):
        yield from _factor(view, factor, example, whole=whole)


def _factor(view: SchemaView, factor: float, example: float, *, whole: bool) -> Iterator[Variant]:
    origin = view.origin("multipleOf")
    yield Variant("multipleOf", example, origin)
    for off in (factor / 2, -factor / 2, 1, -1, 0.5, -0.5):
        number = example + off
        if not whole or float(number).is_integer():
            yield Variant("multipleOf-off", int(number) if whole else number, origin, valid=False)


def _bound(view: SchemaView, keyword: str, direction: int, *, whole: bool) -> Iterator[Variant]:
    origin = view.origin(keyword)
    bound = view.limits[keyword]
    if whole:
        bound = math.ceil(bound) if direction < 0 else math.floor(bound)
    step = _step(view)
    yield Variant(keyword, bound, origin)
    yield Variant(f"{keyword}{direction:+}", _beyond(bound, direction * step), origin, valid=False)
    if not whole and not view.values("multipleOf"):
        yield Variant(
            f"{keyword}{'+-'[direction < 0]}epsilon", math.nextafter(bound, direction * math.inf), origin, valid=False
        )


def _exclusive_bound(view: SchemaView, keyword: str, direction: int, *, whole: bool) -> Iterator[Variant]:
    origin = view.origin(keyword)
    bound = view.limits[keyword]
    if whole:
        bound = math.floor(bound) if direction > 0 else math.ceil(bound)
    yield Variant(keyword, bound, origin, valid=False)
    yield Variant(f"{keyword}{direction:+}", _beyond(bound, direction * _step(view)), origin)
    if not whole and not view.values("multipleOf"):
        yield Variant(f"{keyword}{'+-'[direction < 0]}epsilon", math.nextafter(bound, direction * math.inf), origin)


def _step(view: SchemaView) -> float:
    """Return the distance between two allowed numbers, as named in ids: 1, or the factor."""
    factor = next(iter(view.values("multipleOf")), 1)
    return int(factor) if float(factor).is_integer() else factor


def _beyond(bound: float, step: float) -> float:
    """Return the bound plus one step, or the next float where a step is lost in rounding."""
    if isinstance(bound, float) and bound.is_integer() and abs(bound) < _LARGEST_EXACT:
        bound = int(bound)
    moved = bound + step
    is_lost = moved == bound or not -(2**63) <= moved < 2**64
    return math.nextafter(float(bound), math.copysign(math.inf, step)) if is_lost else moved


def text_variants(view: SchemaView, example: Any) -> Iterator[Variant]:
    """Yield texts at each length, for each alternative of a pattern, outside the pattern, and known values in several letter cases."""
    if view.options is not None or not isinstance(example, str):
        return
    yield from _lengths(view)
    for pattern in view.patterns:
        yield from _patterned(view, pattern, example)
    for known in view.known_values:
        for text in dict.fromkeys((known, known.upper(), known.title())):
            yield Variant(f"known={text}", text, view.pointer)
    if view.known_values:
        yield Variant("known-unlisted", "unlisted-value", view.pointer)


def _lengths(view: SchemaView) -> Iterator[Variant]:
    least, most = view.limits.get("minLength"), view.limits.get("maxLength")
    lengths: list[tuple[str, str, int, bool]] = []
    if least is not None:
        lengths += [("minLength", "minLength", int(least), True), ("minLength-1", "minLength", int(least) - 1, False)]
    if most is not None:
        lengths += [("maxLength", "maxLength", int(most), True), ("maxLength+1", "maxLength", int(most) + 1, False)]
    if not view.patterns and not view.values(
        "format"
    ):  # some tools check a format, though the standard does not ask for it
        lengths += [("length-0", "type", 0, True), (f"length-{LONG}", "type", LONG, True)]
    for rule, keyword, length, valid in lengths:
        text = text_of_length(view, length) if length >= 0 else None
        if text is None and not valid and 0 <= length <= LONG:
            text = "x" * length  # breaks the pattern too, but at the same place
        if text is not None:
            yield Variant(rule, text, view.origin(keyword), valid=valid)


def _patterned(view: SchemaView, pattern: str, example: str) -> Iterator[Variant]:
    origin = view.origin("pattern")
    pictures = {name: text for name, text in named_pictures().items() if matches(pattern, text)}
    tells_pictures = bool(pictures) and not matches(pattern, "not a picture")
    if tells_pictures:
        yield from (Variant(f"pattern-{name}", text, origin) for name, text in pictures.items())
    for number, alternative in enumerate(alternatives(pattern), 1):
        if tells_pictures and any(matches(alternative, text) for text in pictures.values()):
            continue
        text = simplest_match(alternative, int(view.limits.get("minLength", 0)), _whole(view.limits.get("maxLength")))
        if text is not None:
            yield Variant(f"pattern-{number}", text, origin)
    outside = {
        **NOT_PICTURES,
        "space-before": f" {example}",
        "space-after": f"{example} ",
        "line-break-after": f"{example}\n",
        "last-character-missing": example[:-1],
        "first-character-missing": example[1:],
        "control-character": "\x00",
        "emoji": "😀",
    }
    for name, text in outside.items():
        if not matches(pattern, text):
            yield Variant(f"pattern-outside-{name}", text, origin, valid=False)


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


def type_variants(views: tuple[SchemaView, ...], example: Any, sampler: Sampler) -> Iterator[Variant]:
    """Yield a value of each JSON type: the wrong ones, and the allowed ones that the example does not have."""
    if not views:
        return
    allowed = {kind for view in views for kind in view.types}
    if "number" in allowed:
        allowed.add("integer")
    samples: dict[str, Any] = {
        "null": None,
        "boolean": True,
        "integer": 1,
        "number": 1.5,
        "string": "1" if allowed & {"integer", "boolean"} else "text",
        "array": [example],
        "object": {"key": example},
    }
    if is_array(example) and example and isinstance(example[0], str):
        samples["string"] = example[0]
    for kind, sample in samples.items():
        if kind not in allowed:
            yield Variant(f"type-{kind}", sample, views[0].origin("type"), valid=False)
            continue
        for view in views:
            value = sampler.of_type(kind, view)
            if value is not NOTHING and view.options is None:
                yield Variant(f"type-{kind}", value, view.origin("type"))


def option_variants(view: SchemaView) -> Iterator[Variant]:
    """Yield each value of an enum or const, and one outside."""
    if not view.options:
        return
    keyword = "const" if "const" in view.origins else "enum"
    origin = view.origin(keyword)
    for value in view.options:
        yield Variant(f"{keyword}={value if isinstance(value, str) else json_key(value)}", value, origin)
    first = view.options[0]
    outside: Any = f"{first}-outside" if isinstance(first, str) else "outside"
    if type_of(first) in {"integer", "number"}:
        outside = math.floor(max(value for value in view.options if type_of(value) in {"integer", "number"})) + 1
    yield Variant(f"{keyword}-outside", outside, origin, valid=False)


def length_variants(view: SchemaView, example: list[Any], sampler: Sampler) -> Iterator[Variant]:
    """Yield lists at their bounds and one item beyond, with no and with two items where there is no bound, and with an item twice."""
    least, most = view.limits.get("minItems"), view.limits.get("maxItems")
    lengths: list[tuple[str, str, int, bool]] = []
    if least is None:
        lengths.append(("items-0", "items", 0, True))
    else:
        lengths += [("minItems", "minItems", int(least), True), ("minItems-1", "minItems", int(least) - 1, False)]
    if most is None:
        lengths.append(("items-2", "items", 2, True))
    else:
        lengths += [("maxItems", "maxItems", int(most), True), ("maxItems+1", "maxItems", int(most) + 1, False)]
    for rule, keyword, length, valid in lengths:
        items = sampler.list_of(view, length) if length >= 0 else None
        if items is not None:
            yield Variant(rule, items, view.origin(keyword), valid=valid)
    if True in view.values("uniqueItems") and example:
        yield Variant("uniqueItems-twice", [example[0], *example], view.origin("uniqueItems"), valid=False)


def property_count_variants(view: SchemaView, example: dict[str, Any], sampler: Sampler) -> Iterator[Variant]:
    """Yield objects with as many properties as their bounds, and with one beyond."""
    optional = [name for name in example if name not in view.required]
    filler = sampler.at(view.additional)
    for keyword, step in (("minProperties", -1), ("maxProperties", 1)):
        if keyword not in view.limits:
            continue
        for beyond in (0, step):
            count = int(view.limits[keyword]) + beyond
            kept = {
                name: value for name, value in example.items() if name not in optional[: max(0, len(example) - count)]
            }
            more = {f"{keyword}{index}": filler for index in range(count - len(kept))} if filler is not NOTHING else {}
            if len(kept) + len(more) == count:
                rule = f"{keyword}{beyond:+}" if beyond else keyword
                yield Variant(rule, {**kept, **more}, view.origin(keyword), valid=not beyond)
