"""Detection of renamed properties: a removed and an added property that are one property under two names.

An equal schema is not enough: of real removals and additions with equal schemas, a third are not renamings. The names,
the descriptions or the positions must support a renaming too, and none may speak against it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

__all__ = ["Candidate", "find_renames", "name_likeness", "prose_likeness"]

# Properties whose names differ in two words of one set are siblings, not one property.
_SIBLINGS = (
    {"audio", "image", "mask", "text", "video"},
    {"back", "begin", "end", "final", "first", "front", "head", "initial", "last", "second", "start", "tail", "third"},
    {"completion", "input", "output", "prompt", "request", "response"},
    {"high", "highest", "least", "low", "lowest", "max", "maximum", "min", "minimum", "most"},
    {"height", "length", "width", "x", "y", "z"},
    {"negative", "positive"},
)
# One additional word of these makes a sibling too.
_MARKS = _SIBLINGS[1] | _SIBLINGS[3] | _SIBLINGS[5] | {"mask"}
_ALMOST_EQUAL = 0.9
_NAMES_ALIKE = 0.75
_PROSE_ALIKE = 0.7
_HALF_ALIKE = 0.5
_MIN_PROSE_WORDS = 3
_PROSE_WORD = re.compile(r"\w+")
# With so many removed and added properties, it is another object.
_MAX_PAIRS = 2500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A property that only one of two documents has.

    ``schema`` is the schema after references, ``number`` is equal for schemas that are equal apart from the default,
    ``is_required`` tells whether the property is required, and ``position`` holds the names of the properties before
    and after it, empty at either end.
    """

    name: str
    schema: Mapping[str, Any]
    number: str
    is_required: bool
    position: tuple[str, str]


def find_renames(removed: Sequence[Candidate], added: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Return the pairs that are one renamed property, the likeliest first; each property is in at most one pair."""
    if len(removed) * len(added) > _MAX_PAIRS:
        return []
    is_only_one = len(removed) == len(added) == 1
    scored = [
        (likeness, before, after)
        for before in removed
        for after in added
        if (likeness := _likeness(before, after, is_only_one=is_only_one)) > 0
    ]
    pairs: list[tuple[Candidate, Candidate]] = []
    taken: set[tuple[bool, str]] = set()
    for _, before, after in sorted(scored, key=lambda item: item[0], reverse=True):
        if (True, before.name) not in taken and (False, after.name) not in taken:
            taken |= {(True, before.name), (False, after.name)}
            pairs.append((before, after))
    return pairs


def _likeness(before: Candidate, after: Candidate, *, is_only_one: bool) -> float:
    """Return zero when the two are different properties; else a higher score for a likelier pair."""
    if before.number != after.number:
        return 0
    names = name_likeness(before.name, after.name)
    prose = prose_likeness(before.schema.get("description"), after.schema.get("description"))
    is_in_place = before.position == after.position
    if prose is None:
        is_one = names >= _NAMES_ALIKE or (names >= _HALF_ALIKE and is_in_place and is_only_one)
    elif names >= _NAMES_ALIKE:
        is_one = prose >= _HALF_ALIKE
    else:
        is_one = prose >= _PROSE_ALIKE and (
            names >= _HALF_ALIKE or (is_in_place and names > 0) or prose >= _ALMOST_EQUAL
        )
    if not is_one or _are_siblings(before.name, after.name):
        return 0
    return names + (prose or 0) + is_in_place


def name_likeness(before: str, after: str) -> float:
    """Return the likeness of two names from 0 to 1.

    It is high for nearly the same spelling, and for one additional word (``sample_rate``, ``audio_sample_rate``).
    """
    words = _words(before), _words(after)
    shorter, longer = sorted(words, key=len)
    has_more = len(shorter) > 1 and set(shorter) < set(longer)
    spelled = SequenceMatcher(None, "".join(words[0]), "".join(words[1]), autojunk=False).ratio()
    return max(_ALMOST_EQUAL, spelled) if has_more else spelled


def prose_likeness(before: Any, after: Any) -> float | None:
    """Return the likeness of two descriptions from 0 to 1; None when one is missing or too short to tell."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return None
    texts = [_PROSE_WORD.findall(text.lower()) for text in (before, after)]
    if min(map(len, texts)) < _MIN_PROSE_WORDS:
        return None
    return SequenceMatcher(None, texts[0], texts[1], autojunk=False).ratio()


def _are_siblings(before: str, after: str) -> bool:
    """Return whether two names differ in a word that tells siblings apart, as ``first_frame`` and ``last_frame`` do."""
    words = set(_words(before)), set(_words(after))
    only = words[0] - words[1], words[1] - words[0]
    if all(only):
        return any(only[0] & group and only[1] & group for group in _SIBLINGS)
    return bool((only[0] | only[1]) & _MARKS)


def _words(name: str) -> list[str]:
    """Split a name into its words in lower case, for any naming style."""
    return re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
