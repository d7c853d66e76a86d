"""The history of a contract: its revisions in order of time, and the changes of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from bodydouble_spec.contract import Contract
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.document import is_url

__all__ = ["Revision", "Step", "history", "read_name"]

_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a contract: ``name`` identifies it (a commit), ``date`` is its publication date, by ``dated_by``."""

    name: str
    date: date
    contract: Contract
    dated_by: str = "name"


@dataclass(frozen=True, slots=True)
class Step:
    """A revision and its changes since ``previous``, which is None for the first; empty where only prose changed."""

    revision: Revision
    previous: Revision | None
    changes: tuple[Change, ...]


def history(revisions: Iterable[Revision]) -> tuple[Step, ...]:
    """Return the steps from each revision to the next, the oldest first; those of one day stay in the order given."""
    ordered = sorted(revisions, key=lambda revision: revision.date)
    steps: list[Step] = []
    for revision, previous in zip(ordered, [None, *ordered], strict=False):
        changes = () if previous is None else tuple(diff(previous.contract, revision.contract))
        steps.append(Step(revision, previous, changes))
    return tuple(steps)


def read_name(source: str) -> tuple[str, date | None]:
    """Parse the name and date of a revision from the last part of a path or URL.

    ``2026-06-12-4cd011cd.json`` is revision ``4cd011cd`` of 2026-06-12. Without a date, return the whole stem and None.
    """
    path = source.partition("?")[0].partition("#")[0] if is_url(source) else source
    stem = PurePath(path).stem
    for match in _DATE.finditer(stem):
        try:
            day = date.fromisoformat(match[1])
        except ValueError:
            continue
        return stem[match.end() :].strip("-_. ") or stem[: match.start()].strip("-_. ") or stem, day
    return stem, None
