"""The state of drift detection between runs: it keeps a drift from being reported twice, or being forgotten."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity, is_array, is_object
from bodydouble_spec.diff import Change

from bodydouble_contract_tests._alarm import EXECUTED, DriftSource, SourceResult, merge_findings
from bodydouble_contract_tests._upstream import Fetched

__all__ = ["Delta", "DriftState", "KnownDrift", "compare"]

_LARGEST_KEPT = 1024 * 1024
_PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}
_NAMED = {"properties", "patternProperties"}


@dataclass(frozen=True, slots=True)
class KnownDrift:
    """A reported drift.

    ``digest`` changes when the drift does, ``reported`` is the time of the last report (ISO 8601, UTC). The other fields are those of its finding.
    """

    digest: str
    reported: str
    id: str
    severity: Severity
    pointer: str
    operation: str | None
    source: str
    message: str

    @classmethod
    def of(cls, finding: Finding, digest: str, now: datetime) -> "KnownDrift":
        """Return the record to keep of a finding that is being reported."""
        source = finding.source or ""
        return cls(
            digest,
            now.isoformat(),
            finding.id,
            finding.severity,
            finding.pointer,
            finding.operation,
            source,
            finding.message,
        )

    @property
    def is_reported_when_gone(self) -> bool:
        """Tell whether its end is reported. A successful trial (an info finding that was executed) is no drift."""
        return self.severity is not Severity.INFO or not self.source.endswith(EXECUTED)

    def gone(self) -> Finding:
        """Return the finding that the drift is gone."""
        message = f"no longer found: {self.message} ({self.id}, {self.severity}, reported on {self.reported[:10]})"
        return Finding(
            f"drift-gone/{self.id}",
            Severity.INFO,
            Evidence.DOCUMENTED,
            self.pointer,
            message,
            operation=self.operation,
            source=self.source,
        )


@dataclass(frozen=True, slots=True)
class DriftState:
    """The reported drifts by source and fingerprint (``document:1f0c…``), and what was fetched by its address."""

    drifts: Mapping[str, KnownDrift] = field(default_factory=dict[str, KnownDrift])
    fetched: Mapping[str, Fetched] = field(default_factory=dict[str, Fetched])

    def with_fetched(self, fetched: Iterable[Fetched]) -> "DriftState":
        """Return the state with what was fetched, where a conditional request is possible and the content is at most 1 MB."""
        kept = dict(self.fetched)
        for item in fetched:
            kept.pop(item.address, None)
            if len(item.content) <= _LARGEST_KEPT and (item.etag or item.last_modified) and _is_text(item.content):
                kept[item.address] = replace(item, is_unchanged=False)
        return replace(self, fetched=kept)


@dataclass(frozen=True, slots=True)
class Delta:
    """The difference to the last run. ``findings`` are new, changed, due again or gone; ``known`` counts those reported before."""

    findings: tuple[Finding, ...]
    known: int = 0


def compare(
    state: DriftState, results: Sequence[SourceResult], now: datetime, remind_days: int, *, is_complete: bool = True
) -> tuple[Delta, DriftState]:
    """Compare the results with the state. Return what is new, and the state after it was reported.

    Only the sources of ``results`` are compared; drifts of other sources are kept as they are. A drift that is gone becomes an info finding
    ``drift-gone/<its id>``, unless another finding covers it now. When ``is_complete`` is false, missing drifts are kept, because their
    source may not have been read completely.
    """
    checked = {result.source for result in results}
    present = _by_key(results)
    drifts = {key: known for key, known in state.drifts.items() if DriftSource(key.partition(":")[0]) not in checked}
    reported: list[Finding] = []
    for key, findings in present.items():
        known = state.drifts.get(key)
        digest = _digest(findings)
        if known is None or known.digest != digest or now - _time_of(known.reported) >= timedelta(days=remind_days):
            reported += findings
            known = KnownDrift.of(findings[0], digest, now)
        drifts[key] = known
    missing = {key: known for key, known in state.drifts.items() if key not in drifts}
    covered_keys = set(_covered(present))
    gone = [
        known
        for key, known in missing.items()
        if is_complete and key not in covered_keys and known.is_reported_when_gone
    ]
    reported += [known.gone() for known in sorted(gone, key=lambda known: -known.severity.rank)]
    total = sum(len(findings) for findings in present.values())
    known_count = total - (len(reported) - len(gone))
    kept = drifts if is_complete else {**missing, **drifts}
    return Delta(tuple(reported), known_count), replace(state, drifts=kept)


def _by_key(results: Sequence[SourceResult]) -> dict[str, list[Finding]]:
    present: dict[str, list[Finding]] = {}
    for source in dict.fromkeys(result.source for result in results):
        for finding in merge_findings(result for result in results if result.source is source):
            present.setdefault(f"{source}:{finding.fingerprint}", []).append(finding)
    return present


def _covered(present: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    for key, findings in present.items():
        source = key.partition(":")[0]
        pending = [covered for finding in findings for covered in finding.covers]
        while pending:
            covered = pending.pop()
            yield f"{source}:{covered.fingerprint}"
            pending += covered.covers


def _digest(findings: Sequence[Finding]) -> str:
    """Return a digest of a drift without its wording and examples, which differ from day to day in recorded answers."""
    parts = sorted(json.dumps(_comparable(finding), sort_keys=True, default=str) for finding in findings)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _comparable(finding: Finding) -> dict[str, Any]:
    values = [_structure(value) for value in (finding.old, finding.new)] if isinstance(finding, Change) else None
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "pointer": finding.pointer,
        "change": values,
        "got": finding.got if (finding.source or "").startswith(DriftSource.PAGE) else None,
        "expected": finding.expected,
        "covers": sorted(map(_comparable, finding.covers), key=lambda comparable: json.dumps(comparable, default=str)),
    }


def _structure(value: Any, *, is_names: bool = False) -> Any:
    """Return a value of a contract without prose, examples and the order of lists. Names of properties are kept."""
    if is_array(value):
        return sorted((_structure(item) for item in value), key=lambda item: json.dumps(item, default=str))
    if not is_object(value):
        return value
    return {
        name: _structure(member, is_names=name in _NAMED and not is_names)
        for name, member in value.items()
        if is_names or not (name in _PROSE or name.startswith("x-"))
    }


def _time_of(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
