"""The defects of a document, merged with the errors of openapi-spec-validator without repetition."""

from collections.abc import Iterable
from dataclasses import replace

from bodydouble_spec import Contract, Finding

__all__ = ["check", "merge"]

_VALIDATOR = "openapi-spec-validator"


def check(contract: Contract) -> tuple[Finding, ...]:
    """Return the defects of a document, and the validator's errors in it as published and as repaired.

    Raises SpecError when openapi-spec-validator is not installed.
    """
    from bodydouble_spec.oracle import document_errors

    if not contract.published:
        return contract.findings
    return merge(contract.findings, document_errors(contract.published), document_errors(contract.document))


def merge(defects: Iterable[Finding], published: Iterable[Finding], repaired: Iterable[Finding]) -> tuple[Finding, ...]:
    """Merge defects with the validator's errors in the published and in the repaired document.

    A defect that the validator found too names it as its source. An error in both documents is reported once.
    """
    errors = list(dict.fromkeys(published))
    merged = [
        replace(defect, source=_VALIDATOR)
        if defect.repaired is not None and any(_is_same_place(error, defect) for error in errors)
        else defect
        for defect in defects
    ]
    places = [defect for defect in merged if defect.source == _VALIDATOR]
    others = [error for error in errors if not any(_is_same_place(error, defect) for defect in places)]
    remaining = [
        replace(error, id=f"repaired-{error.id}", message=f"in the document as repaired: {error.message}")
        for error in dict.fromkeys(repaired)
        if error not in errors
    ]
    return (*merged, *others, *remaining)


def _is_same_place(error: Finding, defect: Finding) -> bool:
    """Tell whether both are about one place; a missing member is reported at its own place, or at its parent's."""
    holder = error.pointer.rpartition("/")[0]
    return defect.pointer in {error.pointer, holder if error.id == "openapi-required" else error.pointer}
