"""Following the references of one document outside its schemas, and saying why one cannot be followed."""

from typing import Any

from bodydouble_spec._defects import Defects, show
from bodydouble_spec._json import is_object
from bodydouble_spec._pointer import join_pointer, pointer_parts, resolve_pointer

__all__ = ["References"]


class References:
    """The references of a document as it was published."""

    def __init__(self, document: dict[str, Any], defects: Defects) -> None:
        self._document = document
        self._defects = defects

    def problem(self, reference: Any) -> str | None:
        """Why a reference leads nowhere ("dangling", "external", "circular"), or None when it leads somewhere."""
        try:
            self._target(reference)
        except _BrokenReference as broken:
            return str(broken)
        return None

    def follow(self, value: Any, pointer: str) -> tuple[Any, str] | None:
        """A value at ``pointer``, or what it refers to, and where that stands; None, after noting it, when it leads nowhere."""
        if not is_object(value) or "$ref" not in value:
            return value, pointer
        reference = value["$ref"]
        try:
            return self._target(reference)
        except _BrokenReference as broken:
            here = join_pointer(pointer, "$ref")
            message = f"the reference {show(reference)} is {broken}"
            self._defects.lose(f"ref-{broken}", here, message, repaired="left out", got=reference)
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
    """Why a reference cannot be followed: dangling, external or circular."""
