"""A file of known findings, which a verification does not report again."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import Finding, is_array, is_object

from bodydouble_contract_tests.checks import flattened
from bodydouble_contract_tests.model import Verification

__all__ = ["BadBaseline", "Baseline", "check_of"]

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_KEPT = ("fingerprint", "id", "severity", "operation", "pointer", "message")
_NOT_RUN = "not run"


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
        """Read the text of `to_json`, or the JSON report of a verification: both list ``findings``, each with a fingerprint.

        Raises BadBaseline.
        """
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadBaseline(f"it is not JSON ({error}); a baseline is written by --write-baseline") from None
        findings = document.get("findings") if is_object(document) else None
        if not is_array(findings):
            raise BadBaseline('it has no list "findings"; a baseline is written by --write-baseline')
        return cls(dict(_entries(findings, "/findings")))

    def to_json(self) -> str:
        """Return the text of the baseline's file. The order of the findings is the same in every run."""
        entries = sorted(self.known.values(), key=lambda entry: (str(entry.get("id", "")), str(entry["fingerprint"])))
        # In ASCII, since messages quote bytes from a server.
        return json.dumps({"findings": entries}, indent=2) + "\n"

    def apply(self, verification: Verification) -> Verification:
        """Move the known findings of a verification to ``muted``, and list those that were not found again in ``gone``.

        A finding is gone only when its check was run, in a verification that ran to its end.
        """
        muted = tuple(item for item in flattened(verification.findings) if item.fingerprint in self.known)
        new = tuple(left for item in verification.findings if (left := self._new(item)) is not None)
        return replace(verification, findings=new, muted=muted, gone=self._gone(verification))

    def _new(self, finding: Finding) -> Finding | None:
        """Return what is new of a finding and those that it covers; None when all of them are known."""
        left = [item for item in (finding, *finding.covers) if item.fingerprint not in self.known]
        return replace(left[0], covers=tuple(left[1:])) if left else None

    def _gone(self, verification: Verification) -> tuple[str, ...]:
        if verification.incomplete is not None:
            return ()
        seen = {item.fingerprint for item in flattened(verification.findings)}
        return tuple(
            fingerprint
            for fingerprint, entry in self.known.items()
            if fingerprint not in seen and verification.outcomes.get(check_of(entry), _NOT_RUN) != _NOT_RUN
        )


def _entries(findings: Iterable[Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield fingerprint and entry of each finding, and of those that it covers. Raises BadBaseline."""
    for number, entry in enumerate(findings):
        fingerprint = entry.get("fingerprint") if is_object(entry) else None
        if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
            raise BadBaseline(f"{place}/{number} has no fingerprint of 16 hexadecimal digits")
        yield fingerprint, {name: entry[name] for name in _KEPT if name in entry}
        covers = entry.get("covers")
        yield from _entries(covers if is_array(covers) else (), f"{place}/{number}/covers")


def check_of(entry: Mapping[str, Any]) -> str:
    """Return the id of the check that a finding, given as JSON values, belongs to: the finding's id up to the first slash."""
    return str(entry.get("id", "")).partition("/")[0]
