"""The sources of ``bodydouble drift``, each read and compared with the adopted contract, and the report of what is new.

It needs the extra, which the help of the command does not.
"""

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.drift import (
    Delta,
    DriftSource,
    Fetched,
    SourceResult,
    exchanges_note,
    fetch,
    page_findings,
    read_published,
    read_recording,
    unread_parts,
)
from bodydouble_contract_tests.impact import NOT_FINISHED, impact, weigh
from bodydouble_contract_tests.verification import age_findings
from bodydouble_mockserver.answer import Unanswerable
from bodydouble_spec import (
    Contract,
    Evidence,
    Exchange,
    Finding,
    Report,
    Severity,
    SpecError,
    UnknownOperation,
    UnreadableDocument,
    is_object,
)
from bodydouble_spec.bundle import Bundle
from bodydouble_spec.diff import Severities, diff
from bodydouble_spec.document import SourceDocument, is_url
from bodydouble_spec.exchange import Redactor
from bodydouble_spec.recording import read_stored_recording
from bodydouble_spec.selection import only_operation

from bodydouble.console import print_error
from bodydouble.defects import defects_facts, limited_reason
from bodydouble.notify import Services, build_message, notify
from bodydouble.options import UPSTREAM, VENDORED, load_contract, load_published, resolve_source, unreadable_reason
from bodydouble.progress import ProgressLine

__all__ = ["AdoptedContract", "RecordedApp", "SourceReader", "document_address", "notify_services"]


_EXAMINED = {
    DriftSource.DOCUMENT: "the published document",
    DriftSource.PAGE: "the documentation page",
    DriftSource.RECORDING: "the recorded answers",
    DriftSource.REQUESTS: "the recorded requests",
    DriftSource.VERIFY_REPORT: "the report of verify",
}


def document_address(
    upstream: str | None,
    *,
    has_others: bool,
    has_requests: bool = False,
    origin: Mapping[str, str] | None = None,
) -> str | None:
    """Return the address of the published document to read; None when only other sources were given, and no requests to try against it.

    ``origin`` is the provenance of the adopted contract; without one, upstream is that of the vendored contract.
    """
    if upstream is None and has_others and not has_requests:
        return None
    if upstream is None or upstream == UPSTREAM:
        return (origin or {}).get("document") or resolve_source(UPSTREAM)
    return str(Bundle.find(upstream).document) if upstream else upstream


