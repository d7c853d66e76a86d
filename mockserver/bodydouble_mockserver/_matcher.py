"""Which calls are meant: the matcher of scripted answers and of the journal's ``verify``."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from bodydouble_spec import is_object, join_pointer

__all__ = ["BadMatch", "Call", "Matcher"]

_MOST_PATTERN = 1000
Test = Callable[["Call"], bool]


class BadMatch(ValueError):
    """A matcher that cannot be used: where in it, as a JSON pointer, and what is wrong."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(f"{pointer or '/'}: {problem}")
        self.pointer = pointer
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a matcher sees it: header names in lower case, ``key`` the short hash of its key, ``number`` counted from 1.

    ``status`` and ``has_findings`` are known of a call that was answered.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    parsed: Any
    key: str
    number: int
    status: int | None = None
    has_findings: bool | None = None


@dataclass(frozen=True, slots=True)
class Matcher:
    """All of its tests must hold."""

    tests: tuple[Test, ...]

    @classmethod
    def parse(cls, value: Any) -> "Matcher":
        """A matcher from JSON, for example ``{"prompt": "dinosaur", "call": 3}``.

        ``method``, ``path`` (``*`` for any characters), ``prompt`` (regular expression, searched, in linear time), ``model``, ``key`` (the
        short hash that the journal shows), ``header`` (names with a value each, or null for absent), ``call`` (the n-th), ``status`` (429 or
        "4xx"), ``findings`` (whether there were any). Raises BadMatch.
        """
        if not is_object(value):
            raise BadMatch("", f"a matcher is an object with some of {', '.join(_KINDS)}")
        tests: list[Test] = []
        for name, wanted in value.items():
            if name not in _KINDS:
                raise BadMatch(join_pointer("", name[:60]), f"unknown key; known are {', '.join(_KINDS)}")
            tests.append(_KINDS[name](wanted, f"/{name}"))
        return cls(tuple(tests))

    def matches(self, call: Call) -> bool:
        """Whether the call is meant."""
        return all(test(call) for test in self.tests)


def _method(wanted: Any, pointer: str) -> Test:
    text = _text(wanted, pointer).upper()
    return lambda call: call.method == text


def _path(wanted: Any, pointer: str) -> Test:
    # Brackets and question marks are no patterns here: they stand for themselves.
    pattern = _pattern(wanted, pointer).replace("[", "[[]").replace("?", "[?]")
    return lambda call: fnmatch.fnmatchcase(call.path, pattern)


def _prompt(wanted: Any, pointer: str) -> Test:
    expression = _pattern(wanted, pointer)
    try:
        # Rust's engine: linear time whatever the expression, which Python's is not.
        validator = jsonschema_rs.Draft202012Validator(
            {"pattern": expression}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError:
        raise BadMatch(pointer, "this is no regular expression (without look-around and back-references)") from None

    def test(call: Call) -> bool:
        prompt = call.parsed.get("prompt") if is_object(call.parsed) else None
        return isinstance(prompt, str) and validator.is_valid(prompt)

    return test


def _model(wanted: Any, pointer: str) -> Test:
    text = _text(wanted, pointer)
    return lambda call: is_object(call.parsed) and call.parsed.get("model") == text


def _key(wanted: Any, pointer: str) -> Test:
    text = _text(wanted, pointer)
    return lambda call: call.key == text


def _header(wanted: Any, pointer: str) -> Test:
    if not is_object(wanted) or not all(value is None or isinstance(value, str) for value in wanted.values()):
        raise BadMatch(pointer, 'this must be an object like {"x-team": "blue"}, null for a header that is absent')
    pairs = [(name.lower(), value) for name, value in wanted.items()]
    return lambda call: all(call.headers.get(name) == value for name, value in pairs)


def _call(wanted: Any, pointer: str) -> Test:
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
        raise BadMatch(pointer, "this must be a whole number from 1: the n-th call")
    return lambda call: call.number == wanted


def _status(wanted: Any, pointer: str) -> Test:
    text = str(wanted).lower()
    if (
        isinstance(wanted, bool)
        or len(text) != 3
        or text[0] not in "12345"
        or not ((text.isdecimal() and text.isascii()) or text[1:] == "xx")
    ):
        raise BadMatch(pointer, 'this must be a status like 429, or a class like "4xx"')
    return lambda call: str(call.status) == text or (text.endswith("xx") and str(call.status)[0] == text[0])


def _findings(wanted: Any, pointer: str) -> Test:
    if not isinstance(wanted, bool):
        raise BadMatch(pointer, "this must be true or false")
    return lambda call: call.has_findings is wanted


def _text(wanted: Any, pointer: str) -> str:
    if not isinstance(wanted, str):
        raise BadMatch(pointer, "this must be a text")
    return wanted


def _pattern(wanted: Any, pointer: str) -> str:
    text = _text(wanted, pointer)
    if len(text) > _MOST_PATTERN:
        raise BadMatch(pointer, f"this has more than {_MOST_PATTERN} characters")
    return text


_KINDS: dict[str, Callable[[Any, str], Test]] = {
    "call": _call,
    "findings": _findings,
    "header": _header,
    "key": _key,
    "method": _method,
    "model": _model,
    "path": _path,
    "prompt": _prompt,
    "status": _status,
}
