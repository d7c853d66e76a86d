"""Texts that match a regular expression of a contract. Its dialect is ECMA-262, not Python's."""

import re
import unicodedata
from functools import cache

import jsonschema_rs
from bodydouble_spec.schema import matching_text
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from bodydouble_contract_tests.schema.searching import Nothing, first_of, satisfying_any

__all__ = [
    "MOST_DRAWN",
    "alternatives",
    "in_python",
    "matches",
    "matching",
    "nesting",
    "simplest_match",
    "stretched_match",
]

MOST_DRAWN = 200
"""More characters or items than this are repeated, not drawn one by one."""
_DEEPEST_DRAWN = 2
_UNICODE_CLASS = re.compile(r"\\[pP]\{")
# What Hypothesis draws without regard to the rest of the text, so that few of its texts match.
_IS_FILTERED = re.compile(r"\(\?[=!<]|\\[bBpP1-9]")
_LAST_LISTED = 0x17F
_CATEGORIES = {
    "Any": "",
    "Letter": "L",
    "Alphabetic": "L",
    "Lowercase_Letter": "Ll",
    "Lowercase": "Ll",
    "Uppercase_Letter": "Lu",
    "Uppercase": "Lu",
    "Number": "N",
    "Decimal_Number": "Nd",
    "Punctuation": "P",
    "Symbol": "S",
    "Separator": "Z",
    "Space_Separator": "Zs",
    "White_Space": "Z",
    "Mark": "M",
    "Control": "Cc",
}


@cache
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator | None:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches in JSON Schema's sense: anywhere in the text, by ECMA-262. No text matches a malformed pattern."""
    validator = _validator(pattern)
    try:
        return validator is not None and validator.is_valid(text)
    except (ValueError, jsonschema_rs.ValidationError):  # too much backtracking
        return False


@cache
def matching(pattern: str) -> st.SearchStrategy[str] | None:
    """Return a strategy for matching texts, or None when Python's ``re`` cannot read the pattern, as with ``\\p{Script=Thai}``."""
    if _longest_repetition(pattern) > MOST_DRAWN:
        return None
    if nesting(pattern) > _DEEPEST_DRAWN:
        made = {matching_text(pattern, least) for least in (0, 1, 8, 30)} - {None}
        return st.sampled_from(sorted(filter(None, made))) if any(made) else None
    try:
        compiled = re.compile(in_python(pattern), re.ASCII)
        is_listed = _UNICODE_CLASS.search(pattern) is not None
        alphabet = st.characters(max_codepoint=_LAST_LISTED) if is_listed else st.characters(codec="utf-8")
        strategy = st.from_regex(compiled, alphabet=alphabet)
        strategy.validate()
    except (re.error, HypothesisException, OverflowError, RecursionError):
        return None
    if not _IS_FILTERED.search(pattern):
        return strategy.filter(lambda text: matches(pattern, text))
    return satisfying_any(strategy, lambda text: matches(pattern, text), is_simplest=False)


def _longest_repetition(pattern: str) -> int:
    """Return the largest number of repetitions that a pattern asks for; drawing that many characters would take long."""
    return max((int(number) for number in re.findall(r"\{(\d{1,9})(?:,\d*)?\}", pattern)), default=0)


@cache
def nesting(pattern: str) -> int:
    """Return how deep repetitions are nested in a pattern: 2 for ``(a+)+``. Each level multiplies what Hypothesis draws."""
    flat = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "a", pattern)
    flat = re.sub(r"[0-9]", "a", re.sub(r"[*+]|\{[0-9]+(?:,[0-9]*)?\}", "*", flat))
    while (group := re.search(r"\(([^()]*)\)", flat)) is not None:
        flat = f"{flat[: group.start()]}{min(_depth(group[1]), 9)}{flat[group.end() :]}"
    return _depth(flat)


def _depth(part: str) -> int:
    """Return the depth of a part in which each group is replaced by its own, a digit."""
    found = [int(match[1]) + (match[2] == "*") for match in re.finditer(r"([0-9])(.?)", part)]
    return max([*found, int("*" in part)])


