"""Build the findings of a verification; the same fault has the same id and pointer in every run."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity, is_array, is_object, join_pointer, pointer_parts
from bodydouble_spec.text import cut_counted

from bodydouble_contract_tests.model.catalogue import catalogue
from bodydouble_contract_tests.model.profile import OperationProfile

__all__ = ["deviation", "distinct", "generic_pointer", "shortened"]

_SHOWN_CHARACTERS = 120
# The name of a picture, a call or a moment is different every time.
_VARYING = re.compile(r"\d{5}|[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}|[0-9A-Fa-f]{16}")


def deviation(
    profile: OperationProfile,
    finding_id: str,
    message: str,
    expected: Any,
    got: Any,
    *,
    pointer: str = "",
    evidence: Evidence | None = None,
) -> Finding:
    """Return a finding of a check, as severe as its evidence makes it.

    ``finding_id`` is the id of a check, or ``<check>/<rule>``. ``evidence`` defaults to that of the check. ``pointer`` is a place in the
    answer, in the form that `generic_pointer` gives. The caller adds ``request`` and ``witness``.
    """
    check = finding_id.partition("/")[0]
    known = evidence or next((item.evidence for item in catalogue(profile) if item.id == check), Evidence.DOCUMENTED)
    return Finding(
        finding_id,
        Severity.for_evidence(known),
        known,
        pointer,
        message,
        shortened(expected),
        shortened(got),
        direction="response",
        operation=profile.operation.key,
    )


def generic_pointer(answer: Any, pointer: str) -> str:
    """Return a pointer with ``*`` for every index and every varying name: the same for the same fault of any item."""
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
    """Yield each finding once, in order: the first of those with the same fingerprint."""
    yield from dict.fromkeys(findings)


def shortened(value: Any) -> Any:
    """Return a value fit for a message: long texts are cut, long arrays are counted only."""
    if isinstance(value, str):
        return cut_counted(value, _SHOWN_CHARACTERS)
    if is_array(value) and len(value) > 24:
        return f"array of {len(value)} items"
    return value
