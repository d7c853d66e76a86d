"""Families of wrong values: what people and programs send instead of a value that the contract allows."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bodydouble_spec.schema import SchemaView, type_of

from bodydouble_contract_tests.strategies.variants import Variant

__all__ = ["empty_values", "far_numbers", "texts_for_numbers", "wrong_spellings"]

_FAR = 1_000_000_000
_SEPARATOR = re.compile(r"[:/_. -]")
# A ratio is written in many ways, a name in fewer.
_OTHER_SEPARATORS = {":": ("x", "/", "-", " ", ""), "/": ("-",)}
_NAMES = {"/": "slash", "-": "hyphen", ":": "colon", "_": "underscore", " ": "blank", "": "none"}


def far_numbers(view: SchemaView, example: Any) -> Iterator[Variant]:
    """Yield a number far below the least and one far above the greatest, where a number has such a bound."""
    if view.options is not None or type_of(example) not in {"integer", "number"}:
        return
    for keyword, step in (("minimum", -_FAR), ("maximum", _FAR)):
        bound = view.limits.get(keyword)
        if bound is not None and abs(bound) < _FAR:
            yield Variant(f"{keyword}-far", int(bound) + step, view.origin(keyword), valid=False)


def texts_for_numbers(views: Sequence[SchemaView]) -> Iterator[Variant]:
    """Yield texts where a number alone is allowed: an empty one, and a number in words."""
    allowed = {kind for view in views for kind in view.types}
    if views and allowed & {"integer", "number"} and "string" not in allowed:
        for name, text in {"empty": "", "words": "two"}.items():
            yield Variant(f"type-string-{name}", text, views[0].origin("type"), valid=False)


def empty_values(views: Sequence[SchemaView]) -> Iterator[Variant]:
    """Yield false where it is not allowed: a program that asks for an optional value by its truth takes it for none."""
    if views and not any("boolean" in view.types for view in views):
        yield Variant("type-boolean-false", False, views[0].origin("type"), valid=False)


def wrong_spellings(view: SchemaView) -> Iterator[Variant]:
    """Yield texts like the first value of an enum or const, and none of its values.

    They are ``auto`` (of an enum), another letter case, an empty text, blanks around, a missing last character, other separators, the parts of the text alone, and
    two numbers in the other order.
    """
    first: Any = view.options[0] if view.options else None
    if not isinstance(first, str) or not first:
        return
    keyword = "const" if "const" in view.origins else "enum"
    seen = {value for value in view.options or () if isinstance(value, str)}
    words = [("auto", "auto")] if keyword == "enum" else []
    for name, text in (*_spellings(first), *words):
        if text not in seen:
            seen.add(text)
            yield Variant(f"{keyword}-{name}", text, view.origin(keyword), valid=False)


def _spellings(text: str) -> Iterator[tuple[str, str]]:
    # Who takes one other letter case takes all of them.
    yield ("lower-case", text.lower()) if text.lower() != text else ("upper-case", text.upper())
    yield from (("empty", ""), ("blank-before", f" {text}"), ("blank-after", f"{text} "))
    yield "last-character-missing", text[:-1]
    found = _SEPARATOR.search(text)
    if found is None:
        return
    separator = found[0]
    for other in _OTHER_SEPARATORS.get(separator, ("-", "_")):
        yield f"separator-{_NAMES.get(other, other)}", text.replace(separator, other)
    parts = text.split(separator)
    yield from (("first-part", parts[0]), ("last-part", parts[-1]))
    if all(part.isdecimal() for part in parts):
        yield "reversed", separator.join(reversed(parts))
