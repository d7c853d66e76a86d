"""What a service really answered: recorded exchanges, or the findings of a verification, as a witness."""

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

from bodydouble_contract_tests._alarm import Statement, Witness

__all__ = ["Recording", "read_recording", "recording_findings", "report_findings", "unread_lines"]

_LARGEST_REPORT = 20 * 1024 * 1024
# What can still be said of an answer of which only a description was kept.
_RULES_WITHOUT_BODY = {"response-status", "response-content-type"}
_ANY_TEXT = b"a recorded picture"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of exchanges or a verification's report, read: its statement, and in words what of the file could not be read."""

    statement: Statement
    problems: tuple[str, ...] = ()


def read_recording(path: Path, contract: Contract) -> Recording:
    """Judge a file: exchanges as JSON lines, or the JSON report of ``bodydouble verify``.

    Raises UnreadableDocument when the file cannot be read, or holds no answer of an operation of the contract: silence proves nothing.
    """
    try:
        report = _report_of(path)
        if report is not None:
            findings = report_findings(report, str(path))
            return Recording(Statement(Witness.VERIFY_REPORT, str(path), tuple(findings), str(report.get("title", ""))))
        log = read_exchanges(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(
            f"{path}: {reason}; name a file of exchanges or a report of `bodydouble verify`"
        ) from None
    problems = unread_lines(path, log)
    judged = [exchange for exchange in log.exchanges if _is_judged(exchange, contract)]
    if not judged:
        known = ", ".join(operation.key for operation in contract.operations)
        first = "".join(f" ({found.message})" for found in log.findings[:1])
        raise UnreadableDocument(
            f"{path}: none of {len(log.exchanges)} exchanges has an answer of {known}{first}; record some calls to the service first"
        )
    findings = recording_findings(judged, contract)
    return Recording(Statement(Witness.RECORDING, str(path), tuple(findings), _note(judged)), problems)


def recording_findings(exchanges: Sequence[Exchange], contract: Contract) -> list[Finding]:
    """Where recorded answers deviate from the contract: what is documented or was observed in the strict reading, the rest in the plain one.

    One deviation in many answers is one finding, which says in how many: places in lists are told apart by nothing, so a pointer has
    ``*`` for the number of an item. Exchanges of other operations, and those without an answer, are passed over.
    """
    firsts: dict[Finding, Exchange] = {}
    counts: dict[Finding, int] = {}
    kept: dict[Finding, Finding] = {}
    judged = [exchange for exchange in exchanges if _is_judged(exchange, contract)]
    for exchange in judged:
        for finding in dict.fromkeys(_judge(exchange, contract)):
            firsts.setdefault(finding, exchange)
            kept.setdefault(finding, finding)
            counts[finding] = counts.get(finding, 0) + 1
    return [
        replace(finding, witness=f"{Witness.RECORDING}, {_seen(counts[finding], len(judged), firsts[finding])}")
        for finding in kept
    ]


def unread_lines(path: Path, log: ExchangeLog) -> tuple[str, ...]:
    """What could not be read of a file of exchanges, in one sentence; nothing when all could.

    A last line that is not whole yet is no problem: something is being recorded.
    """
    unread = [found for found in log.findings if found.severity is Severity.ERROR]
    if not unread:
        return ()
    rest = len(unread) - 1
    more = "" if not rest else f" (and {rest} more line{'' if rest == 1 else 's'})"
    return (f"{path}: {unread[0].message}{more}",)


def report_findings(report: dict[str, Any], source: str) -> list[Finding]:
    """The findings of a JSON report. Raises ValueError naming the first member that is no finding."""
    findings = report.get("findings")
    if not is_array(findings):
        raise ValueError(f"{source} has no list of findings")
    return [_read_finding(value, f"/findings/{number}") for number, value in enumerate(findings)]


def _report_of(path: Path) -> dict[str, Any] | None:
    """The JSON report in a file, or None when the file is none: an exchange has findings too, but also a method."""
    # What is no file, such as a pipe, can be read only once.
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


def _is_judged(exchange: Exchange, contract: Contract) -> bool:
    return exchange.answer is not None and _operation_of(exchange, contract) is not None


def _judge(exchange: Exchange, contract: Contract) -> list[Finding]:
    operation, answer = _operation_of(exchange, contract), exchange.answer
    if operation is None or answer is None:
        return []
    content_type = answer.headers.get("content-type", "application/json")
    body = restore_pictures(answer.body, _any_picture)
    response = operation.response(answer.status)
    evidence = Evidence.DOCUMENTED if response is None else response.evidence
    # The envelope of an error is known from neighbouring routes: that there is more in one than was seen so far is no drift.
    is_known = Severity.for_evidence(evidence) is Severity.ERROR
    findings = operation.validate_response(answer.status, content_type, body, strict=is_known)
    if answer.body is None:
        findings = [finding for finding in findings if finding.id in _RULES_WITHOUT_BODY]
    return [replace(_weighed(finding, evidence), pointer=_without_numbers(finding.pointer)) for finding in findings]


def _weighed(finding: Finding, evidence: Evidence) -> Finding:
    """The finding no more severe than the evidence for what it deviates from: nobody documented the envelope of an error."""
    most = Severity.for_evidence(evidence)
    return finding if finding.severity.rank <= most.rank else replace(finding, severity=most, evidence=evidence)


def _any_picture(picture: RecordedPicture) -> str:
    return picture.encode(_ANY_TEXT, picture.media_type or "image/png")


def _without_numbers(pointer: str) -> str:
    parts = ["*" if part.isdigit() else part for part in pointer_parts(pointer)]
    return "".join(join_pointer("", part) for part in parts)


def _seen(count: int, total: int, first: Exchange) -> str:
    return f"{count} of {total} answers, the first at {first.time} ({first.id})"


def _note(exchanges: Sequence[Exchange]) -> str:
    times = sorted(exchange.started for exchange in exchanges)
    count = f"{len(exchanges)} answer{'' if len(exchanges) == 1 else 's'}"
    return f"{count}, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"


def _read_finding(value: Any, pointer: str) -> Finding:
    if not is_object(value):
        raise ValueError(f"{pointer} is no finding")
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
