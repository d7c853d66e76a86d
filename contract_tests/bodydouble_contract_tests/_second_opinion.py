"""Validate answers with a second validator: two that agree are seldom both wrong."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson
from bodydouble_spec import Contract, Operation, SpecError, is_array, is_object
from bodydouble_spec.oracle import Oracle

__all__ = ["CrossValidation"]

# The number of cached verdicts: repeated calls get the same answer, and a verdict takes a millisecond.
_KEPT = 64
# jsonschema-rs does not check formats here; openapi-core checks some of them.
_FORMAT_ONLY = "breaks the rule `format`"


class CrossValidation:
    """Validate the answers of one operation with openapi-core; there is no verdict on a document whose version it does not support."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        try:
            self._oracle: Oracle | None = Oracle(contract)
        except SpecError:
            self._oracle = None
        self._operation = operation
        self._errors = lru_cache(_KEPT)(self._ask)

    def errors(self, status: int, content_type: str, content: bytes) -> tuple[str, ...] | None:
        """Return the faults of an answer, one sentence each; None where the verdict means nothing.

        The two validators are known to differ over numbers like ``1.0``, over digits of other scripts and final newlines (with some schemas),
        and over content that is not JSON. A wrong format is not a fault.
        """
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        if self._oracle is None or any(map(_is_contested, _leaves(body))):
            return None
        return self._errors(status, content_type, content)

    def _ask(self, status: int, content_type: str, content: bytes) -> tuple[str, ...]:
        if self._oracle is None:
            return ()
        messages = self._oracle.response_errors(self._operation, status, content_type, content)
        return tuple(text for text in messages if not text.endswith(_FORMAT_ONLY))


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar in a JSON value, property names included."""
    if is_object(value):
        yield from value
        for item in value.values():
            yield from _leaves(item)
    elif is_array(value):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _is_contested(leaf: Any) -> bool:
    if isinstance(leaf, float):
        return leaf.is_integer()
    if not isinstance(leaf, str):
        return False
    return leaf.endswith("\n") or (
        not leaf.isascii() and any(unicodedata.decimal(one, None) is not None for one in leaf if one > "\x7f")
    )
