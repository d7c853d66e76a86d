"""``bodydouble history``: the revisions of a contract in chronological order, with the changes of each."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from bodydouble_spec import Report, ReportFormat, Severity, SpecError, UnreadableDocument, provenance
from bodydouble_spec.diff import Change, Revision, Step, read_name
from bodydouble_spec.diff import history as steps_of

from bodydouble.console import COULD_NOT_RUN, exit_on_error, exit_with_error, new_app, print_error
from bodydouble.help_texts import Command
from bodydouble.options import (
    SOURCE_HELP,
    UPSTREAM,
    VENDORED,
    Config,
    load_published,
    load_severities,
    resolve_source,
    severities_fact,
    unreadable_reason,
)
from bodydouble.progress import ProgressLine, progress
from bodydouble.reports import Format, Reports, ReportTargets

__all__ = ["app"]

app = new_app()

_SUFFIXES = {".json", ".yaml", ".yml"}
_BY_NAME = "name"
_MAX_MESSAGES = 6
_COVERED_BY_RENAMING = 2
_FINGERPRINT_DIGITS = 12


class _DatedSource(NamedTuple):
    """A source with the name and date of its revision, and the origin of the date."""

    source: str
    name: str
    day: date
    dated_by: str


class _Skipped(NamedTuple):
    """A source that was skipped, and the reason; ``is_missing`` when it does not exist."""

    source: str
    reason: str
    is_missing: bool


@app.command(cls=Command, epilog="bodydouble history contracts/")
def history(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help=f"Folders of documents, or each {SOURCE_HELP}.", show_default=False),
    ],
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    report: Reports = None,
    config: Config = None,
) -> None:
    """Show the history of a contract: date, fingerprint and changes of each revision.

    A revision is dated by its file name (2026-06-12-4cd011cd.json), else by the time of the file. A document that cannot be read is reported and skipped.
    """
    with exit_on_error():
        targets = ReportTargets.parse(format, report)
        severities = load_severities(config)
        dated = [_dated(source) for source in _expanded(sources)]
        revisions, skipped = _load(dated)
        for item in skipped:
            print_error(f"{item.source} was skipped: {item.reason}")
        if not revisions:
            exit_with_error("none of the sources is a contract; name contract documents or a folder of them")
        with progress("comparing the revisions"):
            compared = steps_of(revisions)
        steps = [replace(step, changes=severities.apply(step.changes)) for step in compared]
        is_source_shown = any(revision.dated_by != _BY_NAME for revision in revisions)
        facts: dict[str, Any] = {"revisions": [_row(step, is_source_shown=is_source_shown) for step in steps]}
        if skipped:
            facts["skipped"] = [{"source": item.source, "reason": item.reason} for item in skipped]
        changes = tuple(replace(change, source=_label(step.revision)) for step in steps for change in step.changes)
        title = f"{len(steps)} revision{'s' * (len(steps) != 1)}, {_count_structures(steps)}"
        found = Report(
            "History of a contract", changes, {**facts, **severities_fact(severities)}, "changes", verdict=title
        )
        is_written = targets.write(found)
        raise typer.Exit(COULD_NOT_RUN if not is_written or any(item.is_missing for item in skipped) else 0)


def _expanded(sources: list[str]) -> list[str]:
    """Replace each folder by its documents, in the order of their names."""
    result: list[str] = []
    for source in sources:
        inside = None if source in {VENDORED, UPSTREAM} else _documents_in(source)
        if inside == []:
            exit_with_error(f"{source}: the folder has no .json, .yaml or .yml files")
        result += [source] if inside is None else inside
    return list(dict.fromkeys(result))


def _documents_in(source: str) -> list[str] | None:
    """List the documents in a folder, by name; return None for a source that is not a readable folder."""
    if not source:  # Path("") would be the working directory
        return None
    try:
        inside = sorted(path for path in Path(source).iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except (OSError, ValueError):
        return None
    return [str(path) for path in inside]


def _dated(source: str) -> _DatedSource:
    if source == VENDORED:
        facts = provenance()
        return _DatedSource(source, facts["revision"], date.fromisoformat(facts["date"]), "provenance")
    name, day = read_name(resolve_source(source))
    if day is not None:
        return _DatedSource(source, name, day, _BY_NAME)
    try:
        return _DatedSource(source, name, datetime.fromtimestamp(Path(source).stat().st_mtime, UTC).date(), "file time")
    except (OSError, ValueError):
        return _DatedSource(source, name, datetime.now(UTC).date(), "today")


def _load(dated: list[_DatedSource]) -> tuple[list[Revision], list[_Skipped]]:
    with progress("reading the revisions") as shown:
        loaded: list[Revision | _Skipped] = []
        for item in dated:
            shown.counted(len(loaded), len(dated))
            loaded.append(_load_one(item, shown))
    revisions = [item for item in loaded if isinstance(item, Revision)]
    return revisions, [item for item in loaded if isinstance(item, _Skipped)]


def _load_one(item: _DatedSource, shown: ProgressLine) -> Revision | _Skipped:
    try:
        contract = load_published(item.source, shown)
    except SpecError as error:
        reason = str(error).removeprefix(f"{resolve_source(item.source)}: ")
        return _Skipped(item.source, reason, isinstance(error, UnreadableDocument))
    problem = unreadable_reason(contract) or contract.partial_reason
    if problem is None:
        return Revision(item.name, item.day, contract, item.dated_by)
    return _Skipped(item.source, problem, is_missing=False)


def _row(step: Step, *, is_source_shown: bool) -> dict[str, Any]:
    return {
        "date": step.revision.date.isoformat(),
        **({"dated by": step.revision.dated_by} if is_source_shown else {}),
        "revision": step.revision.name,
        "fingerprint": step.revision.contract.fingerprint[:_FINGERPRINT_DIGITS],
        "changes": _summary(step),
    }


def _summary(step: Step) -> str:
    if step.previous is None:
        return "first revision"
    if not step.changes:
        return "no structural change"
    worst_first = sorted(step.changes, key=lambda change: -change.severity.rank)
    messages = [change.message + _covered(change) for change in worst_first]
    more = len(messages) - _MAX_MESSAGES
    return "; ".join(messages[:_MAX_MESSAGES]) + (f"; and {more} more" if more > 0 else "")


def _covered(change: Change) -> str:
    """Return a count of the changes that a change covers; empty for a renaming, which always covers a removal and an addition."""
    if len(change.covers) <= _COVERED_BY_RENAMING:
        return ""
    severities = [covered.severity for covered in change.covers]
    counts = {severity: severities.count(severity) for severity in Severity}
    words = [f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items() if count]
    return f" (covers {', '.join(words)})"


def _label(revision: Revision) -> str:
    return f"{revision.date.isoformat()} {revision.name}"


def _count_structures(steps: list[Step]) -> str:
    count = len({step.revision.contract.fingerprint for step in steps})
    return f"{count} structure{'s' * (count != 1)}"
