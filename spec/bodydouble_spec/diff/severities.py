"""Severities of a team's own: settings from ``pyproject.toml`` that replace those of the rule table."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bodydouble_spec.bundle import nearest_pyproject
from bodydouble_spec.defects import show
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.rules import RULES
from bodydouble_spec.errors import SpecError
from bodydouble_spec.finding import Severity
from bodydouble_spec.values import is_object

__all__ = ["BadSeverities", "Severities"]

_TABLE = ("tool", "bodydouble", "drift")
_KEY = "severities"
_SECTION = ".".join((*_TABLE, _KEY))
_OFF = "off"
_VALUES = f"{', '.join(Severity)} or {_OFF}"


class BadSeverities(SpecError):
    """The settings cannot be read or name something unknown; the text says the problem, the place and the allowed values."""


@dataclass(frozen=True, slots=True)
class Severities:
    """The severities that a team chose: ``chosen`` maps a rule's id to a severity, or to None for a rule that is off.

    ``source`` is the settings file, None without one.
    """

    chosen: Mapping[str, Severity | None] = field(default_factory=dict[str, Severity | None])
    source: Path | None = None

    @classmethod
    def load(cls, path: str | Path) -> "Severities":
        """Read ``[tool.bodydouble.drift.severities]`` of a TOML file: rule ids with ``error``, ``warning``, ``info`` or ``off``.

        Raises BadSeverities when the file cannot be read, and for an unknown id, value or key.
        """
        try:
            section: Any = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadSeverities(f"{path}: {error.strerror or error}; name a readable pyproject.toml") from None
        except ValueError as error:
            # Not TOML, or not text.
            raise BadSeverities(f"{path} is not TOML: {error}") from None
        for depth, key in enumerate(_TABLE):
            section = section.get(key, {})
            if not is_object(section):
                raise BadSeverities(f"{path}: {'.'.join(_TABLE[: depth + 1])} must be a table")
        for key, value in section.items():
            # Other values are options of the command, which the command line reads.
            if key != _KEY and is_object(value):
                raise BadSeverities(f"{path}: [{'.'.join(_TABLE)}] has no setting {show(key)}; it has: {_KEY}")
        severities = section.get(_KEY, {})
        if not is_object(severities):
            raise BadSeverities(f"{path}: {_SECTION} must be a table of rules and severities")
        return cls({rule: _severity(rule, value, path) for rule, value in severities.items()}, Path(path))

    @classmethod
    def find(cls, folder: Path) -> "Severities":
        """Load the nearest ``pyproject.toml`` in a folder or above it; without one, return the defaults.

        Raises BadSeverities as `load` does.
        """
        nearest = nearest_pyproject(folder)
        return cls() if nearest is None else cls.load(nearest)

    def apply(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        """Return the changes with the chosen severities; covered changes get theirs too, the worst first.

        A change whose rule is off is left out, and the changes that it covers take its place.
        """
        return tuple(item for change in changes for item in self._applied(change))

    def _applied(self, change: Change) -> Iterator[Change]:
        covers = [
            item
            for covered in change.covers
            for item in (self._applied(covered) if isinstance(covered, Change) else (covered,))
        ]
        severity = self.chosen.get(change.id, change.severity)
        if severity is not None:
            worst_first = sorted(covers, key=lambda item: -item.severity.rank)
            yield replace(change, severity=severity, covers=tuple(worst_first))
        else:
            yield from (item for item in covers if isinstance(item, Change))


def _severity(rule: str, value: Any, path: str | Path) -> Severity | None:
    if rule not in RULES:
        similar = get_close_matches(rule, RULES, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "docs/changes.md lists them"
        raise BadSeverities(f"{path}: [{_SECTION}] has {show(rule)}, and there is no such rule; {hint}")
    if value == _OFF:
        return None
    if isinstance(value, str) and value in {*Severity}:
        return Severity(value)
    raise BadSeverities(f"{path}: [{_SECTION}] {rule} is {show(value)}; it must be {_VALUES}")
