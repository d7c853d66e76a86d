"""The evidence for each keyword of a converted schema: that of its place in the document, and of the references to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bodydouble_spec.finding import Evidence
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["SchemaEvidence"]


class SchemaEvidence:
    """The evidence for the parts of one schema at ``pointer`` in ``document``, which ``evidence_of`` gives by pointer."""

    def __init__(self, document: Mapping[str, Any], pointer: str, evidence_of: Callable[[str], Evidence]) -> None:
        self._document = document
        self._pointer = pointer
        self._evidence_of = evidence_of
        self._places: dict[int, str] | None = None

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

    def strongest(self, converted: dict[str, Any], parts: Sequence[Any]) -> Evidence | None:
        """Return the strongest evidence for some subschemas (the identical objects) of the converted schema; None for none."""
        if self._places is None:
            self._places = self._find_places(converted)
        known = [self._evidence_of(self._places[id(part)]) for part in parts if id(part) in self._places]
        return min(known, key=_rank, default=None)

    def _find_places(self, converted: dict[str, Any]) -> dict[int, str]:
        """Return the pointer into the document of each subschema, by its identity."""
        definitions: dict[str, Any] = converted.get("$defs", {})
        places: dict[int, str] = {}
        waiting: list[tuple[Any, str]] = [(converted, self._pointer)]
        while waiting:
            value, pointer = waiting.pop()
            if id(value) in places:
                continue
            if is_array(value):
                waiting += [(item, join_pointer(pointer, index)) for index, item in enumerate(value)]
            if not is_object(value):
                continue
            places[id(value)] = pointer
            waiting += [(item, join_pointer(pointer, key)) for key, item in value.items() if key != "$defs"]
            reference = self._reference(pointer)
            if reference is not None and isinstance(value.get("$ref"), str):
                waiting.append((definitions.get(value["$ref"].removeprefix("#/$defs/")), reference))
        return places

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
