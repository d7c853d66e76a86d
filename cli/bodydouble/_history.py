"""``bodydouble history``: the revisions of a contract in order of time, and what each of them changed."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from bodydouble._diff import severities_fact
from bodydouble._options import Format, Output
from bodydouble._output import COULD_NOT_RUN, complain, print_report, stop, stopping
from bodydouble._sources import (
    SOURCE,
    UPSTREAM,
    VENDORED,
    Config,
    address_of,
    load_published,
    load_severities,
    problem_of,
)

if TYPE_CHECKING:
    from bodydouble_spec.changes import Change, Revision, Step

__all__ = ["history"]

_SUFFIXES = {".json", ".yaml", ".yml"}
_BY_NAME = "name"
_MOST_MESSAGES = 6
_COVERED_BY_RENAMING = 2
_FINGERPRINT_DIGITS = 12


class _Dated(NamedTuple):
    """A source, the name and the day of its revision, and what the day was taken from."""

    source: str
    name: str
    day: date
    dated_by: str


class _PassedOver(NamedTuple):
    """A source that is no revision, and why; ``is_missing`` when there is nothing at that place."""

    source: str
    reason: str
    is_missing: bool


def history(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help=f"Folders of documents, or each {SOURCE}.", show_default=False),
    ],
    format: Format = "text",  # noqa: A002 - the option's name
    output: Output = None,
    config: Config = None,
) -> None:
    """Tell the history of a contract: date, fingerprint and changes of each revision.

    A revision is dated by its file name (2026-06-12-4cd011cd.json), else by the time of the file. What cannot be read is said and passed over.
    """
    with stopping():
        from dataclasses import replace

        from bodydouble_spec import Report
        from bodydouble_spec.changes import history as steps_of

        severities = load_severities(config)
        dated = [_dated(source) for source in _expanded(sources)]
        revisions, passed_over = _load(dated)
        for item in passed_over:
            complain(f"{item.source} is passed over: {item.reason}")
        if not revisions:
            stop("there is no revision among these; name contract documents or a folder of them")
        steps = [replace(step, changes=severities.apply(step.changes)) for step in steps_of(revisions)]
        is_source_shown = any(revision.dated_by != _BY_NAME for revision in revisions)
        facts: dict[str, Any] = {"revisions": [_row(step, is_source_shown=is_source_shown) for step in steps]}
        if passed_over:
            facts["passed over"] = [{"document": item.source, "reason": item.reason} for item in passed_over]
        changes = tuple(replace(change, witness=_label(step.revision)) for step in steps for change in step.changes)
        title = f"history: {len(steps)} revision{'s' * (len(steps) != 1)}, {_structures(steps)}"
        print_report(Report(title, changes, {**facts, **severities_fact(severities)}, "changes"), format, output)
        raise typer.Exit(COULD_NOT_RUN if any(item.is_missing for item in passed_over) else 0)


def _expanded(sources: list[str]) -> list[str]:
    """The sources with each folder replaced by the documents in it, by name."""
    result: list[str] = []
    for source in sources:
        inside = None if source in {VENDORED, UPSTREAM} else _documents_in(source)
        if inside == []:
            stop(f"{source}: no document in this folder; its .json and .yaml files would be read")
        result += [source] if inside is None else inside
    return list(dict.fromkeys(result))


def _documents_in(source: str) -> list[str] | None:
    """The documents in a folder, by name; None for what is no folder, or cannot be looked into, as reading it will say."""
    try:
        inside = sorted(path for path in Path(source).iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except (OSError, ValueError):
        return None
    return [str(path) for path in inside]


def _dated(source: str) -> _Dated:
    from bodydouble_spec import provenance
    from bodydouble_spec.changes import read_name

    if source == VENDORED:
        facts = provenance()
        return _Dated(source, facts["revision"], date.fromisoformat(facts["date"]), "provenance")
    name, day = read_name(address_of(source))
    if day is not None:
        return _Dated(source, name, day, _BY_NAME)
    try:
        return _Dated(source, name, datetime.fromtimestamp(Path(source).stat().st_mtime, UTC).date(), "file time")
    except (OSError, ValueError):
        return _Dated(source, name, datetime.now(UTC).date(), "today")


def _load(dated: list[_Dated]) -> "tuple[list[Revision], list[_PassedOver]]":
    from bodydouble_spec import SpecError, UnreadableDocument
    from bodydouble_spec.changes import Revision

    revisions: list[Revision] = []
    passed_over: list[_PassedOver] = []
    for item in dated:
        try:
            contract = load_published(item.source)
        except SpecError as error:
            reason = str(error).removeprefix(f"{address_of(item.source)}: ")
            passed_over.append(_PassedOver(item.source, reason, isinstance(error, UnreadableDocument)))
            continue
        problem = problem_of(contract)
        if problem is None:
            revisions.append(Revision(item.name, item.day, contract, item.dated_by))
        else:
            passed_over.append(_PassedOver(item.source, problem, is_missing=False))
    return revisions, passed_over


def _row(step: "Step", *, is_source_shown: bool) -> dict[str, Any]:
    return {
        "date": step.revision.date.isoformat(),
        **({"dated by": step.revision.dated_by} if is_source_shown else {}),
        "revision": step.revision.name,
        "fingerprint": step.revision.contract.fingerprint[:_FINGERPRINT_DIGITS],
        "what changed": _in_words(step),
    }


def _in_words(step: "Step") -> str:
    if step.previous is None:
        return "the first of these"
    if not step.changes:
        return "no structural change"
    worst_first = sorted(step.changes, key=lambda change: -change.severity.rank)
    messages = [change.message + _covered(change) for change in worst_first]
    more = len(messages) - _MOST_MESSAGES
    return "; ".join(messages[:_MOST_MESSAGES]) + (f"; and {more} more" if more > 0 else "")


def _covered(change: "Change") -> str:
    """How much a change explains; nothing for a renaming, which is a removal and an addition by its nature."""
    if len(change.covers) <= _COVERED_BY_RENAMING:
        return ""
    from bodydouble_spec import Severity

    severities = [covered.severity for covered in change.covers]
    counts = {severity: severities.count(severity) for severity in Severity}
    words = [f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items() if count]
    return f" (and with that {', '.join(words)})"


def _label(revision: "Revision") -> str:
    return f"{revision.date.isoformat()} {revision.name}"


def _structures(steps: "list[Step]") -> str:
    count = len({step.revision.contract.fingerprint for step in steps})
    return f"{count} structure{'s' * (count != 1)}"
