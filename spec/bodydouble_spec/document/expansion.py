"""The size of a document with its references written out, for readers that follow each of them."""

import contextlib
from typing import Any

from bodydouble_spec.errors import ContractError
from bodydouble_spec.limits import DOCUMENT_LIMITS
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["refuse_expansion"]


def refuse_expansion(document: dict[str, Any]) -> None:
    """Raise ContractError when the references of a document expand to too much for a reader that follows each of them."""
    _Expansion(document).count(document.get("paths", {}), 0)


class _Expansion:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []
        self._values = 0

    def count(self, value: Any, depth: int) -> None:
        """Count a value and all below it, each reference as its target, except where that is being counted."""
        self._values += 1
        if self._values > DOCUMENT_LIMITS.max_expanded_values or depth > DOCUMENT_LIMITS.max_expanded_levels:
            raise ContractError(
                f"with its references written out, this document has more than {DOCUMENT_LIMITS.max_expanded_values:,} values "
                f"or {DOCUMENT_LIMITS.max_expanded_levels} levels; break the chain of $refs, or take only the operations that are needed"
            )
        if is_array(value):
            for item in value:
                self.count(item, depth + 1)
        if not is_object(value):
            return
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#") and reference not in self._open:
            with contextlib.suppress(LookupError):
                target = resolve_pointer(self._document, pointer_parts(reference))
                self._open.append(reference)
                self.count(target, depth + 1)
                self._open.pop()
        for item in value.values():
            self.count(item, depth + 1)
