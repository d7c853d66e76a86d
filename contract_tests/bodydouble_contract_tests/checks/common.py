"""Find what requests with one outcome have in common, and no other request has."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from bodydouble_spec import is_array, is_object

__all__ = ["Trait", "common_traits", "traits"]

Trait = frozenset[str]
"""One trait of a request, or two that it has together, in words."""

_SHORT = 40
_LENGTHS = (10_000, 4_000, 1_000, 500)
_MARKS = {
    "\r\n": "a line break of Windows", "\n": "a line break", "\t": "a tab", '"': "a double quote", "'": "an apostrophe", "\\": "a backslash",
    "://": "a URL", "#": "a number sign", "$": "a dollar sign", "%": "a percent sign", "{": "a brace", "<": "a tag", ";": "a semicolon", "--": "two dashes", "\u200d": "a joiner", "\x00": "NUL",
}  # fmt: skip
# Beyond this many traits, pairs of them are not tried.
_MOST_PAIRED = 400


def common_traits(failing: Mapping[str, Any], others: Collection[Any]) -> dict[str, Trait]:
    """Map each failing request, by its name, to the trait that explains it; those without one that two of them share are left out.

    A trait explains a failure if no request of ``others`` has it. Those that explain most come first, single ones before two together.
    """
    names = frozenset(name for body in (*failing.values(), *others) if is_object(body) for name in body)
    left = {name: traits(body, names) for name, body in failing.items()}
    passing = [traits(body, names) for body in others]
    found: dict[str, Trait] = {}
    for size in (1, 2):
        while (best := _best(list(left.values()), passing, size)) is not None:
            explained = [name for name, having in left.items() if best <= having]
            found |= dict.fromkeys(explained, best)
            for name in explained:
                del left[name]
    return found


def _best(failing: Sequence[Trait], passing: Sequence[Trait], size: int) -> Trait | None:
    """Return the traits that explain the most failing requests, at least two; the first ones by name of several."""
    counts: dict[Trait, int] = {}
    if size > 1 and len(Trait().union(*failing)) > _MOST_PAIRED:
        return None
    for having in failing:
        for chosen in combinations(sorted(having), size):
            counts[frozenset(chosen)] = counts.get(frozenset(chosen), 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], sorted(item[0])))
    shared = (trait for trait, count in ranked if count > 1)
    return next((trait for trait in shared if not any(trait <= having for having in passing)), None)


def traits(body: Any, names: Collection[str] = ()) -> Trait:
    """Return the traits of a request in words; of the properties in ``names``, those that are absent are traits too."""
    if not is_object(body):
        return frozenset()
    absent = (f"no {name}" for name in names if name not in body)
    return frozenset((*absent, *(f"{name} {trait}" for name, value in body.items() for trait in _of_value(value))))


def _of_value(value: Any) -> Iterator[str]:
    if is_array(value):
        yield f"with {len(value)} item{'' if len(value) == 1 else 's'}"
        yield from {f"with an item that is {trait}" for item in value for trait in _of_item(item)}
    elif isinstance(value, str):
        yield from _of_text(value)
    elif not is_object(value):
        yield f"= {json.dumps(value)}"


def _of_item(item: Any) -> Iterator[str]:
    """Yield the traits of an input picture, without those of its bytes."""
    if not isinstance(item, str):
        return
    media_type = re.match(r"data:([\w/.+-]+)", item)
    if media_type:
        yield f"a data URI of {media_type[1]}"
    elif re.match(r"(?i)https?:", item):
        yield "a URL"
        yield from (["a URL with a query"] if "?" in item else [])
    else:
        yield "neither URL nor data URI"


def _of_text(text: str) -> Iterator[str]:
    if len(text) <= _SHORT:
        yield f"= {text!r}"
        yield from (["in capitals"] if text.isupper() else ["in title case"] if text.istitle() else [])
    yield from (f"longer than {length:,} characters" for length in _LENGTHS if len(text) > length)
    if not text.strip():
        yield "that is blank"
    elif len(text) == 1:
        yield "of one character"
    elif text.isdecimal():
        yield "of digits"
    yield from (f"with {name}" for mark, name in _MARKS.items() if mark in text)
    if not text.isascii():
        yield "with letters beyond ASCII"
        scripts = {unicodedata.name(one, "unnamed").partition(" ")[0] for one in set(text) if ord(one) > 0x7F}
        yield from (f"with {script} characters" for script in scripts)
        yield from (["with characters beyond U+FFFF"] if any(ord(one) > 0xFFFF for one in text) else [])
