"""What the alarm has said before, so that it says nothing twice and forgets nothing."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bodydouble_spec import Evidence, Finding, Severity, is_array, is_object
from bodydouble_spec.changes import Change

from bodydouble_contract_tests._alarm import EXECUTED, Statement, Witness, collect
from bodydouble_contract_tests._upstream import Fetched

__all__ = ["AlarmState", "KnownDrift", "News", "compare"]

_LARGEST_KEPT = 1024 * 1024
_PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}
_NAMED = {"properties", "patternProperties"}


@dataclass(frozen=True, slots=True)
class KnownDrift:
    """A drift that was reported: ``digest`` tells whether it is still the same, ``reported`` when it was last said (ISO 8601, UTC).

    The others are what its finding said.
    """

    digest: str
    reported: str
    id: str
    severity: Severity
    pointer: str
    operation: str | None
    witness: str
    message: str

    @classmethod
    def of(cls, finding: Finding, digest: str, now: datetime) -> "KnownDrift":
        """What is to be remembered of a finding that is being reported."""
        witness = finding.witness or ""
        return cls(
            digest,
            now.isoformat(),
            finding.id,
            finding.severity,
            finding.pointer,
            finding.operation,
            witness,
            finding.message,
        )

    @property
    def can_go(self) -> bool:
        """Whether it is worth a word when it is over: that something was tried and still works is no drift."""
        return self.severity is not Severity.INFO or not self.witness.endswith(EXECUTED)

    def gone(self) -> Finding:
        """The finding that it is over."""
        message = f"this is over: {self.message} ({self.id}, {self.severity}, reported on {self.reported[:10]})"
        return Finding(
            f"drift-gone/{self.id}",
            Severity.INFO,
            Evidence.DOCUMENTED,
            self.pointer,
            message,
            operation=self.operation,
            witness=self.witness,
        )


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Reported drifts by witness and fingerprint (``document:1f0c…``), and what was fetched, by its source."""

    drifts: Mapping[str, KnownDrift] = field(default_factory=dict[str, KnownDrift])
    fetched: Mapping[str, Fetched] = field(default_factory=dict[str, Fetched])

    def with_fetched(self, fetched: Iterable[Fetched]) -> "AlarmState":
        """The state that also remembers what was fetched, where the server can be asked for changes and it is no larger than 1 MB."""
        remembered = dict(self.fetched)
        for item in fetched:
            remembered.pop(item.source, None)
            if len(item.content) <= _LARGEST_KEPT and (item.etag or item.last_modified) and _is_text(item.content):
                remembered[item.source] = replace(item, is_unchanged=False)
        return replace(self, fetched=remembered)


@dataclass(frozen=True, slots=True)
class News:
    """What there is to say: ``findings`` are new, changed, due again, or gone; ``known`` counts those that were said before."""

    findings: tuple[Finding, ...]
    known: int = 0


def compare(
    state: AlarmState, statements: Sequence[Statement], now: datetime, remind_days: int, *, is_complete: bool = True
) -> tuple[News, AlarmState]:
    """What is news, and the state once it has been said.

    Only the witnesses that were heard are compared: what another one said before is neither gone nor repeated. A drift that went away is
    an info finding ``drift-gone/<its id>``; one that another finding covers now has not gone, and when the hearing was not complete, what is missing
    may only not have been heard.
    """
    heard = {statement.witness for statement in statements}
    present = _by_key(statements)
    drifts = {key: known for key, known in state.drifts.items() if Witness(key.partition(":")[0]) not in heard}
    news: list[Finding] = []
    for key, findings in present.items():
        known = state.drifts.get(key)
        digest = _digest(findings)
        if known is None or known.digest != digest or now - _moment(known.reported) >= timedelta(days=remind_days):
            news += findings
            known = KnownDrift.of(findings[0], digest, now)
        drifts[key] = known
    missing = {key: known for key, known in state.drifts.items() if key not in drifts}
    explained = set(_covered(present))
    gone = [known for key, known in missing.items() if is_complete and key not in explained and known.can_go]
    news += [known.gone() for known in sorted(gone, key=lambda known: -known.severity.rank)]
    said = sum(len(findings) for findings in present.values())
    known_count = said - (len(news) - len(gone))
    remembered = drifts if is_complete else {**missing, **drifts}
    return News(tuple(news), known_count), replace(state, drifts=remembered)


def _by_key(statements: Sequence[Statement]) -> dict[str, list[Finding]]:
    present: dict[str, list[Finding]] = {}
    for witness in dict.fromkeys(statement.witness for statement in statements):
        for finding in collect(statement for statement in statements if statement.witness is witness):
            present.setdefault(f"{witness}:{finding.fingerprint}", []).append(finding)
    return present


def _covered(present: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    for key, findings in present.items():
        witness = key.partition(":")[0]
        waiting = [covered for finding in findings for covered in finding.covers]
        while waiting:
            covered = waiting.pop()
            yield f"{witness}:{covered.fingerprint}"
            waiting += covered.covers


def _digest(findings: Sequence[Finding]) -> str:
    """What a drift is, without the words and examples in which it shows: those differ from day to day where answers are recorded."""
    parts = sorted(json.dumps(_essence(finding), sort_keys=True, default=str) for finding in findings)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _essence(finding: Finding) -> dict[str, Any]:
    sides = [_structure(side) for side in (finding.old, finding.new)] if isinstance(finding, Change) else None
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "pointer": finding.pointer,
        "change": sides,
        "got": finding.got if (finding.witness or "").startswith(Witness.PAGE) else None,
        "expected": finding.expected,
        "covers": sorted(map(_essence, finding.covers), key=lambda essence: json.dumps(essence, default=str)),
    }


def _structure(value: Any, *, is_names: bool = False) -> Any:
    """A value of a contract without prose, examples and the order of lists, which mean nothing; names of properties are no prose."""
    if is_array(value):
        return sorted((_structure(item) for item in value), key=lambda item: json.dumps(item, default=str))
    if not is_object(value):
        return value
    return {
        name: _structure(member, is_names=name in _NAMED and not is_names)
        for name, member in value.items()
        if is_names or not (name in _PROSE or name.startswith("x-"))
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