@dataclass(frozen=True, slots=True)
class AdoptedContract:
    """The contract to compare with, as published and with its overlay, and the operation and model that are asked for (None: all).

    ``fingerprint`` is that of the whole document, ``overlay`` what is applied to a published document too.
    """

    published: Contract
    contract: Contract
    fingerprint: str
    overlay: str | Path | bool | None
    operation: str | None
    model: str | None

    @classmethod
    def load(cls, source: str, overlay: str | None, operation: str | None, model: str | None) -> "AdoptedContract":
        """Load it. Raises SpecError when it cannot be used, or has no such operation or model."""
        published = load_published(source)
        published.refuse_expansion()
        problem = unreadable_reason(published)
        if problem is not None:
            raise UnreadableDocument(f"--contract {published.source}: {problem}")
        contract, fingerprint = load_contract(source, overlay), published.fingerprint
        if operation is not None or model is not None:
            published, contract = (only_operation(item, operation, model) for item in (published, contract))
        applied = overlay or (True if contract.is_vendored else Bundle.find(resolve_source(source)).overlay or True)
        return cls(published, contract, fingerprint, applied, operation, model)

    @property
    def name(self) -> str:
        """The name for the title of a report."""
        whole = f"the {VENDORED} contract" if self.contract.is_vendored else self.contract.source
        return whole if self.operation is None else f"{self.operation} of {whole}"

    def overlaid(self, content: dict[str, Any]) -> tuple[Contract, Contract]:
        """Return a published document without and with the overlay, and of it the operation that is asked for, if it is still there."""
        found = [Contract.load(content, overlay=overlay) for overlay in (None, self.overlay)]
        if self.operation is None:
            return found[0], found[1]
        one, other = (_only_if_there(contract, self.contract.operations[0].key) for contract in found)
        return one, other

    def wanted(self, exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
        """Return the exchanges of the model that is asked for."""
        return tuple(
            exchange
            for exchange in exchanges
            if self.model is None or not is_object(exchange.body) or exchange.body.get("model") == self.model
        )


def _only_if_there(contract: Contract, operation: str) -> Contract:
    try:
        return only_operation(contract, operation)
    except UnknownOperation:
        return contract  # all of it, since the operation may have moved


@dataclass(frozen=True, slots=True)
class RecordedApp:
    """The options about one app: the file of its requests, that of the places which it reads, and whether other calls count as much."""

    requests: Path | None = None
    reads: Path | None = None
    is_strict: bool = False

    def pointers(self) -> list[str] | None:
        """Return the JSON pointers of the places which the app reads, or None. Raises UnreadableDocument."""
        if self.reads is None:
            return None
        try:
            lines = [line.strip() for line in self.reads.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise UnreadableDocument(f"{self.reads}: {reason}; name a file of JSON pointers") from None
        pointers = [line for line in lines if line and not line.startswith("#")]
        wrong = next((line for line in pointers if not line.startswith("/")), None)
        if wrong is not None or not pointers:
            what = "has no JSON pointer" if wrong is None else f"{wrong[:60]!r} is not a JSON pointer"
            raise UnreadableDocument(f"{self.reads}: {what}; write one per line, such as /data/0/url")
        return pointers


class SourceReader:
    """The result or the problem of each source that was read and compared with the adopted contract.

    ``cached`` is the content fetched by an earlier run, by source, and ``max_age_days`` the age from which a recorded call is old.
    """

    def __init__(
        self, adopted: AdoptedContract, severities: Severities, cached: Mapping[str, Fetched], max_age_days: float
    ) -> None:
        self._adopted = adopted
        self._contract = adopted.contract
        self._severities = severities
        self._cached = cached
        self._max_age_days = max_age_days
        self.results: list[SourceResult] = []
        self.fetched: list[Fetched] = []
        self.problems: list[str] = []
        self.unforeseen: list[Exception] = []
        self._defects: dict[str, Any] = {}
        self._has_requests = False
        self._shown = ProgressLine("")

    @property
    def is_complete(self) -> bool:
        """True when every source was read completely."""
        return not self.problems and not self.unforeseen

    def read(
        self,
        upstream: str | None,
        page: str | None,
        exchanges: Sequence[Path],
        app: RecordedApp,
        *,
        max_impact_s: float | None,
        shown: ProgressLine,
    ) -> None:
        """Read the sources that the options of the command name; an interruption ends that, and is a problem.

        ``max_impact_s`` are the seconds for calls against the published document, None for no calls, and ``shown`` is the progress of all of it.
        """
        self._shown = shown
        try:
            self._read_all(upstream, page, exchanges, app, max_impact_s)
        except KeyboardInterrupt:
            self.problems.append("interrupted: the report has what was found until then")

    def _read_all(
        self,
        upstream: str | None,
        page: str | None,
        exchanges: Sequence[Path],
        app: RecordedApp,
        max_impact_s: float | None,
    ) -> None:
        document = document_address(
            upstream,
            has_others=page is not None or bool(exchanges),
            has_requests=app.requests is not None,
            origin=self._contract.provenance,
        )
        calls = self._requests(app.requests)
        self._has_requests = bool(calls)
        if document is not None:
            with self._keep_errors():
                self._read_document(document, calls, app, max_impact_s)
        if page is not None:
            with self._keep_errors():
                self._read_page(page)
        for path in exchanges:
            with self._keep_errors():
                self._read_recording(path)
        if app.requests is not None and calls:
            note = exchanges_note(calls, "request")
            self.results.append(SourceResult(DriftSource.REQUESTS, str(app.requests), self._age(calls), note))

    def report(self, delta: Delta) -> Report:
        """Build the report: the contract, its sources, and the findings that are new."""
        facts: dict[str, Any] = {
            "contract": f"{self._contract.source} ({self._adopted.fingerprint[:12]})",
            "sources": [_row(result) for result in self.results],
        }
        facts |= self._defects
        if delta.known:
            facts["reported before"] = delta.known
        if not self.is_complete:
            facts["not read"] = [*dict.fromkeys(self.problems), *(type(error).__name__ for error in self.unforeseen)]
        return Report(
            f"Drift from {self._adopted.name}",
            delta.findings,
            facts,
            known=delta.known,
            breaks="your calls" if self._has_requests else "the adopted contract",
            examined=", ".join(dict.fromkeys(_EXAMINED[result.source] for result in self.results)),
            incomplete=None if self.is_complete else "a source could not be read",
        )

    @contextmanager
    def _keep_errors(self) -> Generator[None]:
        try:
            yield
        except SpecError as error:
            self.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - raised again after the findings of the others have been reported
            self.unforeseen.append(error)

    def _read_document(
        self, source: str, exchanges: tuple[Exchange, ...], app: RecordedApp, max_impact_s: float | None
    ) -> None:
        """Compare the published document, and run calls against it; ``exchanges`` are the app's own requests."""
        fetched = self._fetch(source)
        reads = app.pointers()
        path = None if is_url(source) else Path(source)
        read = SourceDocument.of(fetched.content, read_published(fetched), path)
        published, overlaid = self._adopted.overlaid(read.completed)
        new = replace(published, source=fetched.address, findings=read.findings(published.findings))
        self._note_defects(new, fetched)
        self._shown.update("comparing the published document")
        every = diff(self._adopted.published, new)
        changes = self._severities.apply(every)
        findings: list[Finding] = [*changes]
        self.problems += filter(None, [limited_reason(every)])
        if changes and max_impact_s is not None and unreadable_reason(new) is None:
            contract = replace(overlaid, source=fetched.address)
            wanted = self._adopted.wanted(exchanges)
            self._shown.update("trying calls against the published document")
            end_s = time.monotonic() + max_impact_s

            def goes_on(tried: int, total: int) -> bool:
                self._shown.counted(tried, total)
                return time.monotonic() < end_s

            try:
                executed = impact(self._contract, contract, exchanges=wanted, reads=reads, goes_on=goes_on)
                findings = weigh(changes, executed, strict=app.is_strict)
                self.problems += [
                    f"{found.message}; allow more (--max-run-s)" for found in executed if found.id == NOT_FINISHED
                ]
            except KeyboardInterrupt:
                self._add(DriftSource.DOCUMENT, fetched, changes)
                raise
            except Unanswerable as error:
                message = f"no call was tried against the published document: {error}"
                findings.append(Finding("calls-not-tried", Severity.WARNING, Evidence.DOCUMENTED, "", message))
            except Exception as error:  # noqa: BLE001 - raised again after the changes have been reported
                self.unforeseen.append(error)
        self._add(DriftSource.DOCUMENT, fetched, findings)

    def _note_defects(self, new: Contract, fetched: Fetched) -> None:
        """Note the defects of the published document that the adopted one does not have. Raises ContractError for a partial one."""
        for contract in (self._adopted.published, new):
            contract.refuse_partial()
        known = {*self._adopted.published.findings}
        defects = replace(new, findings=tuple(finding for finding in new.findings if finding not in known))
        self._defects = defects_facts({"published": defects}, lambda _: fetched.content)

    def _read_page(self, source: str) -> None:
        fetched = self._fetch(source)
        self._add(DriftSource.PAGE, fetched, page_findings(fetched, self._contract))

    def _read_recording(self, path: Path) -> None:
        self._shown.update(f"reading {path}")
        recording = read_recording(path, self._contract, self._adopted.wanted)
        self.problems += recording.problems
        findings = (*recording.result.findings, *self._age(recording.checked))
        self.results.append(replace(recording.result, findings=findings))

    def _age(self, exchanges: Sequence[Exchange]) -> tuple[Finding, ...]:
        now = datetime.now(UTC)
        return tuple(age_findings(exchanges, self._adopted.fingerprint, now, self._max_age_days))

    def _requests(self, path: Path | None) -> tuple[Exchange, ...]:
        if path is None:
            return ()
        try:
            recording = read_stored_recording(path)
        except OSError as error:
            self.problems.append(
                f"{path}: {error.strerror or error}; name a file of exchanges, or the folder of a recording"
            )
            return ()
        self.problems += unread_parts(path, recording.findings)
        calls = tuple(exchange for exchange in recording.exchanges if exchange.kind is None)
        if not calls and not recording.findings:
            self.problems.append(f"{path}: the file has no exchanges; record some requests of your app first")
        return calls

    def _fetch(self, source: str) -> Fetched:
        self._shown.update(f"reading {Redactor().text(source)}")
        fetched = fetch(source, self._cached, on_download=self._shown.downloaded)
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
