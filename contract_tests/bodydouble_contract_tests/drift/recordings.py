"""Recorded exchanges and verification reports as sources of drift findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import (
    Contract,
    Exchange,
    Finding,
    Severity,
    UnreadableDocument,
    is_array,
    is_object,
)
from bodydouble_spec.recording import read_stored_recording

from bodydouble_contract_tests.drift.sources import DriftSource, SourceResult
from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.run import RecordedPictures, check_exchanges, exchanges_of, pictures_of

__all__ = ["Recording", "exchanges_note", "read_recording", "recording_findings", "report_findings", "unread_parts"]

_LARGEST_REPORT = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recording:
    """The result of a recording or a verification report, the problems met when reading it, and the exchanges that were checked."""

    result: SourceResult
    problems: tuple[str, ...] = ()
    checked: Sequence[Exchange] = ()


def read_recording(
    path: Path, contract: Contract, wanted: Callable[[Iterable[Exchange]], Sequence[Exchange]] = tuple
) -> Recording:
    """Check a recording (a folder, or exchanges as JSON lines), or the JSON report of ``bodydouble verify``; ``wanted`` chooses the exchanges.

    Raises UnreadableDocument when the file cannot be read, or when it has no answer of an operation of the contract.
    """
    try:
        report = _report_of(path)
        if report is not None:
            findings = report_findings(report, str(path))
            return Recording(
                SourceResult(DriftSource.VERIFY_REPORT, str(path), tuple(findings), str(report.get("title", "")))
            )
        recording = read_stored_recording(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(
            f"{path}: {reason}; name a file of exchanges or a report of `bodydouble verify`"
        ) from None
    problems = unread_parts(path, recording.findings)
    checked, findings = _check(wanted(recording.exchanges), contract, pictures_of(recording))
    if not checked:
        known = ", ".join(operation.key for operation in contract.operations)
        count = len(recording.exchanges)
        first = "".join(f" ({found.message})" for found in recording.findings[:1])
        raise UnreadableDocument(
            f"{path}: no answer of {known} in {count} exchange{'' if count == 1 else 's'}{first}; record some calls to the service first"
        )
    result = SourceResult(DriftSource.RECORDING, str(path), tuple(findings), exchanges_note(checked, "answer"))
    return Recording(result, problems, checked)


def recording_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """Return the deviations of recorded exchanges from the contract: those that `verify_recording` finds, with the same ids and pointers.

    A deviation in many answers is one finding with their number. Exchanges of other operations, and those that cannot be checked, are skipped.
    """
    return _check(exchanges, contract)[1]


def _check(
    exchanges: Sequence[Exchange], contract: Contract, pictures: RecordedPictures | None = None
) -> tuple[list[Exchange], list[Finding]]:
    """Return the exchanges that can be checked, and the deviations in them."""
    seen: list[Exchange] = []
    findings: list[Finding] = []
    for operation in contract.operations:
        profile = OperationProfile(contract, operation)
        checked, between = check_exchanges(profile, exchanges_of(profile, exchanges), pictures)
        witnesses: dict[Finding, list[tuple[Finding, Exchange]]] = {}
        for item in checked:
            for finding in item.findings:
                witnesses.setdefault(finding, []).append((finding, item.exchange))
        for (finding, first), *others in witnesses.values():
            witness = f"{len(others) + 1} of {len(checked)} answers, the first at {first.time} ({first.id})"
            findings.append(replace(finding, witness=witness))
        findings += between
        seen += [item.exchange for item in checked]
    return seen, [replace(finding, source=str(DriftSource.RECORDING)) for finding in findings]


def unread_parts(path: Path, damage: Sequence[Finding]) -> tuple[str, ...]:
    """Describe the lines and files of a recording that could not be read, in one sentence, or return nothing when all could.

    An incomplete last line is not a problem, because a recording may be in progress.
    """
    unread = [found for found in damage if found.severity is Severity.ERROR]
    if not unread:
        return ()
    rest = len(unread) - 1
    more = f" (and {rest} more)" if rest else ""
    return (f"{path}: {unread[0].message}{more}",)


def report_findings(report: dict[str, Any], address: str) -> list[Finding]:
    """Return the findings of a JSON report. Raises ValueError for the first member that is not a finding."""
    findings = report.get("findings")
    if not is_array(findings):
        raise ValueError(f"{address} has no list of findings")
    return [Finding.from_dict(value, f"/findings/{number}") for number, value in enumerate(findings)]


def _report_of(path: Path) -> dict[str, Any] | None:
    """Return the JSON report in a file, or None for other files. An exchange has findings too, but also a method."""
    # A pipe can be read only once.
    if path.exists() and (not path.is_file() or path.stat().st_size > _LARGEST_REPORT):
        return None
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return None
    return value if is_object(value) and is_array(value.get("findings")) and "method" not in value else None


def exchanges_note(exchanges: Sequence[Exchange], noun: str) -> str:
    """Return the number of exchanges, each a ``noun``, and the days from the first to the last."""
    times = sorted(exchange.started for exchange in exchanges)
    count = f"{len(exchanges)} {noun}{'' if len(exchanges) == 1 else 's'}"
    return f"{count}, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"
