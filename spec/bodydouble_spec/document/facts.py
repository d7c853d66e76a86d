"""The result of an overlay: the document with it, and the evidence of each place that it wrote."""

from dataclasses import dataclass
from typing import Any

from bodydouble_spec.finding import Evidence, Finding

__all__ = ["Fact", "Overlaid"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One place of the merged document that an action wrote, with the action's evidence: a line of the evidence ledger."""

    pointer: str
    description: str
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class Overlaid:
    """A document with an overlay applied, the places that changed, and what of the overlay was not applied."""

    document: dict[str, Any]
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
