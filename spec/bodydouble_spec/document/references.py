"""References of one document outside its schemas, and the reasons why one cannot be followed."""

from typing import Any

from bodydouble_spec.defects import Defects, show
from bodydouble_spec.values import is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["References"]


class References:
    """The references of a document as published."""

    def __init__(self, document: dict[str, Any], defects: Defects) -> None:
        self._document = document
        self._defects = defects
        # A reference that many schemas have is followed once.
        self._problems: dict[str, str | None] = {}

    def problem(self, reference: Any) -> str | None:
        """Return why a reference is broken ("dangling", "external", "circular"), or None when it is not."""
        if not isinstance(reference, str):
            return "dangling"
        if reference not in self._problems:
            self._problems[reference] = None
            try:
                self._target(reference)
            except _BrokenReference as broken:
                self._problems[reference] = str(broken)
        return self._problems[reference]

    def follow(self, value: Any, pointer: str) -> tuple[Any, str] | None:
        """Return a value, or the target of its reference, and the pointer to it; None with a finding for a broken reference."""
        if not is_object(value) or "$ref" not in value:
            return value, pointer
        reference = value["$ref"]
        try:
            return self._target(reference)
        except _BrokenReference as broken:
            here = join_pointer(pointer, "$ref")
            message = f"the reference {show(reference)} is {broken}"
            self._defects.add_error(f"ref-{broken}", here, message, repaired="left out", got=reference)
            return None

    def _target(self, reference: Any) -> tuple[Any, str]:
        seen: set[str] = set()
        while True:
            if not isinstance(reference, str):
                raise _BrokenReference("dangling")
            if not reference.startswith("#"):
                raise _BrokenReference("external")
            if reference in seen:
                raise _BrokenReference("circular")
            seen.add(reference)
            try:
                parts = pointer_parts(reference)
                target = resolve_pointer(self._document, parts)
            except LookupError:
                raise _BrokenReference("dangling") from None
            if target is None:
                raise _BrokenReference("dangling")
            if not is_object(target) or "$ref" not in target:
                return target, join_pointer("", *parts)
            reference = target["$ref"]


class _BrokenReference(Exception):
    """The reason why a reference cannot be followed: dangling, external or circular."""
