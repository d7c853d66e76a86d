"""Places of a schema whose rules need the whole of a long text."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["ANY_NAME", "whole_text_names"]

# The patterns of our overlay: they tell Base64 texts apart by beginning, alphabet and padding, whatever the length.
_DECIDED_BY_ENDS = {
    r"^(?:[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f]+|(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?))$",
    r"^(?:[Hh][Tt][Tt][Pp][Ss]?://(?:[^\x00-\x20/?#@\x7f]*@)?(?:[^\x00-\x20/?#@:\[\]\\\x7f]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?(?:[/?#][^\x00-\x20\x7f]*)?|data:image/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9.=+-]+)*;base64,[A-Za-z0-9+/]+={0,2}|(?:/9j/|iVBORw0KGg[o-r]|R0lGOD[dl]h|UklGR[g-v][A-Za-z0-9+/]{5}XRUJQ|Qk[0-3])[A-Za-z0-9+/]*={0,2})$",
}

ANY_NAME = "*"
"""Stands for every property that has no name in the schema."""

# Texts of less than this are never replaced by a reference, and no reference is shorter.
_SHORTEST_REFERRED = 32
_NO_SCHEMAS = {"$defs", "const", "default", "enum", "example", "examples", "propertyNames", "required"}
_OF_ANY_NAME = {"additionalProperties", "patternProperties", "unevaluatedProperties"}


def whole_text_names(schema: dict[str, Any]) -> frozenset[str]:
    """Return the names of the properties with a rule that a short reference to a picture could not decide: a length, a pattern, a long option.

    The name is that of the innermost property around the text: a rule for the items of ``image_urls`` counts for ``image_urls``. It is empty for
    the value itself, and `ANY_NAME` for properties without a name. A name is listed too where only one of its schemas has such a rule.
    """
    found: set[str] = set()
    seen: set[tuple[int, str]] = set()
    pending: list[tuple[Any, str]] = [(schema, "")]
    while pending:
        part, name = pending.pop()
        if is_array(part):
            pending += [(item, name) for item in part]
        if not is_object(part) or (id(part), name) in seen:
            continue
        seen.add((id(part), name))
        if _needs_whole_text(part):
            found.add(name)
        pending += _children(schema, part, name)
    return frozenset(found)


def _children(schema: dict[str, Any], part: dict[str, Any], name: str) -> Iterator[tuple[Any, str]]:
    for keyword, value in part.items():
        if keyword == "$ref" and isinstance(value, str):
            try:
                yield resolve_pointer(schema, pointer_parts(value)), name
            except LookupError:
                continue
        elif keyword == "properties" and is_object(value):
            yield from ((item, inner) for inner, item in value.items())
        elif keyword in _OF_ANY_NAME:
            yield from ((item, ANY_NAME) for item in (value, *(value.values() if is_object(value) else ())))
        elif keyword == "dependentSchemas" and is_object(value):
            yield from ((item, name) for item in value.values())
        elif keyword not in _NO_SCHEMAS:
            yield value, name


def _needs_whole_text(part: dict[str, Any]) -> bool:
    least, most = part.get("minLength", 0), part.get("maxLength", 0)
    options = part.get("enum", ())
    return (
        ("pattern" in part and str(part["pattern"]) not in _DECIDED_BY_ENDS)
        or (isinstance(least, int | float) and least > _SHORTEST_REFERRED)
        or (isinstance(most, int | float) and most >= _SHORTEST_REFERRED)
        or any(map(_is_long, options if is_array(options) else ()))
        or _is_long(part.get("const"))
    )


def _is_long(option: Any) -> bool:
    return is_object(option) or is_array(option) or (isinstance(option, str) and len(option) >= _SHORTEST_REFERRED)
