"""What is wrong, as data: loading, validating, verifying, comparing and the journal all speak findings."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

__all__ = ["Evidence", "Finding", "Severity", "exit_code", "worst"]


class Severity(StrEnum):
    """How bad a finding is; the one scale that every command uses."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return _RANKS[self]

    @classmethod
    def for_evidence(cls, evidence: "Evidence") -> "Severity":
        """The severity of a deviation from a fact, given how well the fact is known."""
        return _DEVIATION[evidence]


class Evidence(StrEnum):
    """How a fact about the service is known.

    ``documented``: the published contract or a documentation page of this model says so.
    ``observed``: seen in a logged answer of this route. ``inferred``: seen on a neighbouring route or
    model of the same vendor. ``assumed``: nobody knows; a sensible default.
    """

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"
    ASSUMED = "assumed"


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
_DEVIATION = {
    Evidence.DOCUMENTED: Severity.ERROR,
    Evidence.OBSERVED: Severity.ERROR,
    Evidence.INFERRED: Severity.WARNING,
    Evidence.ASSUMED: Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where.

    Two findings are equal when ``id``, ``operation`` and ``pointer`` are: the same rule broken in the same
    place. ``id`` is the rule in kebab case; ``pointer`` is a JSON pointer (RFC 6901) into what was examined, ``""``
    for the whole. ``expected`` and ``got`` are JSON values, ``got`` shortened when it is long. ``repaired`` says
    what was put in place of a defect, ``direction`` is ``request`` or ``response``, ``operation`` is the operation's
    key (``POST /path``), ``request`` what was sent, ``witness`` where the finding was seen, and ``covers`` holds
    findings that this one explains.
    """

    id: str
    severity: Severity = field(compare=False)
    evidence: Evidence = field(compare=False)
    pointer: str
    message: str = field(compare=False)
    expected: Any = field(default=None, compare=False)
    got: Any = field(default=None, compare=False)
    repaired: str | None = field(default=None, compare=False)
    direction: str | None = field(default=None, compare=False)
    operation: str | None = None
    request: Any = field(default=None, compare=False)
    witness: str | None = field(default=None, compare=False)
    covers: tuple["Finding", ...] = field(default=(), compare=False)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that name this rule at this place, stable from run to run."""
        identity = "\0".join((self.id, self.operation or "", self.pointer))
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON values: the four naming fields, message and fingerprint always, others when set."""
        result: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "covers":
                if value:
                    result["covers"] = [covered.to_dict() for covered in value]
            elif value is not None or item.name in _ALWAYS:
                result[item.name] = str(value) if isinstance(value, StrEnum) else value
        result["fingerprint"] = self.fingerprint
        return result


_ALWAYS = {"id", "severity", "evidence", "pointer", "message"}


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity among the findings, or None when there are none."""
    return max((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)


def exit_code(findings: Iterable[Finding], fail_on: Severity | None = Severity.ERROR) -> int:
    """1 when a finding is at or above ``fail_on``, else 0; ``fail_on=None`` means never."""
    highest = worst(findings)
    return int(fail_on is not None and highest is not None and highest.rank >= fail_on.rank)
