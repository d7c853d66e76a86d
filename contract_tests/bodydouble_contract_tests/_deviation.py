"""Findings of a verification: built in one way, and named so that the same fault has the same name from run to run."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity, is_array, is_object, join_pointer, pointer_parts

from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._subject import Subject

__all__ = ["deviation", "distinct", "place", "short"]

_SHOWN_CHARACTERS = 120
# A property named after a picture, a call or a moment is another one every time.
_VARYING = re.compile(r"\d{5}|[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}|[0-9A-Fa-f]{16}")


def deviation(
    subject: Subject,
    check: str,
    message: str,
    expected: Any,
    got: Any,
    *,
    rule: str | None = None,
    pointer: str = "",
    evidence: Evidence | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of ``check``, or of its ``rule``: as bad as its evidence makes it, which is the check's own unless given.

    ``pointer`` is a place in the answer as `place` gives it; ``request`` and ``witness`` are left to whoever made the call.
    """
    known = evidence or next((item.evidence for item in catalogue(subject) if item.id == check), Evidence.DOCUMENTED)
    return Finding(
        check if rule is None else f"{check}/{rule}",
        severity or Severity.for_evidence(known),
        known,
        pointer,
        message,
        short(expected),
        short(got),
        direction="response",
        operation=subject.operation.key,
    )


def place(answer: Any, pointer: str) -> str:
    """A pointer into an answer with ``*`` for every index and every name that varies: one place, whichever item was at fault."""
    parts: list[str] = []
    value = answer
    for part in pointer_parts(pointer):
        if is_array(value):
            index = int(part) if part.isdecimal() else len(value)
            value = value[index] if index < len(value) else None
            parts.append("*")
        else:
            value = value.get(part) if is_object(value) else None
            parts.append("*" if _VARYING.search(part) else part)
    return join_pointer("", *parts)


def distinct(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding once, in its order: the first of those with the same fingerprint."""
    yield from dict.fromkeys(findings)


def short(value: Any) -> Any:
    """A value to be shown: long texts cut, what contains more than a few members only counted."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]}… ({len(value)} characters)"
    if is_array(value) and len(value) > 24:
        return f"array of {len(value)} items"
    return value
