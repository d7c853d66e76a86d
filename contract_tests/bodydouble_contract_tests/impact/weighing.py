"""The severity of all findings for one app: its own calls decide, and what else changed is a warning."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bodydouble_spec import Finding, Severity
from bodydouble_spec.report import place

from bodydouble_contract_tests.impact.recorded import VERDICT
from bodydouble_contract_tests.impact.wording import counted

__all__ = ["weigh"]

_UNAFFECTED = f"{VERDICT}-accepted"
_COMING_AND_GOING = ("api-removed-", "api-path-removed-", "endpoint-added")
_AWAY = ("api-removed-", "api-path-removed-", "impact-operation-gone")
# Findings of a call that was tried, and that say by themselves what becomes of it.
_SHOWN = ("impact-request-refused", "impact-operation-gone")
_OF_ALL = {"model-identity-replaced"}
_INDEX = re.compile(r"\[\d+\]")
# Nothing is left for anybody, so no call can be tried.
_FATAL = {"impact-contract-gone"}


def weigh(changes: Sequence[Finding], findings: Sequence[Finding], *, strict: bool = False) -> list[Finding]:
    """Return the changes of a contract and the findings of `impact`, weighed by the app's recorded requests.

    The verdicts on these come first. Everything else is a warning at most, because no call of the app showed it; with ``strict`` it keeps its
    severity. Without a verdict, nothing is weighed. A replaced model is one finding, and so is a moved or removed operation, and a value that is now refused;
    each covers what says the same.
    """
    verdicts = [found for found in findings if _is_verdict(found)]
    others = _one_alarm_each(changes, [found for found in findings if not _is_verdict(found)])
    if not verdicts:
        return others
    errors = [found for found in others if found.severity is Severity.ERROR]
    possible = sum(found.id.startswith("impact-") for found in errors)
    weighed = [_with_others(verdict, possible, len(errors), strict=strict) for verdict in verdicts]
    return [*weighed, *(others if strict else _capped(others))]


def _is_verdict(found: Finding) -> bool:
    return found.id.startswith(VERDICT) and not found.id.endswith(("-left-out", "-elsewhere"))


def _one_alarm_each(changes: Sequence[Finding], findings: Sequence[Finding]) -> list[Finding]:
    """Return both, with one finding for what a change says and a call shows: a replaced model, an operation that is away, a refused value."""
    echoes = [found for found in findings if found.id == "impact-identity-replaced" and found.pointer == "/model"]
    is_replaced = bool(echoes) and any(change.id == "model-identity-replaced" for change in changes)
    left = [found for found in findings if not (is_replaced and found in echoes)]
    moved = [found for found in left if found.id == "impact-operation-moved"]
    told = {key for found in moved for one in (found, *found.covers) for key in (one.expected, one.got)}
    covered = [change for change in changes if change.id.startswith(_COMING_AND_GOING) and change.operation in told]
    rest = [
        # What was tried says most, so it comes first.
        replace(change, covers=(*echoes, *change.covers))
        if is_replaced and change.id == "model-identity-replaced"
        else change
        for change in changes
        if change not in covered
    ]
    first = moved[0] if moved else None
    shown = [replace(one, covers=(*one.covers, *covered)) if one is first else one for one in left]
    return _with_causes(rest, shown)


def _with_causes(changes: Sequence[Finding], executed: Sequence[Finding]) -> list[Finding]:
    """Return both; an executed finding covers the changes that break the same value, or took the operation away."""
    causes: dict[tuple[str | None, str], list[Finding]] = {}
    for change in changes:
        if change.severity is Severity.ERROR and change.id not in _OF_ALL:
            causes.setdefault(_broken(change), []).append(change)
    found: list[Finding] = []
    for one in executed:
        is_cause_known = one.severity is Severity.ERROR and one.id.startswith(_SHOWN)
        known = causes.pop(_broken(one), []) if is_cause_known else []
        found.append(replace(one, covers=(*one.covers, *known)))
    left = {id(change) for group in causes.values() for change in group}
    others = [one for one in changes if id(one) in left or one.severity is not Severity.ERROR or one.id in _OF_ALL]
    return [*others, *found]


def _broken(finding: Finding) -> tuple[str | None, str]:
    """Return the operation and the value in it that a finding is about; of an operation that is away, only that it is."""
    if finding.id.startswith(_AWAY):
        return finding.operation, "away"
    return finding.operation, _INDEX.sub("[]", place(replace(finding, covers=()), with_operation=False))


def _with_others(verdict: Finding, possible: int, errors: int, *, strict: bool) -> Finding:
    """Return a verdict that no call is affected together with the number of calls that others may make."""
    if verdict.id != _UNAFFECTED or not errors:
        return verdict
    if possible:
        rest = f"{counted(possible, 'possible call')} {'is' if possible == 1 else 'are'}"
    else:
        rest = f"{counted(errors, 'change')} may affect other calls"
    head, note, tail = verdict.message.partition(" (")
    severity = Severity.ERROR if strict else Severity.WARNING
    return replace(verdict, message=f"{head}; {rest}{note}{tail}", severity=severity)


def _capped(others: Iterable[Finding]) -> list[Finding]:
    return [
        replace(found, severity=Severity.WARNING)
        if found.severity is Severity.ERROR and found.id not in _FATAL
        else found
        for found in others
    ]
