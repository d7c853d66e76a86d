"""Findings: the one shape in which loading, validation, verification, comparison and the journal report problems."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from bodydouble_spec.values import is_array, is_object

__all__ = ["Evidence", "Finding", "Severity", "exit_code", "flattened", "worst"]


class Severity(StrEnum):
    """The severity of a finding; one scale for every command."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """The rank: 0 for info, 1 for warning, 2 for error."""
        return _RANKS[self]

    @classmethod
    def for_evidence(cls, evidence: "Evidence") -> "Severity":
        """Return the severity of a deviation from a fact, given the evidence for the fact."""
        return _DEVIATION[evidence]


class Evidence(StrEnum):
    """The kind of evidence for a fact about the service.

    ``documented``: the published contract or a documentation page of this model says so. ``observed``: seen in a logged
    answer of this route. ``inferred``: seen on a neighbouring route or model of the same vendor. ``assumed``: unknown;
    a sensible default.
    """

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"
    ASSUMED = "assumed"

    @property
    def rank(self) -> int:
        """The rank: 0 for documented, the strongest, to 3 for assumed."""
        return list(Evidence).index(self)


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
_DEVIATION = {
    Evidence.DOCUMENTED: Severity.ERROR,
    Evidence.OBSERVED: Severity.ERROR,
    Evidence.INFERRED: Severity.WARNING,
    Evidence.ASSUMED: Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem and its place.

    Two findings are equal when ``id``, ``operation`` and ``pointer`` are: the same rule broken in the same place.
    ``id`` is the rule in kebab case; ``pointer`` is a JSON pointer (RFC 6901) into the examined value, ``""`` for the
    whole. ``expected`` and ``got`` are JSON values, ``got`` shortened when it is long. ``repaired`` names the
    replacement for a defect, ``direction`` is ``request`` or ``response``, ``operation`` is the operation's key (``POST
    /path``), ``request`` the request that was sent, ``source`` the source of the finding (a document, a page, a
    recording), ``witness`` the request or value that shows it, and ``covers`` holds findings that this one explains.
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
    source: str | None = field(default=None, compare=False)
    witness: str | None = field(default=None, compare=False)
    covers: tuple["Finding", ...] = field(default=(), compare=False)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify this rule at this place, stable from run to run."""
        key = "\0".join((self.id, self.operation or "", self.pointer))
        return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @classmethod
    def from_dict(cls, value: Any, pointer: str = "") -> "Finding":
        """Return the finding that `to_dict` wrote. Raises ValueError with the place of what is wrong, below ``pointer``."""
        if not is_object(value):
            raise ValueError(f"{pointer} is not a finding")
        for name in ("id", "pointer", "message"):
            if not isinstance(value.get(name), str):
                raise ValueError(f"{pointer}/{name} must be a string")
        covers = value.get("covers", [])
        if not is_array(covers):
            raise ValueError(f"{pointer}/covers must be an array")
        return cls(
            id=value["id"],
            severity=Severity(_one_of(Severity, value.get("severity"), f"{pointer}/severity")),
            evidence=Evidence(_one_of(Evidence, value.get("evidence"), f"{pointer}/evidence")),
            pointer=value["pointer"],
            message=value["message"],
            expected=value.get("expected"),
            got=value.get("got"),
            repaired=_text(value.get("repaired")),
            direction=_text(value.get("direction")),
            operation=_text(value.get("operation")),
            request=value.get("request"),
            source=_text(value.get("source")),
            witness=_text(value.get("witness")),
            covers=tuple(cls.from_dict(item, f"{pointer}/covers/{number}") for number, item in enumerate(covers)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values: always the four naming fields, message and fingerprint, others when set."""
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


def _one_of(kind: type[Severity] | type[Evidence], value: Any, pointer: str) -> str:
    if not isinstance(value, str) or value not in {*kind}:
        raise ValueError(f"{pointer} must be one of {', '.join(kind)}")
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_ALWAYS = {"id", "severity", "evidence", "pointer", "message"}


def flattened(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with those that they cover, each by itself."""
    return tuple(one for finding in findings for one in (replace(finding, covers=()), *flattened(finding.covers)))


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the highest severity among the findings, or None when there are none."""
    return max((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)


def exit_code(findings: Iterable[Finding], fail_on: Severity | None = Severity.ERROR) -> int:
    """Return 1 when a finding is at or above ``fail_on``, else 0; ``fail_on=None`` means never."""
    highest = worst(findings)
    return int(fail_on is not None and highest is not None and highest.rank >= fail_on.rank)
