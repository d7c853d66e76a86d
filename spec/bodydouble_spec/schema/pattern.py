"""Texts that match a regular expression of a contract, whose dialect is ECMA-262."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import jsonschema_rs

__all__ = ["matches_pattern", "matching_text"]

_LONGEST_TEXT = 100_000
_MOST_STEPS = 200_000_000
_MOST_STATES = 200_000
_COUNTED = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
# Characters of all texts that are made for one pattern.
_MOST_DRAWN = 300_000
_VARIANTS = 24
# The order of preference within a character class: the variants of a text mix these kinds.
_LETTERS = "a0A" + "".join(chr(code) for code in range(0x20, 0x7F))
_CATEGORIES = "aA0é中_ -"
_DIGITS, _SPACES = "0123456789", " \t\n\r\v\f"
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "v": "\v", "f": "\f", "0": "\0"}

_Member = Callable[[str], bool]


@cache
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def matches_pattern(pattern: str, text: str) -> bool:
    """Return whether a text matches in JSON Schema's sense: anywhere in the text, by ECMA-262."""
    try:
        return _validator(pattern).is_valid(text)
    except ValueError:
        return False


@cache
def matching_text(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """Return a short match of ``least`` to ``most`` characters, always the same one, or None when none is found."""
    states = _states(pattern)
    if least > _LONGEST_TEXT or states > _MOST_STATES:
        return None
    try:
        node = _Parser(pattern).parse()
        drawn = _drawn(node, least)
        # A matcher takes up to as many steps as the text has characters, times the states of the pattern.
        longest = _MOST_STEPS // states
        fitting = (text for text in drawn if _fits(text, least, most) and len(text) <= longest)
        return next((text for text in fitting if matches_pattern(pattern, text)), None)
    except (_Unsupported, IndexError, RecursionError, ValueError):
        return None


def _states(pattern: str) -> int:
    """Return about how many states a pattern has when its counted repetitions are written out, at least 1."""
    counts = [max(int(number[:9]) for number in found if number) for found in _COUNTED.findall(pattern)]
    return max(1, math.prod(counts)) + len(pattern)


def _fits(text: str, least: int, most: int | None) -> bool:
    return least <= len(text) and (most is None or len(text) <= most)


def _drawn(node: "_Node", least: int) -> Iterator[str]:
    """Yield texts of a pattern, the shortest first; padded ones suit a pattern without anchors."""
    spent = 0
    for variant in range(_VARIANTS):
        shortest = node(_Draw(variant, 0))
        missing = max(0, least - len(shortest))
        for more in dict.fromkeys([0, 1, 2, 3, 4, 8, *(-(-missing // parts) for parts in range(1, 7))]):
            draw = _Draw(variant, more)
            yield node(draw)
            spent += draw.characters
            if spent > _MOST_DRAWN:
                return
        if 0 < missing <= _LONGEST_TEXT:
            yield from (shortest + "a" * missing, "a" * missing + shortest)


class _Unsupported(Exception):
    """The pattern uses syntax that this module does not read, or its texts are too long."""


@dataclass(slots=True)
class _Draw:
    """One text being made: ``variant`` selects alternatives and characters, ``more`` the repetitions beyond the fewest."""

    variant: int
    more: int
    groups: list[str] = field(default_factory=list[str])
    characters: int = 0

    def spend(self, count: int = 1) -> None:
        self.characters += count
        if self.characters > _LONGEST_TEXT:
            raise _Unsupported


_Node = Callable[[_Draw], str]


class _Parser:
    """A recursive-descent parser that turns a pattern into a function from draws to texts; assertions count as empty."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def parse(self) -> _Node:
        node = self._alternatives()
        if self._at < len(self._text):
            raise _Unsupported
        return node

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        found = self._peek(text)
        self._at += len(text) if found else 0
        return found

    def _next(self) -> str:
        character = self._text[self._at]
        self._at += 1
        return character

    def _until(self, end: str) -> str:
        start = self._at
        self._at = self._text.index(end, start) + len(end)
        return self._text[start : self._at - len(end)]

    def _alternatives(self) -> _Node:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else lambda draw: branches[draw.variant % len(branches)](draw)

    def _sequence(self) -> _Node:
        nodes: list[_Node] = []
        while self._at < len(self._text) and not self._peek("|") and not self._peek(")"):
            nodes.append(self._repeated(self._atom()))
        return lambda draw: "".join([node(draw) for node in nodes])

    def _repeated(self, node: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        least, most = bounds

        def repeat(draw: _Draw) -> str:
            count = least + draw.more if most is None else min(most, least + draw.more)
            draw.spend(count)
            return "".join([node(draw) for _ in range(count)])

        return repeat

    def _bounds(self) -> tuple[int, int | None] | None:
        result: tuple[int, int | None] | None = None
        if self._take("*"):
            result = (0, None)
        elif self._take("+"):
            result = (1, None)
        elif self._take("?"):
            result = (0, 1)
        elif self._peek("{") and self._text[self._at + 1 : self._at + 2].isdigit():
            self._at += 1
            low, comma, high = self._until("}").partition(",")
            result = (int(low), int(high) if high else None if comma else int(low))
        if result is not None:
            self._take("?")  # a lazy quantifier matches the same texts
        return result

    def _atom(self) -> _Node:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._one_of(self._class())
        character = self._next()
        if character in "^$":
            return _empty
        if character == ".":
            return self._one_of(lambda letter: letter not in "\n\r")
        return self._escape() if character == "\\" else _literal(character)

    def _group(self) -> _Node:
        is_assertion = any(self._take(start) for start in ("?=", "?!", "?<=", "?<!"))
        captures = not is_assertion and not self._take("?:")
        if captures and self._take("?<"):
            self._until(">")
        inner = self._alternatives()
        if not self._take(")"):
            raise _Unsupported
        if is_assertion:
            return _empty
        if not captures:
            return inner

        def capture(draw: _Draw) -> str:
            text = inner(draw)
            draw.groups.append(text)
            return text

        return capture

    def _escape(self) -> _Node:
        if self._text[self._at] in "bB":
            self._at += 1
            return _empty
        if self._text[self._at] in "123456789":
            number = int(self._next())
            return lambda draw: draw.groups[number - 1]
        member = self._escaped_member()
        return _literal(member) if isinstance(member, str) else self._one_of(member)

    def _escaped_member(self) -> str | _Member:
        """Read what follows a backslash: one character, or the members of a class."""
        letter = self._next()
        if letter in "dDwWsSpP":
            return self._named_class(letter)
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "u" and self._take("{"):
            return chr(int(self._until("}"), 16))
        if letter in "xu":
            length = 2 if letter == "x" else 4
            code = self._text[self._at : self._at + length]
            self._at += length
            return chr(int(code, 16))
        return letter

    def _named_class(self, letter: str) -> _Member:
        kind = letter.lower()
        if kind == "d":
            positive: _Member = _DIGITS.__contains__
        elif kind == "w":
            positive = lambda one: one == "_" or (one.isascii() and one.isalnum())  # noqa: E731 - one of four
        elif kind == "s":
            positive = _SPACES.__contains__
        elif self._take("{"):
            category = self._until("}").rpartition("=")[2][:2]
            positive = lambda one: unicodedata.category(one).startswith(category)  # noqa: E731 - one of four
        else:
            raise _Unsupported
        return positive if letter == kind else lambda one: not positive(one)

    def _class(self) -> _Member:
        is_negated = self._take("^")
        members: list[_Member] = []
        while not self._take("]"):
            first = self._class_member()
            if isinstance(first, str) and self._peek("-") and not self._peek("-]"):
                self._at += 1
                last = self._class_member()
                if not isinstance(last, str):
                    raise _Unsupported
                members.append(_between(first, last))
            else:
                members.append(first.__eq__ if isinstance(first, str) else first)

        def is_member(letter: str) -> bool:
            return any(member(letter) is True for member in members) is not is_negated

        return is_member

    def _class_member(self) -> str | _Member:
        character = self._next()
        if character != "\\":
            return character
        return "\b" if self._take("b") else self._escaped_member()

    def _one_of(self, member: _Member) -> _Node:
        # The pattern's own characters are the ends of its ranges.
        candidates = [*_LETTERS, *_CATEGORIES, *self._text, *_SPACES, *_CONTROLS.values(), "\x7f", "\U0001f600"]
        allowed: list[str] = [letter for letter in dict.fromkeys(candidates) if member(letter)]
        if not allowed:
            raise _Unsupported

        def draw_one(draw: _Draw) -> str:
            draw.spend()
            shift = draw.variant + draw.characters if draw.variant else 0
            return allowed[shift % min(len(allowed), draw.variant + 1)]

        return draw_one


def _empty(_draw: _Draw) -> str:
    return ""


def _literal(character: str) -> _Node:
    def draw_it(_draw: _Draw) -> str:
        return character

    return draw_it


def _between(first: str, last: str) -> _Member:
    return lambda letter: first <= letter <= last
