"""One entry of the journal: what is held of a call until somebody reads it, and the exchange that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from bodydouble_spec import (
    Evidence,
    Exchange,
    Finding,
    RecordedAnswer,
    Redactor,
    Severity,
    record_body,
    record_value,
)

from bodydouble_mockserver._pictures import pixel_size
from bodydouble_mockserver._problem import timestamp
from bodydouble_mockserver._wire import Answer

__all__ = ["Kept", "to_line"]

_MOST_FINDINGS = 100


@dataclass(slots=True)
class Kept:
    """What is kept of a call: only headers that may be kept, the key as its hash (empty without one)."""

    started: float
    duration_s: float
    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    key: str
    answer: Answer
    operation: str | None
    matched: str | None
    applied: Sequence[str]


def to_line(identifier: str, kept: Kept, redactor: Redactor) -> bytes:
    """The call as a line of the journal file, in the one format for exchanges."""
    answer = kept.answer
    body, raw = record_body(kept.body, redactor, pixel_size)
    answer_body, answer_raw = record_body(answer.body, redactor, pixel_size)
    answer_headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    exchange = Exchange(
        id=identifier,
        time=timestamp(kept.started),
        method=redactor.text(kept.method),
        path=redactor.path(kept.path, kept.query.decode("latin-1")),
        operation=kept.operation,
        key=kept.key or None,
        headers=redactor.headers(_texts(kept.headers)),
        body=body,
        raw=raw,
        findings=_findings(answer.findings, redactor) if answer.findings else (),
        answer=RecordedAnswer(answer.status, redactor.headers(_texts(answer_headers)), answer_body, answer_raw),
        duration_s=round(kept.duration_s, 6),
        matched=kept.matched,
        applied=[redactor.text(item) for item in kept.applied],
    )
    return exchange.to_line()


def _texts(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _findings(findings: Sequence[Finding], redactor: Redactor) -> list[dict[str, object]]:
    kept = [_finding(finding, redactor) for finding in findings[:_MOST_FINDINGS]]
    left = len(findings) - len(kept)
    if left > 0:
        rest = Finding(
            "findings-cut", Severity.INFO, Evidence.OBSERVED, "", f"{left:,} more findings were left out here"
        )
        kept.append(rest.to_dict())
    return kept


def _finding(finding: Finding, redactor: Redactor) -> dict[str, object]:
    shown = finding.to_dict()
    try:
        # Through JSON, because a finding may quote what only looks like JSON (tuples, enumerations).
        value = orjson.loads(orjson.dumps(shown, default=str))
        recorded: dict[str, object] = record_value(value, redactor, pixel_size)
    except (TypeError, ValueError):
        short = Finding(finding.id, finding.severity, finding.evidence, finding.pointer, finding.message[:1000])
        recorded = record_value(short.to_dict(), redactor)
    return recorded
