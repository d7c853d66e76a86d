"""A file of known findings, which a later run does not report again."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec.finding import Finding, flattened
from bodydouble_spec.values import is_array, is_object

__all__ = ["BadBaseline", "Baseline"]

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_KEPT = ("fingerprint", "id", "severity", "operation", "pointer", "message")
# The names that the findings have in the json formats of the reports.
_LISTS = ("findings", "changes", "defects")


class BadBaseline(ValueError):
    """The text is not a baseline; the message names the fault and its place."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known findings by fingerprint. Each has the members that help a person to recognise it (``id``, ``pointer``, ``message`` …)."""

    known: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Baseline":
        """Return a baseline of exactly these findings."""
        documents = (finding.to_dict() for finding in flattened(findings))
        entries = ({name: item[name] for name in _KEPT if name in item} for item in documents)
        return cls({entry["fingerprint"]: entry for entry in entries})

    @classmethod
    def parse(cls, text: str) -> "Baseline":
        """Read the text of `to_json`, or the JSON report of a command: both list findings, each with a fingerprint.

        Raises BadBaseline.
        """
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadBaseline(f"it is not JSON ({error}); a baseline is written by --write-baseline") from None
        lists = [name for name in _LISTS if is_object(document) and is_array(document.get(name))]
        if not lists:
            raise BadBaseline('it has no list "findings"; a baseline is written by --write-baseline')
        return cls(dict(_entries(document[lists[0]], f"/{lists[0]}")))

    def to_json(self) -> str:
        """Return the text of the baseline's file. The order of the findings is the same in every run."""
        entries = sorted(self.known.values(), key=lambda entry: (str(entry.get("id", "")), str(entry["fingerprint"])))
        # In ASCII, since messages quote bytes from a server.
        return json.dumps({"findings": entries}, indent=2) + "\n"

    def split(self, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """Return the new findings, and the known ones, those included that a new one covered."""
        given = tuple(findings)
        muted = tuple(item for item in flattened(given) if item.fingerprint in self.known)
        return tuple(left for item in given if (left := self._new(item)) is not None), muted

    def missing(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """Return the fingerprints of the known findings that are not among these, covered ones included."""
        seen = {item.fingerprint for item in flattened(findings)}
        return tuple(fingerprint for fingerprint in self.known if fingerprint not in seen)

    def _new(self, finding: Finding) -> Finding | None:
        """Return what is new of a finding and those that it covers; None when all of them are known."""
        left = [item for item in (finding, *finding.covers) if item.fingerprint not in self.known]
        return replace(left[0], covers=tuple(left[1:])) if left else None


def _entries(findings: Iterable[Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield fingerprint and entry of each finding, and of those that it covers. Raises BadBaseline."""
    for number, entry in enumerate(findings):
        fingerprint = entry.get("fingerprint") if is_object(entry) else None
        if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
            raise BadBaseline(f"{place}/{number} has no fingerprint of 16 hexadecimal digits")
        yield fingerprint, {name: entry[name] for name in _KEPT if name in entry}
        covers = entry.get("covers")
        yield from _entries(covers if is_array(covers) else (), f"{place}/{number}/covers")
