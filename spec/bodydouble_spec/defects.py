"""The collector for the findings of loading, and the short form of a value in a message."""

import json
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.text import cut_counted
from bodydouble_spec.values import is_array, is_object

__all__ = ["Defects", "listed", "shorten", "show"]

Value = TypeVar("Value")

_SHOWN_CHARACTERS = 60
_SHOWN_ENTRIES = 24
_LISTED_CHARACTERS = 120


class Defects:
    """Findings about one document, in the order in which they were found, each rule once at each place."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings so far."""
        return tuple(self._findings)

    def add(
        self,
        rule: str,
        pointer: str,
        message: str,
        *,
        severity: Severity = Severity.WARNING,
        repaired: str | None = None,
        got: Any = None,
    ) -> None:
        """Add a finding: a warning when the repair loses nothing, an error when it loses a promise."""
        finding = Finding(rule, severity, Evidence.DOCUMENTED, pointer, message, got=shorten(got), repaired=repaired)
        self._findings.setdefault(finding)

    def add_error(self, rule: str, pointer: str, message: str, *, repaired: str, got: Any = None) -> None:
        """Add an error: a defect whose repair loses a promise of the document."""
        self.add(rule, pointer, message, severity=Severity.ERROR, repaired=repaired, got=got)

    def require_object(self, value: Any, pointer: str) -> dict[str, Any]:
        """Return ``value`` when it is an object; else add an error and return an empty object."""
        if is_object(value):
            return value
        message = f"this must be an object, not {show(value)}"
        self.add_error("not-an-object", pointer, message, repaired="an empty object", got=value)
        return {}


def shorten(value: Any) -> Any:
    """Return ``value`` when it is small; else a short text with its size. Never read more than a few entries."""
    if isinstance(value, str):
        return cut_counted(value, _SHOWN_CHARACTERS)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"integer of {value.bit_length()} bits"
    if is_array(value):
        return value if _are_small(value) else f"array of {len(value)} items"
    if is_object(value):
        return value if _are_small([*value.keys(), *value.values()]) else f"object of {len(value)} properties"
    return value


def show(value: Any) -> str:
    """Format a JSON value for a message: short, on one line, and encodable as UTF-8."""
    if isinstance(value, str):
        text = json.dumps(value[:_SHOWN_CHARACTERS], ensure_ascii=False)[1:-1]
        is_whole = len(value) <= _SHOWN_CHARACTERS and len(text) <= 2 * _SHOWN_CHARACTERS
        text = f'"{text}"' if is_whole else f'"{text[: 2 * _SHOWN_CHARACTERS]}…" ({len(value):,} characters)'
    else:
        short = shorten(value)
        text = short if isinstance(short, str) else json.dumps(short, ensure_ascii=False)
        if len(text) > 2 * _SHOWN_CHARACTERS:
            text = f"array of {len(value)} items" if is_array(value) else f"object of {len(value)} properties"
    return text.encode("utf-8", "replace").decode()


def listed(values: Collection[Value], text_of: Callable[[Value], str] = str) -> str:
    """Join the texts of values with commas for a message; only count those that would make it too long."""
    shown: list[str] = []
    for value in values:
        text = text_of(value)
        if shown and sum(map(len, shown)) + len(text) > _LISTED_CHARACTERS:
            break
        shown.append(text[:_LISTED_CHARACTERS])
    hidden = len(values) - len(shown)
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def _are_small(values: list[Any]) -> bool:
    return len(values) <= _SHOWN_ENTRIES and all(
        not isinstance(value, list | dict) and shorten(value) is value for value in values
    )
