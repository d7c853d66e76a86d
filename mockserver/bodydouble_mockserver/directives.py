"""Directives for a single answer, such as a status, a delay or a fault, from ``Prefer`` headers and scripted answers."""

import contextlib
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity

from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.settings import Images

__all__ = [
    "DIRECTIVE_NAMES",
    "BadDirective",
    "DirectiveChoices",
    "Directives",
    "directive_options",
    "parse_directive",
    "parse_prefer",
    "parse_seconds",
    "prefer_finding",
    "unread_preferences",
]

_MAX_SECONDS = 3600
_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?|\.[0-9]{1,6}", re.ASCII)
# A header is a list of preferences; commas in quotes do not separate them. Possessive quantifiers keep the time linear.
_ITEM = re.compile(r'(?:[^",]++|"(?:[^"\\]|\\.?)*+"?)++', re.DOTALL)
# name[=value], where the value is a token or a quoted string; RFC 7240 allows parameters after it, which are ignored here.
_PREFERENCE = re.compile(
    r'\s*+([!#$%&\'*+.^_`|~0-9A-Za-z-]++)\s*+(?:=\s*+("(?:[^"\\]|\\.)*+"\s*+(?=;|$)|[^;]*+))?(?:;.*)?', re.DOTALL
)


class BadDirective(ValueError):
    """A directive with an invalid value; the message names it and lists the valid ones."""


