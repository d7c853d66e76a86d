"""Texts that match a regular expression of a contract, which is ECMA-262's dialect, not Python's."""

import re
from functools import cache
from random import Random

import hypothesis
import jsonschema_rs
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

__all__ = ["alternatives", "in_python", "matches", "matching", "plainest_match"]

_REJECTS_WHEN_SEARCHING = 2000


@cache
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def matches(pattern: str, text: str) -> bool:
    """Whether the text matches, as JSON Schema has it: anywhere in the text, ECMA-262."""
    return _validator(pattern).is_valid(text)


@cache
def matching(pattern: str) -> st.SearchStrategy[str] | None:
    """Texts that match; None when Python's ``re`` cannot read the pattern, as with ``\\p{L}``."""
    try:
        compiled = re.compile(in_python(pattern), re.ASCII)
        strategy = st.from_regex(compiled, alphabet=st.characters(codec="utf-8"))
        strategy.validate()
    except (re.error, HypothesisException, OverflowError):
        return None
    return strategy.filter(lambda text: matches(pattern, text))


@cache
def plainest_match(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """The same short text for the same pattern, always, ``least`` to ``most`` characters long; None when none is found."""
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
    """The pattern once for each of its alternatives at the top, or in the one group that is all of it: ``^(?:a|b)$`` has two."""
    pieces = _split(pattern)
    if len(pieces) > 1:
        return pieces
    start = "^" if pattern.startswith("^") else ""
    end = "$" if pattern.endswith("$") and not pattern.endswith("\\$") else ""
    core = pattern[len(start) : len(pattern) - len(end)]
    opening = "(?:" if core.startswith("(?:") else "(" if re.match(r"\((?!\?)", core) else ""
    if not opening or _group_end(core) != len(core) - 1:
        return [pattern]
    return [f"{start}(?:{piece}){end}" for piece in _split(core[len(opening) : -1])]


def in_python(pattern: str) -> str:
    """The same expression as Python spells it: named groups, and an end that is before no line break."""
    result: list[str] = []
    for character, is_in_class in _characters(pattern):
        if character == "$" and not is_in_class:
            result.append(r"\Z")
        else:
            result.append(character)
    return re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", "".join(result))


def _characters(pattern: str) -> list[tuple[str, bool]]:
    """Each character, with its backslash, and whether it stands in a character class."""
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


def _split(pattern: str) -> list[str]:
    pieces, depth = [""], 0
    for character, is_in_class in _characters(pattern):
        if not is_in_class:
            depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0 and not is_in_class:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def _group_end(pattern: str) -> int:
    """Where the group that a pattern begins with is closed."""
    position, depth = 0, 0
    for character, is_in_class in _characters(pattern):
        if not is_in_class:
            depth += (character == "(") - (character == ")")
        if depth == 0:
            return position
        position += len(character)
    return -1
