"""Matching of calls, for scripted answers and the journal's ``verify``."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from bodydouble_spec import is_array, is_object, join_pointer, pointer_parts
from bodydouble_spec.schema import json_key

__all__ = ["BadMatch", "MatchedRequest", "Matcher"]

_MAX_PATTERN = 1000
Condition = Callable[["MatchedRequest"], bool]


class BadMatch(ValueError):
    """A matcher that cannot be used: the JSON pointer of the mistake, and the reason."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '/'}: {reason}")
        self.pointer = pointer
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MatchedRequest:
    """A request as a matcher sees it: header names in lower case, ``key`` as short hash, ``number`` counted from 1.

    ``status`` and ``has_findings`` are None until the request was answered.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    parsed: Any
    key: str
    number: int
    status: int | None = None
    has_findings: bool | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Matcher:
    """A set of conditions, all of which must hold."""

    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, value: Any) -> "Matcher":
        """Parse a matcher from JSON values, for example ``{"prompt": "dinosaur", "call": 3}``.

        ``method``, ``path`` (``*`` for any characters), ``prompt`` (regular expression, searched, in linear time), ``model``, ``key`` (the
        short hash in the journal), ``header`` (values by name, null for an absent header), ``call`` (the n-th), ``status`` (429 or "4xx"),
        ``findings`` (true when there are any), ``kind`` (call or picture). A name that begins with a slash is a JSON pointer of the body, whose value must be equal; null
        is for a value that is null or absent. Raises BadMatch.
        """
        if not is_object(value):
            raise BadMatch(
                "", f"a matcher is an object with any of {', '.join(_CONDITIONS)}, and JSON pointers of the body"
            )
        conditions: list[Condition] = []
        for name, expected in value.items():
            if name.startswith("/"):
                conditions.append(_value(name, expected))
                continue
            if name not in _CONDITIONS:
                raise BadMatch(
                    join_pointer("", name[:60]),
                    f"unknown key; known keys: {', '.join(_CONDITIONS)}, and JSON pointers of the body such as /num_images",
                )
            conditions.append(_CONDITIONS[name](expected, f"/{name}"))
        return cls(tuple(conditions))

    def matches(self, request: MatchedRequest) -> bool:
        """Return whether the request meets all conditions."""
        return all(condition(request) for condition in self.conditions)


def _value(pointer: str, expected: Any) -> Condition:
    parts = pointer_parts(pointer)
    key = json_key(expected)
    return lambda request: json_key(_at(request.parsed, parts)) == key


def _at(value: Any, parts: Sequence[str]) -> Any:
    for part in parts:
        if is_object(value):
            value = value.get(part)
        elif is_array(value) and part.isascii() and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _method(expected: Any, pointer: str) -> Condition:
    text = _text(expected, pointer).upper()
    return lambda request: request.method == text


def _path(expected: Any, pointer: str) -> Condition:
    # Brackets and question marks are literal characters here, not patterns.
    pattern = _pattern(expected, pointer).replace("[", "[[]").replace("?", "[?]")
    return lambda request: fnmatch.fnmatchcase(request.path, pattern)


def _prompt(expected: Any, pointer: str) -> Condition:
    expression = _pattern(expected, pointer)
    try:
        # Rust's engine runs in linear time for any expression; Python's does not.
        validator = jsonschema_rs.Draft202012Validator(
            {"pattern": expression}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError:
        raise BadMatch(
            pointer, "this is not a valid regular expression (look-around and back-references are not supported)"
        ) from None

    def condition(request: MatchedRequest) -> bool:
        prompt = request.parsed.get("prompt") if is_object(request.parsed) else None
        return isinstance(prompt, str) and validator.is_valid(prompt)

    return condition


def _model(expected: Any, pointer: str) -> Condition:
    text = _text(expected, pointer)
    return lambda request: is_object(request.parsed) and request.parsed.get("model") == text


def _key(expected: Any, pointer: str) -> Condition:
    text = _text(expected, pointer)
    return lambda request: request.key == text


def _header(expected: Any, pointer: str) -> Condition:
    if not is_object(expected) or not all(value is None or isinstance(value, str) for value in expected.values()):
        raise BadMatch(pointer, 'this must be an object like {"x-team": "blue"}, null for a header that is absent')
    pairs = [(name.lower(), value) for name, value in expected.items()]
    return lambda request: all(request.headers.get(name) == value for name, value in pairs)


def _call(expected: Any, pointer: str) -> Condition:
    if not isinstance(expected, int) or isinstance(expected, bool) or expected < 1:
        raise BadMatch(pointer, "this must be a whole number, 1 or more: the n-th call")
    return lambda request: request.number == expected


def _status(expected: Any, pointer: str) -> Condition:
    text = str(expected).lower()
    if (
        isinstance(expected, bool)
        or len(text) != 3
        or text[0] not in "12345"
        or not ((text.isdecimal() and text.isascii()) or text[1:] == "xx")
    ):
        raise BadMatch(pointer, 'this must be a status like 429, or a class like "4xx"')
    return lambda request: str(request.status) == text or (text.endswith("xx") and str(request.status)[0] == text[0])


def _findings(expected: Any, pointer: str) -> Condition:
    if not isinstance(expected, bool):
        raise BadMatch(pointer, "this must be true or false")
    return lambda request: request.has_findings is expected


def _kind(expected: Any, pointer: str) -> Condition:
    if expected not in ("call", "picture"):
        raise BadMatch(pointer, 'this must be "call" or "picture"')
    return lambda request: (request.kind or "call") == expected


def _text(expected: Any, pointer: str) -> str:
    if not isinstance(expected, str):
        raise BadMatch(pointer, "this must be a string")
    return expected


def _pattern(expected: Any, pointer: str) -> str:
    text = _text(expected, pointer)
    if len(text) > _MAX_PATTERN:
        raise BadMatch(pointer, f"this is longer than {_MAX_PATTERN} characters")
    return text


_CONDITIONS: dict[str, Callable[[Any, str], Condition]] = {
    "call": _call,
    "findings": _findings,
    "header": _header,
    "key": _key,
    "kind": _kind,
    "method": _method,
    "model": _model,
    "path": _path,
    "prompt": _prompt,
    "status": _status,
}
