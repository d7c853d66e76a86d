"""The report of ``bodydouble drift``: the sources, those that could not be read, and the new findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble_contract_tests.drift import (
    DriftSource,
    Fetched,
    SourceResult,
    fetch,
    page_findings,
    read_published,
    read_recording,
    unread_lines,
)
from bodydouble_contract_tests.impact import impact
from bodydouble_spec import Contract, Exchange, Finding, Report, SpecError, UnreadableDocument, read_exchanges
from bodydouble_spec.diff import Severities, diff

from bodydouble.options import UPSTREAM, VENDORED, load_published, load_severities, resolve_source, unreadable_reason

if TYPE_CHECKING:
    from bodydouble_contract_tests.drift import Delta

__all__ = ["DriftOptions", "collect_results", "drift_report"]


def drift_report(collected: "Collected", delta: "Delta") -> Report:
    """Build the report: the contract, its sources, and the findings that are new."""
    facts: dict[str, Any] = {
        "contract": f"{collected.contract.source} ({collected.contract.fingerprint[:12]})",
        "sources": [_row(result) for result in collected.results],
    }
    if delta.known:
        facts["reported before"] = delta.known
    if not collected.is_complete:
        facts["not read"] = [*collected.problems, *(type(error).__name__ for error in collected.unforeseen)]
    named = f"the {VENDORED} contract" if collected.is_vendored else collected.contract.source
    return Report(f"drift from {named}", delta.findings, facts)


def _row(result: "SourceResult") -> dict[str, Any]:
    row = {"source": str(result.source), "address": result.address, "findings": len(result.findings)}
    return {**row, "note": result.note} if result.note else row


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """The options of the command: the sources to read, and the contract to compare them with."""

    upstream: str | None = None
    page: str | None = None
    exchanges: tuple[Path, ...] = ()
    requests: Path | None = None
    contract: str | None = None
    config: Path | None = None
    with_impact: bool = True

    @property
    def document(self) -> str | None:
        """The address of the published document; None when only other sources were given."""
        if self.upstream is not None:
            return resolve_source(self.upstream)
        return None if self.page is not None or self.exchanges else resolve_source(UPSTREAM)


@dataclass(slots=True)
class Collected:
    """The adopted contract, the result of each source, the fetched content, and the problems of sources that could not be read."""

    contract: Contract
    is_vendored: bool = True
    results: list[SourceResult] = field(default_factory=list[SourceResult])
    fetched: list[Fetched] = field(default_factory=list[Fetched])
    problems: list[str] = field(default_factory=list[str])
    unforeseen: list[Exception] = field(default_factory=list[Exception])

    @property
    def is_complete(self) -> bool:
        """True when every source was read completely."""
        return not self.problems and not self.unforeseen

    def add(self, read: Callable[[], SourceResult]) -> None:
        """Read one source, and keep its result or its problem."""
        try:
            self.results.append(read())
        except SpecError as error:
            self.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - raised again after the findings of the others have been reported
            self.unforeseen.append(error)


def collect_results(options: DriftOptions, cached: Mapping[str, Fetched]) -> Collected:
    """Read every source that the options name. ``cached`` is the content fetched by an earlier run, by source.

    Raises SpecError when the contract or the settings cannot be used.
    """
    severities = load_severities(options.config)
    source = VENDORED if options.contract is None else options.contract
    published = load_published(source)
    problem = unreadable_reason(published)
    if problem is not None:
        raise UnreadableDocument(f"--contract {published.source}: {problem}")
    is_vendored = source == VENDORED
    collected = Collected(Contract.load(None if is_vendored else resolve_source(source)), is_vendored)
    document, page = options.document, options.page
    exchanges = _requests(options.requests, collected)
    if document is not None:
        calls = exchanges if options.with_impact else None
        collected.add(partial(_document, document, published, severities, calls, collected, cached))
    if page is not None:
        collected.add(partial(_page, page, collected, cached))
    for path in options.exchanges:
        collected.add(partial(_recording, path, collected))
    return collected


def _document(
    source: str,
    old: Contract,
    severities: Severities,
    exchanges: tuple[Exchange, ...] | None,
    collected: Collected,
    cached: Mapping[str, Fetched],
) -> SourceResult:
    """Compare the published document; ``exchanges`` are the app's own requests, None to run no calls against it."""
    fetched = _fetch(source, collected, cached)
    content = read_published(fetched)
    new = replace(Contract.load(content, overlay=None), source=fetched.address)
    changes = severities.apply(diff(old, new))
    findings: list[Finding] = [*changes]
    if changes and exchanges is not None and unreadable_reason(new) is None:
        contract = replace(Contract.load(content), source=fetched.address)
        try:
            findings += impact(collected.contract, contract, exchanges=exchanges)
        except Exception as error:  # noqa: BLE001 - raised again after the changes have been reported
            collected.unforeseen.append(error)
    return SourceResult(DriftSource.DOCUMENT, fetched.address, tuple(findings), _freshness(fetched))


def _page(source: str, collected: Collected, cached: Mapping[str, Fetched]) -> SourceResult:
    fetched = _fetch(source, collected, cached)
    findings = page_findings(fetched, collected.contract)
    return SourceResult(DriftSource.PAGE, fetched.address, tuple(findings), _freshness(fetched))


def _recording(path: Path, collected: Collected) -> SourceResult:
    recording = read_recording(path, collected.contract)
    collected.problems += recording.problems
    return recording.result


def _requests(path: Path | None, collected: Collected) -> tuple[Exchange, ...]:
    if path is None:
        return ()
    try:
        log = read_exchanges(path)
    except OSError as error:
        collected.problems.append(f"{path}: {error.strerror or error}; name a file of exchanges")
        return ()
    collected.problems += unread_lines(path, log)
    if not log.exchanges and not log.findings:
        collected.problems.append(f"{path}: the file has no exchanges; record some requests of your app first")
    return log.exchanges


def _fetch(source: str, collected: Collected, cached: Mapping[str, Fetched]) -> Fetched:
    fetched = fetch(source, cached)
    collected.fetched.append(fetched)
    return fetched


def _freshness(fetched: Fetched) -> str:
    if fetched.is_unchanged:
        return "not modified since the last fetch"
    return f"last modified {fetched.last_modified}" if fetched.last_modified else ""
