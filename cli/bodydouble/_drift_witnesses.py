"""Hearing the witnesses of a drift, each for itself: one that cannot be heard is no reason not to listen to the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bodydouble_contract_tests.alarm import (
    DriftSource,
    Fetched,
    SourceResult,
    fetch,
    impact,
    page_findings,
    read_published,
    read_recording,
    unread_lines,
)
from bodydouble_spec import Contract, Exchange, Finding, SpecError, UnreadableDocument, read_exchanges
from bodydouble_spec.changes import Severities, diff

from bodydouble._sources import UPSTREAM, VENDORED, address_of, load_published, load_severities, problem_of

__all__ = ["Hearing", "Wanted", "hear"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which witnesses to hear, against which contract: the options of the command."""

    upstream: str | None = None
    page: str | None = None
    exchanges: tuple[Path, ...] = ()
    requests: Path | None = None
    contract: str | None = None
    config: Path | None = None
    is_tried: bool = True

    @property
    def document(self) -> str | None:
        """Where the published document is; None when only other witnesses are wanted."""
        if self.upstream is not None:
            return address_of(self.upstream)
        return None if self.page is not None or self.exchanges else address_of(UPSTREAM)


@dataclass(slots=True)
class Hearing:
    """What was heard: the adopted ``contract``, the statements, what was fetched for them, and why others could not be heard."""

    contract: Contract
    is_vendored: bool = True
    statements: list[SourceResult] = field(default_factory=list[SourceResult])
    fetched: list[Fetched] = field(default_factory=list[Fetched])
    problems: list[str] = field(default_factory=list[str])
    unforeseen: list[Exception] = field(default_factory=list[Exception])

    @property
    def is_complete(self) -> bool:
        """Whether every witness was heard to the end."""
        return not self.problems and not self.unforeseen

    def add(self, listen: Callable[[], SourceResult]) -> None:
        """Hear one witness; if that is impossible, note why."""
        try:
            self.statements.append(listen())
        except SpecError as error:
            self.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - raised again when what the others say has been reported
            self.unforeseen.append(error)


def hear(wanted: Wanted, kept: Mapping[str, Fetched]) -> Hearing:
    """Hear every witness that is wanted. ``kept`` is what was fetched before, by its source.

    Raises SpecError when the contract itself, or the settings, cannot be used.
    """
    severities = load_severities(wanted.config)
    named = VENDORED if wanted.contract is None else wanted.contract
    published = load_published(named)
    problem = problem_of(published)
    if problem is not None:
        raise UnreadableDocument(f"--contract {published.source}: {problem}")
    is_vendored = named == VENDORED
    hearing = Hearing(Contract.load(None if is_vendored else address_of(named)), is_vendored)
    document, page = wanted.document, wanted.page
    exchanges = _requests(wanted.requests, hearing)
    if document is not None:
        tried = exchanges if wanted.is_tried else None
        hearing.add(partial(_document, document, published, severities, tried, hearing, kept))
    if page is not None:
        hearing.add(partial(_page, page, hearing, kept))
    for path in wanted.exchanges:
        hearing.add(partial(_recording, path, hearing))
    return hearing


def _document(
    source: str,
    old: Contract,
    severities: Severities,
    exchanges: tuple[Exchange, ...] | None,
    hearing: Hearing,
    kept: Mapping[str, Fetched],
) -> SourceResult:
    """What the published document has become; ``exchanges`` are an app's own requests, None when nothing is to be tried out."""
    fetched = _fetch(source, hearing, kept)
    content = read_published(fetched)
    new = replace(Contract.load(content, overlay=None), source=fetched.address)
    changes = severities.apply(diff(old, new))
    findings: list[Finding] = [*changes]
    if changes and exchanges is not None and problem_of(new) is None:
        tried = replace(Contract.load(content), source=fetched.address)
        try:
            findings += impact(hearing.contract, tried, exchanges=exchanges)
        except Exception as error:  # noqa: BLE001 - raised again when what was compared has been reported
            hearing.unforeseen.append(error)
    return SourceResult(DriftSource.DOCUMENT, fetched.address, tuple(findings), _freshness(fetched))


def _page(source: str, hearing: Hearing, kept: Mapping[str, Fetched]) -> SourceResult:
    fetched = _fetch(source, hearing, kept)
    findings = page_findings(fetched, hearing.contract)
    return SourceResult(DriftSource.PAGE, fetched.address, tuple(findings), _freshness(fetched))


def _recording(path: Path, hearing: Hearing) -> SourceResult:
    recording = read_recording(path, hearing.contract)
    hearing.problems += recording.problems
    return recording.result


def _requests(path: Path | None, hearing: Hearing) -> tuple[Exchange, ...]:
    if path is None:
        return ()
    try:
        log = read_exchanges(path)
    except OSError as error:
        hearing.problems.append(f"{path}: {error.strerror or error}; name a file of exchanges")
        return ()
    hearing.problems += unread_lines(path, log)
    if not log.exchanges and not log.findings:
        hearing.problems.append(f"{path}: there is no exchange in it; record some requests of your app first")
    return log.exchanges


def _fetch(source: str, hearing: Hearing, kept: Mapping[str, Fetched]) -> Fetched:
    fetched = fetch(source, kept)
    hearing.fetched.append(fetched)
    return fetched


def _freshness(fetched: Fetched) -> str:
    if fetched.is_unchanged:
        return "not changed since it was last fetched"
    return f"last modified {fetched.last_modified}" if fetched.last_modified else ""
