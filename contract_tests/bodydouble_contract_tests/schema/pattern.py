"""Texts that match a regular expression of a contract. Its dialect is ECMA-262, not Python's."""

import re
from functools import cache
from random import Random

import hypothesis
import jsonschema_rs
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

__all__ = ["alternatives", "in_python", "matches", "matching", "simplest_match"]

_REJECTS_WHEN_SEARCHING = 2000


@cache
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches in JSON Schema's sense: anywhere in the text, by ECMA-262."""
    return _validator(pattern).is_valid(text)


@cache
def matching(pattern: str) -> st.SearchStrategy[str] | None:
    """Return a strategy for matching texts, or None when Python's ``re`` cannot read the pattern, as with ``\\p{L}``."""
    try:
        compiled = re.compile(in_python(pattern), re.ASCII)
        strategy = st.from_regex(compiled, alphabet=st.characters(codec="utf-8"))
        strategy.validate()
    except (re.error, HypothesisException, OverflowError):
        return None
    return strategy.filter(lambda text: matches(pattern, text))


@cache
def simplest_match(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """Return a short match of ``least`` to ``most`` characters, always the same one, or None when none is found."""
    strategy = matching(pattern)
    if strategy is None:
        return None
    settings = hypothesis.settings(
        max_examples=_REJECTS_WHEN_SEARCHING,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=[hypothesis.HealthCheck.filter_too_much, hypothesis.HealthCheck.too_slow],
    )
    try:
        return hypothesis.find(
            strategy,
            lambda text: least <= len(text) and (most is None or len(text) <= most),
            settings=settings,
            random=Random(0),  # noqa: S311 - the same text every time is the point
        )
    except HypothesisException:
        return None


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
    """Translate a pattern to Python's syntax: named groups, and ``$`` as the end of the text, not before a line break."""
    result: list[str] = []
    for character, is_in_class in _characters(pattern):
        if character == "$" and not is_in_class:
            result.append(r"\Z")
        else:
            result.append(character)
    return re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", "".join(result))


def _characters(pattern: str) -> list[tuple[str, bool]]:
    """Return each character, with its backslash, and whether it is in a character class."""
    characters: list[tuple[str, bool]] = []
    is_in_class = False
    for match in re.finditer(r"\\.|.", pattern, re.DOTALL):
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
