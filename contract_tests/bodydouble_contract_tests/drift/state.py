"""The state of drift detection between runs: it keeps a drift from being reported twice, or being forgotten."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from bodydouble_spec import Evidence, Finding, Severity, SpecError, is_array, is_object
from bodydouble_spec.diff import Change
from bodydouble_spec.document import strip_prose

from bodydouble_contract_tests.drift.sources import EXECUTED, DriftSource, SourceResult, merge_findings
from bodydouble_contract_tests.drift.upstream import Fetched

__all__ = ["BadDriftState", "Delta", "DriftState", "compare", "read_state", "write_state"]

_LARGEST_KEPT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownDrift:
    """A reported drift.

    ``digest`` changes when the drift does (None: unknown), ``reported`` is the time of the last report (ISO 8601, UTC). The other fields are those
    of its finding.
    """

    digest: str | None
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
        """Tell whether its end is reported. A successful trial (an info finding that was executed) is not a drift."""
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
        if (
            known is None
            or known.digest not in {None, digest}
            or now - _time_of(known.reported) >= timedelta(days=remind_days)
        ):
            reported += findings
            known = KnownDrift.of(findings[0], digest, now)
        drifts[key] = replace(known, digest=digest)
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
    """Return a digest of a drift without its wording and examples, which differ from day to day in recorded answers.

    Nor does its severity count, which depends on settings, on the app's calls and on our rules: the drift is the same.
    """
    parts = sorted(json.dumps(_comparable(finding), sort_keys=True, default=str) for finding in findings)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _comparable(finding: Finding) -> dict[str, Any]:
    values = (
        [_sorted(strip_prose(value)) for value in (finding.old, finding.new)] if isinstance(finding, Change) else None
    )
    return {
        "id": finding.id,
        "pointer": finding.pointer,
        "change": values,
        "got": finding.got if (finding.source or "").startswith(DriftSource.PAGE) else None,
        "expected": finding.expected,
        "covers": sorted(map(_comparable, finding.covers), key=lambda comparable: json.dumps(comparable, default=str)),
    }


def _sorted(value: Any) -> Any:
    """Return a JSON value without the order of its lists."""
    if is_array(value):
        return sorted(map(_sorted, value), key=lambda item: json.dumps(item, default=str))
    return {name: _sorted(member) for name, member in value.items()} if is_object(value) else value


def _time_of(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


_FORMAT = 1
# The digests before counted the severity, which is no part of a drift, values as an earlier comparison gave them, and no changes that a tried call
# explains. Nobody can tell from such
# a digest whether a drift is the same, so one with its rule and place is; it is reported again when its reminder is due.
_DIGESTS = 3
_TEXTS = ("reported", "id", "pointer", "source", "message")


class BadDriftState(SpecError):
    """The state file is not valid, or cannot be read or written. The text says why and what to do."""


def read_state(path: Path) -> DriftState:
    """Read the state from a file; a missing file gives an empty state. Raises BadDriftState, and never changes the file."""
    if path.exists() and not path.is_file():
        # A device would be read forever, and replaced by a file.
        raise BadDriftState(f"--state {path}: not a regular file; name a file, which need not exist yet")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if path.parent.is_dir():
            return DriftState()
        raise BadDriftState(f"--state {path}: the folder {path.parent} does not exist; create it first") from None
    except (OSError, ValueError) as error:
        raise BadDriftState(f"--state {path}: {getattr(error, 'strerror', None) or error}; name a file") from None
    try:
        return _parse(orjson.loads(content))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadDriftState(
            f"--state {path}: not a state file of `bodydouble drift` ({_reason_of(error)}); it was left unchanged: name another file, or "
            "delete it to have every drift reported again"
        ) from None


def write_state(path: Path, state: DriftState) -> None:
    """Write the state atomically: a reader sees the old file or the new one. Raises BadDriftState, with the old file unchanged."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(_serialized(state))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadDriftState(
            f"--state {path}: {reason}; the state could not be written, and the file is unchanged"
        ) from None


def _serialized(state: DriftState) -> bytes:
    fetched = {
        address: {"etag": item.etag, "last_modified": item.last_modified, "content": item.content.decode()}
        for address, item in sorted(state.fetched.items())
    }
    drifts = {
        key: {name: getattr(known, name) for name in KnownDrift.__slots__}
        for key, known in sorted(state.drifts.items())
    }
    # Not orjson, which refuses the lone surrogates that a foreign document can bring into a message.
    text = json.dumps({"format": _FORMAT, "digests": _DIGESTS, "drifts": drifts, "fetched": fetched}, indent=2)
    return f"{text}\n".encode()


def _parse(value: Any) -> DriftState:
    if not is_object(value):
        raise ValueError("not a JSON object")
    if value.get("format") != _FORMAT:
        raise ValueError(f"format {value.get('format')!r:.20} instead of {_FORMAT}")
    is_earlier = value.get("digests") != _DIGESTS
    drifts = {key: _known(key, item, is_earlier=is_earlier) for key, item in _object(value, "drifts").items()}
    fetched = {address: _fetched(address, item) for address, item in _object(value, "fetched").items()}
    return DriftState(drifts, fetched)


def _known(key: str, value: Any, *, is_earlier: bool) -> KnownDrift:
    DriftSource(key.partition(":")[0])
    if not is_object(value):
        raise ValueError(f"drift {key} is not an object")
    severity, operation = Severity(_text(value, "severity")), _optional(value, "operation")
    digest = None if is_earlier else _optional(value, "digest")
    texts = {name: _text(value, name) for name in _TEXTS}
    known = KnownDrift(digest=digest, severity=severity, operation=operation, **texts)
    datetime.fromisoformat(known.reported)
    return known


def _fetched(address: str, value: Any) -> Fetched:
    if not is_object(value):
        raise ValueError(f"{address} is not an object")
    return Fetched(
        address, _text(value, "content").encode(), _optional(value, "etag"), _optional(value, "last_modified")
    )


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    member = value.get(name)
    if not is_object(member):
        raise ValueError(f"{name} is not an object")
    return member


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is not a string")
    return text


def _optional(value: dict[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _text(value, name)


def _reason_of(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return f"not JSON: line {error.lineno}, column {error.colno}"
    return str(error)
