"""The alarm's witnesses, brought to one list: what was published, what a page shows, what the service really answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bodydouble_spec import Finding

__all__ = ["EXECUTED", "Statement", "Witness", "collect"]


# What findings about calls that were made say of their witness.
EXECUTED = "executed"


class Witness(StrEnum):
    """Where a drift was seen.

    ``document``: the published document against the contract, with what comes of it when it is tried. ``page``: the documentation page's
    example. ``recording``: recorded answers. ``verify report``: what a verification found.
    """

    DOCUMENT = "document"
    PAGE = "page"
    RECORDING = "recording"
    VERIFY_REPORT = "verify report"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one witness said.

    ``source`` is where it was heard (a URL without secrets, or a path), ``note`` what there is to know besides: its date, how many answers.
    """

    witness: Witness
    source: str
    findings: tuple[Finding, ...]
    note: str = ""


def collect(statements: Iterable[Statement]) -> list[Finding]:
    """All findings in one list, each naming its witness, in the order of the statements.

    A finding that says more about its witness than the kind ("page, line 12") keeps that. What two witnesses of one kind both say is said
    once.
    """
    findings: list[Finding] = []
    for statement in statements:
        said = [_named(finding, statement.witness) for finding in statement.findings]
        findings += [finding for finding in said if not _is_known(finding, findings)]
    return findings


def _named(finding: Finding, witness: Witness) -> Finding:
    if finding.witness is None:
        return replace(finding, witness=str(witness))
    if finding.witness.startswith(witness):
        return finding
    return replace(finding, witness=f"{witness}, {finding.witness}")


def _is_known(finding: Finding, findings: Sequence[Finding]) -> bool:
    return any(finding == other and finding.to_dict() == other.to_dict() for other in findings)
