"""Variants at the boundaries of types, enums, lists and objects."""

import math
from collections.abc import Iterator
from typing import Any

from bodydouble_spec import is_array

from bodydouble_contract_tests._leaf_cases import Variant
from bodydouble_contract_tests._node import SchemaParts, SchemaView, json_key, type_of
from bodydouble_contract_tests._plain import NOTHING, Sampler

__all__ = ["length_variants", "option_variants", "property_count_variants", "type_variants"]


def type_variants(
    views: tuple[SchemaView, ...], parts: SchemaParts, example: Any, sampler: Sampler
) -> Iterator[Variant]:
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
            value = sampler.of_type(kind, view, parts)
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
    if view.is_unique and example:
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