def stretched_match(pattern: str, length: int) -> str | None:
    """Return a match of that many characters, made by repeating one character or all of a short match, or None when that gives none."""
    short = simplest_match(pattern) or simplest_match(pattern, 1) or ""
    for index, character in enumerate(short):
        longer = short[:index] + character * (length - len(short) + 1) + short[index + 1 :]
        if len(longer) == length and matches(pattern, longer):
            return longer
    whole = short * (length // len(short)) if short else ""
    if len(whole) == length and matches(pattern, whole):
        return whole
    fixed = re.fullmatch(r"\^?(\[[^\]]+\]|\\?.)\{(\d{1,7}),?\d*\}\$?", pattern)
    unit = simplest_match(f"^{fixed[1]}$") if fixed else None
    return unit * length if unit and matches(pattern, unit * length) else None


@cache
def simplest_match(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """Return a short match of ``least`` to ``most`` characters, always the same one, or None when none is found."""
    if nesting(pattern) > 1:
        return matching_text(pattern, least, most)
    strategy = matching(pattern)
    if strategy is None or least > MOST_DRAWN:
        return None
    is_filtered = _IS_FILTERED.search(pattern) is not None
    made = matching_text(pattern, least, most) if is_filtered else None
    if made is not None:
        return made
    found = first_of(
        strategy, lambda text: least <= len(text) and (most is None or len(text) <= most), is_simplest=not is_filtered
    )
    return None if isinstance(found, Nothing) else found


def alternatives(pattern: str) -> list[str]:
    """Split a pattern into one for each alternative at its top or in its only group: ``^(?:a|b)$`` has two."""
    parts = _split_at_bars(pattern)
    if len(parts) > 1:
        return parts
    start = "^" if pattern.startswith("^") else ""
    end = "$" if pattern.endswith("$") and not pattern.endswith("\\$") else ""
    core = pattern[len(start) : len(pattern) - len(end)]
    opening = "(?:" if core.startswith("(?:") else "(" if re.match(r"\((?!\?)", core) else ""
    if not opening or _group_end(core) != len(core) - 1:
        return [pattern]
    return [f"{start}(?:{piece}){end}" for piece in _split_at_bars(core[len(opening) : -1])]


def in_python(pattern: str) -> str:
    """Translate a pattern to Python's syntax.

    That is named groups, ``$`` as the end of the text and not before a line break, and ``\\p{…}`` as the characters of a general category, as
    far as they are Latin.
    """
    result: list[str] = []
    for character, is_in_class in _characters(pattern):
        if character.startswith((r"\p{", r"\P{")):
            members = _members(character)
            result.append(members if is_in_class else f"[{members}]")
        elif character == "$" and not is_in_class:
            result.append(r"\Z")
        else:
            result.append(character)
    return re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", "".join(result))


@cache
def _members(escape: str) -> str:
    """Return the characters of ``\\p{L}`` or of its complement, for a character class. Raises ``re.error`` for what is not a general category."""
    name = escape[3:-1].rpartition("=")[2]
    category = _CATEGORIES.get(name, name)
    is_inside = escape[1] == "p"
    characters = [
        chr(code)
        for code in range(_LAST_LISTED + 1)
        if unicodedata.category(chr(code)).startswith(category) is is_inside
    ]
    if not characters or (len(characters) == _LAST_LISTED + 1) is not (category == ""):
        raise re.error(f"unknown category {name}")
    return "".join(map(re.escape, characters))


def _characters(pattern: str) -> list[tuple[str, bool]]:
    """Return each character, with its backslash, and whether it is in a character class."""
    characters: list[tuple[str, bool]] = []
    is_in_class = False
    for match in re.finditer(r"\\[pP]\{[\w=]+\}|\\.|.", pattern, re.DOTALL):
        character = match.group()
        characters.append((character, is_in_class))
        if character == "[":
            is_in_class = True
        elif character == "]":
            is_in_class = False
    return characters


def _split_at_bars(pattern: str) -> list[str]:
    parts, depth = [""], 0
    for character, is_in_class in _characters(pattern):
        if not is_in_class:
            depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0 and not is_in_class:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _group_end(pattern: str) -> int:
    """Return the index where the group at the start of a pattern is closed, or -1."""
    position, depth = 0, 0
    for character, is_in_class in _characters(pattern):
        if not is_in_class:
            depth += (character == "(") - (character == ")")
        if depth == 0:
            return position
        position += len(character)
    return -1
