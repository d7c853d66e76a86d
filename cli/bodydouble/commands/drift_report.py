"""The sources of ``bodydouble drift``, each read and compared with the adopted contract, and the report of what is new.

It needs the extra, which the help of the command does not.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.drift import (
    Delta,
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

from bodydouble.console import print_error
from bodydouble.notify import Services, build_message, notify
from bodydouble.options import UPSTREAM, VENDORED, load_published, resolve_source, unreadable_reason

__all__ = ["SourceReader", "document_address", "notify_services"]


def document_address(upstream: str | None, page: str | None, exchanges: Sequence[Path]) -> str | None:
    """Return the address of the published document to read; None when only other sources were given."""
    if upstream is not None:
        return resolve_source(upstream)
    return None if page is not None or exchanges else resolve_source(UPSTREAM)


class SourceReader:
    """The adopted contract, and the result or the problem of each source that was read and compared with it.

    ``cached`` is the content fetched by an earlier run, by source. Raises SpecError when the contract cannot be used.
    """

    def __init__(self, contract: str, severities: Severities, cached: Mapping[str, Fetched]) -> None:
        self._published = load_published(contract)
        self._published.refuse_expansion()
        problem = unreadable_reason(self._published)
        if problem is not None:
            raise UnreadableDocument(f"--contract {self._published.source}: {problem}")
        self._is_vendored = contract == VENDORED
        self._contract = Contract.load(None if self._is_vendored else resolve_source(contract))
        self._severities = severities
        self._cached = cached
        self.results: list[SourceResult] = []
        self.fetched: list[Fetched] = []
        self.problems: list[str] = []
        self.unforeseen: list[Exception] = []

    @property
    def is_complete(self) -> bool:
        """True when every source was read completely."""
        return not self.problems and not self.unforeseen

    def read(
        self,
        upstream: str | None,
        page: str | None,
        exchanges: Sequence[Path],
        requests: Path | None,
        *,
        with_impact: bool,
    ) -> None:
        """Read the sources that the options of the command name."""
        document = document_address(upstream, page, exchanges)
        calls = self._requests(requests)
        if document is not None:
            with self._keep_errors():
                self._read_document(document, calls if with_impact else None)
        if page is not None:
            with self._keep_errors():
                self._read_page(page)
        for path in exchanges:
            with self._keep_errors():
                self._read_recording(path)

    def report(self, delta: Delta) -> Report:
        """Build the report: the contract, its sources, and the findings that are new."""
        facts: dict[str, Any] = {
            "contract": f"{self._contract.source} ({self._contract.fingerprint[:12]})",
            "sources": [_row(result) for result in self.results],
        }
        if delta.known:
            facts["reported before"] = delta.known
        if not self.is_complete:
            facts["not read"] = [*self.problems, *(type(error).__name__ for error in self.unforeseen)]
        named = f"the {VENDORED} contract" if self._is_vendored else self._contract.source
        return Report(f"drift from {named}", delta.findings, facts)

    @contextmanager
    def _keep_errors(self) -> Generator[None]:
        try:
            yield
        except SpecError as error:
            self.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - raised again after the findings of the others have been reported
            self.unforeseen.append(error)

    def _read_document(self, source: str, exchanges: tuple[Exchange, ...] | None) -> None:
        """Compare the published document; ``exchanges`` are the app's own requests, None to run no calls against it."""
        fetched = self._fetch(source)
        content = read_published(fetched)
        new = replace(Contract.load(content, overlay=None), source=fetched.address)
        changes = self._severities.apply(diff(self._published, new))
        findings: list[Finding] = [*changes]
        if changes and exchanges is not None and unreadable_reason(new) is None:
            contract = replace(Contract.load(content), source=fetched.address)
            try:
                findings += impact(self._contract, contract, exchanges=exchanges)
            except Exception as error:  # noqa: BLE001 - raised again after the changes have been reported
                self.unforeseen.append(error)
        self._add(DriftSource.DOCUMENT, fetched, findings)

    def _read_page(self, source: str) -> None:
        fetched = self._fetch(source)
        self._add(DriftSource.PAGE, fetched, page_findings(fetched, self._contract))

    def _read_recording(self, path: Path) -> None:
        recording = read_recording(path, self._contract)
        self.problems += recording.problems
        self.results.append(recording.result)

    def _requests(self, path: Path | None) -> tuple[Exchange, ...]:
        if path is None:
            return ()
        try:
            log = read_exchanges(path)
        except OSError as error:
            self.problems.append(f"{path}: {error.strerror or error}; name a file of exchanges")
            return ()
        self.problems += unread_lines(path, log)
        if not log.exchanges and not log.findings:
            self.problems.append(f"{path}: the file has no exchanges; record some requests of your app first")
        return log.exchanges

    def _fetch(self, source: str) -> Fetched:
        fetched = fetch(source, self._cached)
        self.fetched.append(fetched)
        return fetched

    def _add(self, source: DriftSource, fetched: Fetched, findings: Sequence[Finding]) -> None:
        self.results.append(SourceResult(source, fetched.address, tuple(findings), _freshness(fetched)))


def _row(result: SourceResult) -> dict[str, Any]:
    row = {"source": str(result.source), "address": result.address, "findings": len(result.findings)}
    return {**row, "note": result.note} if result.note else row


def _freshness(fetched: Fetched) -> str:
    if fetched.is_unchanged:
        return "not modified since the last fetch"
    return f"last modified {fetched.last_modified}" if fetched.last_modified else ""


def notify_services(services: Services, report: Report, report_url: str | None) -> bool:
    """Notify the services of new findings; return False when there are services and none was reached."""
    if not len(services) or not report.findings:
        return True
    failures = notify(services, build_message(report, report_url), report)
    for failure in failures:
        print_error(f"{failure} (the findings and the exit code stay as they are)")
    return len(failures) < len(services)
