"""The evidence for each keyword of a converted schema: that of its place in the document, and of the references to it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bodydouble_spec.finding import Evidence
from bodydouble_spec.schema.view import SchemaView
from bodydouble_spec.values import is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["SchemaEvidence"]


class SchemaEvidence:
    """The evidence for the parts of one schema at ``pointer`` in ``document``, which ``evidence_of`` gives by pointer."""

    def __init__(self, document: Mapping[str, Any], pointer: str, evidence_of: Callable[[str], Evidence]) -> None:
        self._document = document
        self._pointer = pointer
        self._evidence_of = evidence_of

    def along(self, path: Sequence[str | int]) -> Evidence:
        """Return the evidence for a keyword at the end of an evaluation path, which follows references.

        A schema that is well known and referred to on an assumption is assumed there: the weakest evidence counts.
        """
        pointer = self._pointer
        found: list[Evidence] = []
        for part in path:
            reference = self._reference(pointer) if part == "$ref" else None
            if reference is None:
                pointer = join_pointer(pointer, part)
            else:
                found.append(self._evidence_of(pointer))
                pointer = reference
        return max(*found, self._evidence_of(pointer), key=_rank) if found else self._evidence_of(pointer)

    def view(self, converted: dict[str, Any], *, is_endless: bool) -> SchemaView:
        """View the converted schema, with pointers into the document; see `SchemaView.of`."""
        return SchemaView.of(converted, self._document, self._pointer, is_endless=is_endless)

    def strongest(self, views: Iterable[SchemaView]) -> Evidence | None:
        """Return the strongest evidence for the schemas at some places of `view`; None for no schema."""
        return min((self._evidence_of(root.pointer) for view in views for root in view.roots), key=_rank, default=None)

    def _reference(self, pointer: str) -> str | None:
        """Return the pointer that the reference at a place of the document names, or None without a reference."""
        try:
            schema = resolve_pointer(self._document, pointer_parts(pointer))
            reference = schema.get("$ref") if is_object(schema) else None
            return join_pointer("", *pointer_parts(reference)) if isinstance(reference, str) else None
        except LookupError:
            return None


def _rank(evidence: Evidence) -> int:
    return evidence.rank
