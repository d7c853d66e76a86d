"""Recorded exchanges and verification reports as sources of drift findings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import (
    Contract,
    Evidence,
    Exchange,
    ExchangeLog,
    Finding,
    Operation,
    RecordedPicture,
    Severity,
    UnreadableDocument,
    is_array,
    is_object,
    join_pointer,
    pointer_parts,
    read_exchanges,
    restore_pictures,
)

from bodydouble_contract_tests.drift.sources import DriftSource, SourceResult

__all__ = ["Recording", "read_recording", "recording_findings", "report_findings", "unread_lines"]

_LARGEST_REPORT = 20 * 1024 * 1024
# The rules that can be checked for an answer whose body was not kept.
_RULES_WITHOUT_BODY = {"response-status", "response-content-type"}
_ANY_TEXT = b"a recorded picture"


@dataclass(frozen=True, slots=True)
class Recording:
    """The result of a file of exchanges or a verification report, and the problems met when reading it."""

    result: SourceResult
    problems: tuple[str, ...] = ()


def read_recording(path: Path, contract: Contract) -> Recording:
    """Check a file: exchanges as JSON lines, or the JSON report of ``bodydouble verify``.

    Raises UnreadableDocument when the file cannot be read, or when it has no answer of an operation of the contract.
    """
    try:
        report = _report_of(path)
        if report is not None:
            findings = report_findings(report, str(path))
            return Recording(
                SourceResult(DriftSource.VERIFY_REPORT, str(path), tuple(findings), str(report.get("title", "")))
            )
        log = read_exchanges(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(
            f"{path}: {reason}; name a file of exchanges or a report of `bodydouble verify`"
        ) from None
    problems = unread_lines(path, log)
    checked = [exchange for exchange in log.exchanges if _is_checkable(exchange, contract)]
    if not checked:
        known = ", ".join(operation.key for operation in contract.operations)
        count = len(log.exchanges)
        first = "".join(f" ({found.message})" for found in log.findings[:1])
        raise UnreadableDocument(
            f"{path}: no answer of {known} in {count} exchange{'' if count == 1 else 's'}{first}; record some calls to the service first"
        )
    findings = recording_findings(checked, contract)
    return Recording(SourceResult(DriftSource.RECORDING, str(path), tuple(findings), _note(checked)), problems)


def recording_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """Return the deviations of recorded answers from the contract.

    Answers that are documented or were observed are checked strictly, others for conformity only. A deviation in many answers is one finding
    with their number; the pointer has ``*`` in place of the index of an item. Exchanges of other operations and those without an answer
    are skipped.
    """
    firsts: dict[Finding, Exchange] = {}
    counts: dict[Finding, int] = {}
    kept: dict[Finding, Finding] = {}
    checked = [exchange for exchange in exchanges if _is_checkable(exchange, contract)]
    for exchange in checked:
        for finding in dict.fromkeys(_check(exchange, contract)):
            firsts.setdefault(finding, exchange)
            kept.setdefault(finding, finding)
            counts[finding] = counts.get(finding, 0) + 1
    return [
        replace(
            finding,
            source=str(DriftSource.RECORDING),
            witness=_occurrences(counts[finding], len(checked), firsts[finding]),
        )
        for finding in kept
    ]


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
    return [_read_finding(value, f"/findings/{number}") for number, value in enumerate(findings)]


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


def _operation_of(exchange: Exchange, contract: Contract) -> Operation | None:
    route = exchange.route.rstrip("/") or "/"
    for operation in contract.operations:
        if exchange.operation == operation.key:
            return operation
        if exchange.method.upper() == operation.method.upper() and route in {operation.path, f"/v1{operation.path}"}:
            return operation
    return None


def _is_checkable(exchange: Exchange, contract: Contract) -> bool:
    return exchange.answer is not None and _operation_of(exchange, contract) is not None


def _check(exchange: Exchange, contract: Contract) -> list[Finding]:
    operation, answer = _operation_of(exchange, contract), exchange.answer
    if operation is None or answer is None:
        return []
    content_type = answer.headers.get("content-type", "application/json")
    body = restore_pictures(answer.body, _any_picture)
    response = operation.response(answer.status)
    evidence = Evidence.DOCUMENTED if response is None else response.evidence
    # The envelope of an error is inferred from neighbouring routes, so an additional property in it is no drift.
    is_known = Severity.for_evidence(evidence) is Severity.ERROR
    findings = operation.validate_response(answer.status, content_type, body, strict=is_known)
    if answer.body is None:
        findings = [finding for finding in findings if finding.id in _RULES_WITHOUT_BODY]
    return [replace(_capped(finding, evidence), pointer=_without_numbers(finding.pointer)) for finding in findings]


def _capped(finding: Finding, evidence: Evidence) -> Finding:
    """Cap a finding's severity by the evidence for the rule that it breaks."""
    most = Severity.for_evidence(evidence)
    return finding if finding.severity.rank <= most.rank else replace(finding, severity=most, evidence=evidence)


def _any_picture(picture: RecordedPicture) -> str:
    return picture.encode(_ANY_TEXT, picture.media_type or "image/png")


def _without_numbers(pointer: str) -> str:
    parts = ["*" if part.isdigit() else part for part in pointer_parts(pointer)]
    return "".join(join_pointer("", part) for part in parts)


def _occurrences(count: int, total: int, first: Exchange) -> str:
    return f"{count} of {total} answers, the first at {first.time} ({first.id})"


def _note(exchanges: Sequence[Exchange]) -> str:
    times = sorted(exchange.started for exchange in exchanges)
    count = f"{len(exchanges)} answer{'' if len(exchanges) == 1 else 's'}"
    return f"{count}, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"


def _read_finding(value: Any, pointer: str) -> Finding:
    if not is_object(value):
        raise ValueError(f"{pointer} is not a finding")
    texts = {name: value.get(name) for name in ("id", "pointer", "message")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{pointer}/{name} must be a text")
    covers = value.get("covers", [])
    if not is_array(covers):
        raise ValueError(f"{pointer}/covers must be an array")
    return Finding(
        severity=Severity(_one_of(Severity, value.get("severity"), f"{pointer}/severity")),
        evidence=Evidence(_one_of(Evidence, value.get("evidence"), f"{pointer}/evidence")),
        id=str(texts["id"]),
        pointer=str(texts["pointer"]),
        message=str(texts["message"]),
        expected=value.get("expected"),
        got=value.get("got"),
        repaired=_text(value.get("repaired")),
        direction=_text(value.get("direction")),
        operation=_text(value.get("operation")),
        request=value.get("request"),
        covers=tuple(_read_finding(item, f"{pointer}/covers/{number}") for number, item in enumerate(covers)),
    )


def _one_of(kind: type[Severity] | type[Evidence], value: Any, pointer: str) -> str:
    if not isinstance(value, str) or value not in {*kind}:
        raise ValueError(f"{pointer} must be one of {', '.join(kind)}")
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
