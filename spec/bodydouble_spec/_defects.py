"""The list that loading writes its findings to, and how a value is shown in a message."""

import json
from typing import Any

from bodydouble_spec._finding import Evidence, Finding, Severity

__all__ = ["Defects", "shorten", "show"]

_SHOWN_CHARACTERS = 60
_SHOWN_ENTRIES = 24


class Defects:
    """Findings about one document, in the order in which they were met."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(
        self,
        rule: str,
        pointer: str,
        message: str,
        *,
        severity: Severity = Severity.WARNING,
        repaired: str | None = None,
        got: Any = None,
        expected: Any = None,
    ) -> None:
        """Note a defect: a warning when the repair loses nothing, an error when a promise is lost."""
        self.findings.append(
            Finding(rule, severity, Evidence.DOCUMENTED, pointer, message, expected, shorten(got), repaired=repaired)
        )


def shorten(value: Any) -> Any:
    """``value`` when it is small; else a short stand-in that says its size. Never reads more than a few entries."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]}… ({len(value)} characters)"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"integer of {value.bit_length()} bits"
    if isinstance(value, list):
        return value if _are_small(value) else f"array of {len(value)} items"
    if isinstance(value, dict):
        return value if _are_small([*value.keys(), *value.values()]) else f"object of {len(value)} properties"
    return value


def show(value: Any) -> str:
    """A JSON value as text for a message, always short."""
    short = shorten(value)
    return short if isinstance(short, str) and short is not value else json.dumps(short, ensure_ascii=False)


def _are_small(values: list[Any]) -> bool:
    return len(values) <= _SHOWN_ENTRIES and all(
        not isinstance(value, list | dict) and shorten(value) is value for value in values
    )
