"""Two opinions on one document, brought together so that nothing is said twice."""

from collections.abc import Iterable
from dataclasses import replace

from bodydouble_spec import Contract, Finding

__all__ = ["check", "merge"]

_SECOND_OPINION = "openapi-spec-validator"


def check(contract: Contract) -> tuple[Finding, ...]:
    """The defects of a document, and what openapi-spec-validator says of it as published and as repaired.

    Raises SpecError when that is not installed.
    """
    from bodydouble_spec.oracle import document_errors

    if not contract.published:
        return contract.findings
    return merge(contract.findings, document_errors(contract.published), document_errors(contract.document))


def merge(defects: Iterable[Finding], published: Iterable[Finding], repaired: Iterable[Finding]) -> tuple[Finding, ...]:
    """Our defects, each with a witness where the validator names the same place, then what it alone says.

    What it says of the repaired document as well is said once.
    """
    verdicts = list(dict.fromkeys(published))
    merged = [
        replace(defect, witness=_SECOND_OPINION)
        if defect.repaired is not None and any(_is_same_place(verdict, defect) for verdict in verdicts)
        else defect
        for defect in defects
    ]
    places = [defect for defect in merged if defect.witness == _SECOND_OPINION]
    alone = [verdict for verdict in verdicts if not any(_is_same_place(verdict, defect) for defect in places)]
    left = [
        replace(verdict, id=f"repaired-{verdict.id}", message=f"in the document as repaired: {verdict.message}")
        for verdict in dict.fromkeys(repaired)
        if verdict not in verdicts
    ]
    return (*merged, *alone, *left)


def _is_same_place(verdict: Finding, defect: Finding) -> bool:
    """Whether both are about one place; what is missing is named where it should be, or by what should hold it."""
    holder = verdict.pointer.rpartition("/")[0]
    return defect.pointer in {verdict.pointer, holder if verdict.id == "openapi-required" else verdict.pointer}
