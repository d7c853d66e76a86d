"""The boundaries of types, enums, lists and objects."""

import math
from collections.abc import Iterator
from typing import Any

from bodydouble_spec import is_array

from bodydouble_contract_tests._leaf_cases import Variant
from bodydouble_contract_tests._node import Node, Parts, identity, type_of
from bodydouble_contract_tests._plain import NOTHING, Plain

__all__ = ["length_variants", "option_variants", "property_count_variants", "type_variants"]


def type_variants(nodes: tuple[Node, ...], parts: Parts, example: Any, plain: Plain) -> Iterator[Variant]:
    """Each JSON type: wrong ones, and allowed ones beside that of the example."""
    if not nodes:
        return
    allowed = {kind for node in nodes for kind in node.types}
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
            yield Variant(f"type-{kind}", sample, nodes[0].origin("type"), valid=False)
            continue
        for node in nodes:
            value = plain.of_type(kind, node, parts)
            if value is not NOTHING and node.options is None:
                yield Variant(f"type-{kind}", value, node.origin("type"))


def option_variants(node: Node) -> Iterator[Variant]:
    """Each value of an enum or const, and one outside."""
    if not node.options:
        return
    keyword = "const" if "const" in node.origins else "enum"
    origin = node.origin(keyword)
    for value in node.options:
        yield Variant(f"{keyword}={value if isinstance(value, str) else identity(value)}", value, origin)
    first = node.options[0]
    outside: Any = f"{first}-outside" if isinstance(first, str) else "outside"
    if type_of(first) in {"integer", "number"}:
        outside = math.floor(max(value for value in node.options if type_of(value) in {"integer", "number"})) + 1
    yield Variant(f"{keyword}-outside", outside, origin, valid=False)


def length_variants(node: Node, example: list[Any], plain: Plain) -> Iterator[Variant]:
    """Lists at their bounds and one item beyond, with none and with two where there is no bound, and with an item twice."""
    least, most = node.limits.get("minItems"), node.limits.get("maxItems")
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
        items = plain.list_of(node, length) if length >= 0 else None
        if items is not None:
            yield Variant(rule, items, node.origin(keyword), valid=valid)
    if node.is_unique and example:
        yield Variant("uniqueItems-twice", [example[0], *example], node.origin("uniqueItems"), valid=False)


def property_count_variants(node: Node, example: dict[str, Any], plain: Plain) -> Iterator[Variant]:
    """Objects with as many properties as their bounds, and one beyond."""
    optional = [name for name in example if name not in node.required]
    filler = plain.at(node.additional)
    for keyword, step in (("minProperties", -1), ("maxProperties", 1)):
        if keyword not in node.limits:
            continue
        for beyond in (0, step):
            count = int(node.limits[keyword]) + beyond
            kept = {
                name: value for name, value in example.items() if name not in optional[: max(0, len(example) - count)]
            }
            more = {f"{keyword}{index}": filler for index in range(count - len(kept))} if filler is not NOTHING else {}
            if len(kept) + len(more) == count:
                rule = f"{keyword}{beyond:+}" if beyond else keyword
                yield Variant(rule, {**kept, **more}, node.origin(keyword), valid=not beyond)