@dataclass(frozen=True, slots=True)
class Directives:
    """Changes to a single answer; None means unchanged. ``delay`` is a range in seconds, ``retry_after`` a number of seconds."""

    code: int | None = None
    delay: tuple[float, float] | None = None
    dialect: str | None = None
    envelope: str | None = None
    retry_after: int | None = None
    images: Images | None = None
    violation: str | None = None
    fault: str | None = None

    def with_defaults(self, other: "Directives") -> "Directives":
        """Return these directives, with those of ``other`` where these are None."""
        return replace(other, **{name: value for name, value in self.given().items() if value is not None})

    def given(self) -> dict[str, Any]:
        """Return the directives that are set, by field name."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}

    def as_preferences(self) -> dict[str, str]:
        """Return the directives that are set, by name, in the form of ``Prefer``: ``{"delay": "delay=30..60"}``."""
        given = self.given()
        return {name: f"{name}={_text(given[field])}" for name, (field, _, _) in _DIRECTIVES.items() if field in given}


@dataclass(frozen=True, slots=True)
class DirectiveChoices:
    """The dialects and violations of one operation, derived from its contract."""

    dialects: tuple[str, ...]
    violations: tuple[str, ...]


def parse_directive(name: str, value: Any, choices: DirectiveChoices) -> dict[str, Any]:
    """Parse one directive into the field of `Directives` that it sets; ``value`` is text (Prefer) or JSON (a scripted answer).

    Raises BadDirective with the valid values, and KeyError for an unknown name.
    """
    field, parse, allowed = _DIRECTIVES[name]
    parsed = parse(value, choices)
    if parsed is None:
        options = directive_options(name, choices) if name in _OPTIONS else []
        advice = _advice(difflib.get_close_matches(str(value)[:60], options, 1))
        raise BadDirective(f"{name}={str(value)[:60]} is not valid; {name} takes {allowed(choices)}{advice}")
    return {field: parsed}


def directive_options(name: str, choices: DirectiveChoices) -> list[str]:
    """Return the values of a directive that has a list of them."""
    return [*_OPTIONS[name](choices)]


def parse_prefer(values: Iterable[bytes], choices: DirectiveChoices) -> Directives:
    """Parse the directives of all Prefer headers of a request.

    The first valid value of a repeated preference counts. Preferences that are unknown, malformed or have an invalid value are ignored
    (RFC 7240), see `unread_preferences`.
    """
    chosen: dict[str, Any] = {}
    for _, name, value in _preferences(values):
        if name in _DIRECTIVES and _DIRECTIVES[name][0] not in chosen:
            with contextlib.suppress(BadDirective):
                chosen |= parse_directive(name, value, choices)
    return Directives(**chosen)


def unread_preferences(values: Iterable[bytes], choices: DirectiveChoices, operation: str | None) -> list[Finding]:
    """List the preferences that have no effect since they were not understood: misspelt, malformed or with an invalid value.

    Those of RFC 7240 and its extensions are meant for the service, and are none.
    """
    findings: list[Finding] = []
    for item, name, value in _preferences(values):
        severity, reason = Severity.WARNING, ""
        if name in _DIRECTIVES:
            try:
                parse_directive(name, value, choices)
            except BadDirective as error:
                reason = str(error)
        elif not name:
            reason = f"{item.strip()[:60]!r} is not understood; write name=value"
        elif name not in _REGISTERED:
            meant = _SYNONYMS.get(name) or next(iter(difflib.get_close_matches(name, DIRECTIVE_NAMES, 1)), None)
            severity = Severity.INFO if meant is None else Severity.WARNING
            reason = f"{item.strip()[:60]!r} is not understood{_advice([meant] if meant else [])}"
        if reason:
            findings.append(prefer_finding("prefer-not-understood", reason, operation, severity))
    return findings[:1] + [item for item in findings[1:_MAX_UNREAD] if item.message != findings[0].message]


def prefer_finding(rule: str, reason: str, operation: str | None, severity: Severity = Severity.WARNING) -> Finding:
    """Return the finding about a preference that has no effect."""
    return Finding(
        rule, severity, Evidence.ASSUMED, "/header/Prefer", f"Prefer: {reason}", direction="request", operation=operation
    )  # fmt: skip


def _preferences(values: Iterable[bytes]) -> Iterator[tuple[str, str, str]]:
    """Yield the preferences of Prefer headers: as sent, name in lower case (empty where it is malformed), and value."""
    for header in values:
        for item in _ITEM.findall(header.decode("latin-1")):
            match = _PREFERENCE.fullmatch(item)
            if match is not None:
                yield item, match[1].lower(), _unquote(match[2] or "")
            elif item.strip():
                yield item, "", ""


def _advice(meant: Iterable[str]) -> str:
    return "".join(f"; did you mean {name}?" for name in meant)


def _unquote(value: str) -> str:
    text = value.strip()
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text


def _text(value: str | int | tuple[float, float]) -> str:
    if not isinstance(value, tuple):
        return str(value)
    least, most = (f"{seconds:.6f}".rstrip("0").rstrip(".") for seconds in value)
    return least if least == most else f"{least}..{most}"


def _code(value: Any, _choices: DirectiveChoices) -> int | None:
    number = _whole_number(value)
    return number if number is not None and 200 <= number <= 599 else None


def _retry_after(value: Any, _choices: DirectiveChoices) -> int | None:
    number = _whole_number(value)
    return number if number is not None and 0 <= number <= 10**9 else None


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_seconds(value: Any) -> tuple[float, float] | None:
    """Parse a range of seconds from a number, "2" or "30..60"; return None when it is invalid or longer than an hour."""
    low, dots, high = value.partition("..") if isinstance(value, str) else (value, "", value)
    least, most = _seconds(low), _seconds(high if dots else low)
    return None if least is None or most is None or least > most else (least, most)


def _delay(value: Any, _choices: DirectiveChoices) -> tuple[float, float] | None:
    return parse_seconds(value)


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        return _seconds(float(value)) if _SECONDS.fullmatch(value) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= _MAX_SECONDS else None


def _one_of(names: Callable[[DirectiveChoices], Iterable[str]]) -> Callable[[Any, DirectiveChoices], str | None]:
    return lambda value, choices: value if isinstance(value, str) and value in names(choices) else None


def _list_allowed(names: Callable[[DirectiveChoices], Iterable[str]]) -> Callable[[DirectiveChoices], str]:
    def describe(choices: DirectiveChoices) -> str:
        allowed = ", ".join(names(choices))
        return f"one of {allowed}" if allowed else "no value (this contract has none)"

    return describe


def _fixed_text(text: str) -> Callable[[DirectiveChoices], str]:
    return lambda _choices: text


def _images(value: Any, _choices: DirectiveChoices) -> Images | None:
    return Images(value) if value in list(Images) else None


def _dialects(choices: DirectiveChoices) -> Iterable[str]:
    return choices.dialects


def _violations(choices: DirectiveChoices) -> Iterable[str]:
    return choices.violations


def _envelopes(_choices: DirectiveChoices) -> Iterable[str]:
    return ("problem", "legacy")


def _fault_names(_choices: DirectiveChoices) -> Iterable[str]:
    return FAULTS


# By name: the field that it sets, its parser (which returns None for an invalid value), and the description of the valid values.
_DIRECTIVES: Mapping[str, tuple[str, Callable[[Any, DirectiveChoices], Any], Callable[[DirectiveChoices], str]]] = {
    "code": ("code", _code, _fixed_text("a status from 200 to 599")),
    "delay": ("delay", _delay, _fixed_text(f"seconds, or <least>..<most>, up to {_MAX_SECONDS}")),
    "dialect": ("dialect", _one_of(_dialects), _list_allowed(_dialects)),
    "envelope": ("envelope", _one_of(_envelopes), _list_allowed(_envelopes)),
    "fault": ("fault", _one_of(_fault_names), _list_allowed(_fault_names)),
    "images": ("images", _images, _fixed_text(f"one of {', '.join(Images)}")),
    "retry-after": ("retry_after", _retry_after, _fixed_text("whole seconds")),
    "violation": ("violation", _one_of(_violations), _list_allowed(_violations)),
}

DIRECTIVE_NAMES = tuple(_DIRECTIVES)
_OPTIONS: Mapping[str, Callable[[DirectiveChoices], Iterable[str]]] = {
    "dialect": _dialects,
    "envelope": _envelopes,
    "fault": _fault_names,
    "images": lambda _choices: Images,
    "violation": _violations,
}
# The registry of preferences (RFC 7240, section 5.1).
_REGISTERED = {"depth-noroot", "handling", "respond-async", "return", "safe", "wait"}
_SYNONYMS = {"error": "fault", "latency": "delay", "sleep": "delay", "status": "code", "statuscode": "code"}
_MAX_UNREAD = 20
