"""Recorded exchanges and verification reports as sources of drift findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import (
    Contract,
    Exchange,
    ExchangeLog,
    Finding,
    Severity,
    UnreadableDocument,
    is_array,
    is_object,
)
from bodydouble_spec.recording import read_log

from bodydouble_contract_tests.drift.sources import DriftSource, SourceResult
from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.run import check_exchanges, exchanges_of

__all__ = ["Recording", "read_recording", "recording_findings", "report_findings", "unread_lines"]

_LARGEST_REPORT = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recording:
    """The result of a file of exchanges or a verification report, and the problems met when reading it."""

    result: SourceResult
    problems: tuple[str, ...] = ()


def read_recording(
    path: Path, contract: Contract, wanted: Callable[[Iterable[Exchange]], Sequence[Exchange]] = tuple
) -> Recording:
    """Check a file: exchanges as JSON lines, or the JSON report of ``bodydouble verify``; ``wanted`` chooses the exchanges.

    Raises UnreadableDocument when the file cannot be read, or when it has no answer of an operation of the contract.
    """
    try:
        report = _report_of(path)
        if report is not None:
            findings = report_findings(report, str(path))
            return Recording(
                SourceResult(DriftSource.VERIFY_REPORT, str(path), tuple(findings), str(report.get("title", "")))
            )
        log = read_log(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(
            f"{path}: {reason}; name a file of exchanges or a report of `bodydouble verify`"
        ) from None
    problems = unread_lines(path, log)
    checked, findings = _check(wanted(log.exchanges), contract)
    if not checked:
        known = ", ".join(operation.key for operation in contract.operations)
        count = len(log.exchanges)
        first = "".join(f" ({found.message})" for found in log.findings[:1])
        raise UnreadableDocument(
            f"{path}: no answer of {known} in {count} exchange{'' if count == 1 else 's'}{first}; record some calls to the service first"
        )
    return Recording(SourceResult(DriftSource.RECORDING, str(path), tuple(findings), _note(checked)), problems)


def recording_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """Return the deviations of recorded exchanges from the contract: those that `verify_recording` finds, with the same ids and pointers.

    A deviation in many answers is one finding with their number. Exchanges of other operations, and those that cannot be checked, are skipped.
    """
    return _check(exchanges, contract)[1]


def _check(exchanges: Sequence[Exchange], contract: Contract) -> tuple[list[Exchange], list[Finding]]:
    """Return the exchanges that can be checked, and the deviations in them."""
    seen: list[Exchange] = []
    findings: list[Finding] = []
    for operation in contract.operations:
        profile = OperationProfile(contract, operation)
        checked, between = check_exchanges(profile, exchanges_of(profile, exchanges))
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


def unread_lines(path: Path, log: ExchangeLog) -> tuple[str, ...]:
    """Describe the lines of a file of exchanges that could not be read, in one sentence, or return nothing when all could.

    An incomplete last line is not a problem, because a recording may be in progress.
    """
    unread = [found for found in log.findings if found.severity is Severity.ERROR]
    if not unread:
        return ()
    rest = len(unread) - 1
    more = "" if not rest else f" (and {rest} more line{'' if rest == 1 else 's'})"
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


def _note(exchanges: Sequence[Exchange]) -> str:
    times = sorted(exchange.started for exchange in exchanges)
    count = f"{len(exchanges)} answer{'' if len(exchanges) == 1 else 's'}"
    return f"{count}, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"
