"""Acceptance of a value by a node: which of its keywords the value breaks."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bodydouble_spec.meaning import Alternative, Node
from bodydouble_spec.schema import json_key, matches_pattern, type_of
from bodydouble_spec.values import is_array, is_object

__all__ = ["Fault", "UncertainError", "accepts", "faults", "readings"]

_MAX_DEPTH = 40
_FORMATS = {
    "byte": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)",
    "email": r"[^@\s]+@[^@\s]+",
    "ipv4": r"\d{1,3}(?:\.\d{1,3}){3}",
    "time": r"\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:\S+",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}
_RANGES = {"int32": 2**31, "int64": 2**63}
_UNCERTAIN = {"contentSchema", "unevaluatedItems", "unevaluatedProperties"}

Fault = tuple[str, str | None]


class UncertainError(Exception):
    """It cannot be decided here whether the value conforms."""


def accepts(node: Node, value: Any, *, is_text: bool = False, depth: int = 0) -> bool:
    """Return whether a value conforms to a node; ``is_text`` tells that scalars are sent as text. Raises UncertainError."""
    return next(faults(node, value, is_text=is_text, depth=depth), None) is None


def readings(value: Any) -> list[Any]:
    """Return what the text of a scalar may be read as: the text itself, and the number, flag or null that it spells."""
    text = value if isinstance(value, str) else json.dumps(value)
    found: list[Any] = [text]
    try:
        read = json.loads(text)
    except ValueError:
        return found
    return [*found, read] if not (is_array(read) or is_object(read) or isinstance(read, str)) else found


def faults(node: Node, value: Any, *, is_text: bool = False, depth: int = 0) -> Iterator[Fault]:
    """Yield each keyword that a value breaks, and the name of the property or requirement. Raises UncertainError."""
    if depth > _MAX_DEPTH or _UNCERTAIN & node.value.keys():
        raise UncertainError
    if is_text and not (is_array(value) or is_object(value)):
        found = [list(_faults(node, reading, is_text=True, depth=depth)) for reading in readings(value)]
        yield from min(found, key=len)
        return
    yield from _faults(node, value, is_text=is_text, depth=depth)


def _faults(node: Node, value: Any, *, is_text: bool, depth: int) -> Iterator[Fault]:
    schema = node.value
    kind = type_of(value)
    if "type" in schema and not (kind in schema["type"] or (kind == "integer" and "number" in schema["type"])):
        yield "type", None
        return
    if "enum" in schema and json_key(value) not in {json_key(option) for option in schema["enum"]}:
        yield "enum", None
    if kind in ("integer", "number"):
        yield from _number_faults(schema, value)
    elif kind == "string":
        yield from _text_faults(schema, value)
    elif kind == "array":
        yield from _array_faults(schema, value, is_text, depth + 1)
    elif kind == "object":
        yield from _object_faults(schema, value, is_text, depth + 1)
    yield from _logic_faults(schema, value, is_text, depth + 1)


def _number_faults(schema: dict[str, Any], value: Any) -> Iterator[Fault]:
    broken = {
        "minimum": value < schema.get("minimum", value),
        "maximum": value > schema.get("maximum", value),
        "exclusiveMinimum": "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"],
        "exclusiveMaximum": "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"],
        "multipleOf": "multipleOf" in schema and not _is_multiple(value, schema["multipleOf"]),
    }
    yield from ((keyword, None) for keyword, is_broken in broken.items() if is_broken)
    reach = _RANGES.get(str(schema.get("format")))
    if reach is not None and not -reach <= value < reach:
        yield "format", None


def _is_multiple(value: Any, step: Any) -> bool:
    quotient = value / step
    return bool(abs(quotient - round(quotient)) < 1e-9)


def _text_faults(schema: dict[str, Any], value: str) -> Iterator[Fault]:
    if len(value) < schema.get("minLength", 0):
        yield "minLength", None
    if len(value) > schema.get("maxLength", len(value)):
        yield "maxLength", None
    if "pattern" in schema and not matches_pattern(schema["pattern"], value):
        yield "pattern", None
    form = _FORMATS.get(str(schema.get("format")))
    if form is not None and not re.fullmatch(form, value):
        yield "format", None


def _array_faults(schema: dict[str, Any], value: list[Any], is_text: bool, depth: int) -> Iterator[Fault]:
    if len(value) < schema.get("minItems", 0):
        yield "minItems", None
    if len(value) > schema.get("maxItems", len(value)):
        yield "maxItems", None
    if schema.get("uniqueItems") and len({json_key(item) for item in value}) < len(value):
        yield "uniqueItems", None
    prefix: list[Node] = schema.get("prefixItems", [])
    rest = schema.get("items", True)
    for index, item in enumerate(value):
        below = prefix[index] if index < len(prefix) else rest
        if below is False or (isinstance(below, Node) and not accepts(below, item, is_text=is_text, depth=depth)):
            yield ("prefixItems" if index < len(prefix) else "items"), None
    if "contains" in schema:
        count = sum(accepts(schema["contains"], item, is_text=is_text, depth=depth) for item in value)
        if count < schema.get("minContains", 1):
            yield ("minContains" if "minContains" in schema else "contains"), None
        if count > schema.get("maxContains", count):
            yield "maxContains", None


def _object_faults(schema: dict[str, Any], value: dict[str, Any], is_text: bool, depth: int) -> Iterator[Fault]:
    if len(value) < schema.get("minProperties", 0):
        yield "minProperties", None
    if len(value) > schema.get("maxProperties", len(value)):
        yield "maxProperties", None
    yield from (("required", name) for name in schema.get("required", ()) if name not in value)
    yield from _property_faults(schema, value, is_text, depth)
    for name, names in schema.get("dependentRequired", {}).items():
        if name in value and not {*names} <= value.keys():
            yield "dependentRequired", name
    for name, node in schema.get("dependentSchemas", {}).items():
        if name in value and not accepts(node, value, is_text=is_text, depth=depth):
            yield "dependentSchemas", name


def _property_faults(schema: dict[str, Any], value: dict[str, Any], is_text: bool, depth: int) -> Iterator[Fault]:
    properties: dict[str, Node] = schema.get("properties", {})
    patterns: dict[str, Node] = schema.get("patternProperties", {})
    other = schema.get("additionalProperties", True)
    for name, item in value.items():
        own = [("properties", properties[name])] if name in properties else []
        own += [("patternProperties", node) for pattern, node in patterns.items() if matches_pattern(pattern, name)]
        if not own and other is False:
            yield "additionalProperties", name
        for keyword, node in own or ([("additionalProperties", other)] if isinstance(other, Node) else []):
            if not accepts(node, item, is_text=is_text, depth=depth):
                yield keyword, name
        if "propertyNames" in schema:
            names = schema["propertyNames"]
            if names is False or not accepts(names, name, depth=depth):
                yield "propertyNames", name


def _logic_faults(schema: dict[str, Any], value: Any, is_text: bool, depth: int) -> Iterator[Fault]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        items: list[Alternative] = schema.get(keyword, [])
        if not items:
            continue
        count = sum(accepts(item.node, value, is_text=is_text, depth=depth) for item in items)
        if count < (len(items) if keyword == "allOf" else 1) or (keyword == "oneOf" and count > 1):
            yield keyword, None
    denied = schema.get("not")
    if denied == {} or (isinstance(denied, Node) and accepts(denied, value, is_text=is_text, depth=depth)):
        yield "not", None
    if isinstance(condition := schema.get("if"), Node):
        branch = "then" if accepts(condition, value, is_text=is_text, depth=depth) else "else"
        node = schema.get(branch)
        if isinstance(node, Node) and not accepts(node, value, is_text=is_text, depth=depth):
            yield branch, None
