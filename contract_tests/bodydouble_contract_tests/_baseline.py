"""What is known to be wrong already: a file of findings that a verification does not report again."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import Finding, is_array, is_object

from bodydouble_contract_tests._verification import Verification

__all__ = ["BadBaseline", "Baseline", "check_of"]

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_KEPT = ("fingerprint", "id", "severity", "operation", "pointer", "message")
_NOT_RUN = "not run"


class BadBaseline(ValueError):
    """The text is no baseline; the message says what is wrong with it, and where."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings by fingerprint: for each what a person needs to recognise it (``id``, ``pointer``, ``message`` …)."""

    known: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Baseline":
        """A baseline that knows exactly these findings."""
        documents = (finding.to_dict() for finding in findings)
        entries = ({name: item[name] for name in _KEPT if name in item} for item in documents)
        return cls({entry["fingerprint"]: entry for entry in entries})

    @classmethod
    def parse(cls, text: str) -> "Baseline":
        """Read what `to_json` wrote, or the json report of a verification: both list their ``findings`` with a fingerprint each.

        Raises BadBaseline.
        """
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadBaseline(f"it is not JSON ({error}); a baseline is written by --write-baseline") from None
        findings = document.get("findings") if is_object(document) else None
        if not is_array(findings):
            raise BadBaseline('it has no list "findings"; a baseline is written by --write-baseline')
        known: dict[str, Mapping[str, Any]] = {}
        for number, entry in enumerate(findings):
            fingerprint = entry.get("fingerprint") if is_object(entry) else None
            if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
                raise BadBaseline(f"/findings/{number} has no fingerprint of 16 hexadecimal digits")
            known[fingerprint] = {name: entry[name] for name in _KEPT if name in entry}
        return cls(known)

    def to_json(self) -> str:
        """The baseline as the text of its file, in an order that does not change from run to run."""
        entries = sorted(self.known.values(), key=lambda entry: (str(entry.get("id", "")), str(entry["fingerprint"])))
        # In ASCII, since messages quote what a server sent.
        return json.dumps({"findings": entries}, indent=2) + "\n"

    def apply(self, verification: Verification) -> Verification:
        """The verification with the known findings moved to ``muted``, and what is no longer found in ``gone``.

        A finding is only gone when its check was run, in a verification that came to its end.
        """
        muted = tuple(item for item in verification.findings if item.fingerprint in self.known)
        new = tuple(item for item in verification.findings if item.fingerprint not in self.known)
        return replace(verification, findings=new, muted=muted, gone=self._gone(verification))

    def _gone(self, verification: Verification) -> tuple[str, ...]:
        if verification.incomplete is not None:
            return ()
        seen = {item.fingerprint for item in verification.findings}
        return tuple(
            fingerprint
            for fingerprint, entry in self.known.items()
            if fingerprint not in seen and verification.outcomes.get(check_of(entry), _NOT_RUN) != _NOT_RUN
        )


def check_of(entry: Mapping[str, Any]) -> str:
    """The check to which a finding, given as JSON values, belongs: its id up to the first slash."""
    return str(entry.get("id", "")).partition("/")[0]
