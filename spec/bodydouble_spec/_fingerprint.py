"""The fingerprint of a contract: equal when two documents promise the same, whatever their prose and order."""

import hashlib
import re
from typing import Any

import orjson

from bodydouble_spec._errors import ContractError
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._keywords import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE
from bodydouble_spec._pointer import pointer_parts, resolve_pointer

__all__ = ["canonical_paths", "fingerprint"]

_DATA = {"const", "default"}
_UNORDERED = {"enum", "required"}
# More values than this in an inlined document are an expansion attack (the largest real document has about 1,500).
_MAX_NODES = 200_000
_MAX_DEPTH = 200


def fingerprint(document: dict[str, Any]) -> str:
    """Return the SHA-256, as 64 hexadecimal digits, of the canonical JSON of ``document["paths"]``.

    References are inlined; description, summary, title, example(s) and ``x-`` keys are left out; the order of keys, of
    ``required`` and of ``enum`` does not matter; ``1.0`` is ``1``. Raises ContractError when the references of the
    document expand without bound.
    """
    return hashlib.sha256(_dump(canonical_paths(document))).hexdigest()


def canonical_paths(document: dict[str, Any]) -> Any:
    """Return the input of the fingerprint: ``paths`` with references inlined and prose left out."""
    return _Canonical(document).walk(document.get("paths", {}), "paths", ())


class _Canonical:
    """One walk over a document, with the document for references and a budget of values."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._is_31 = re.match(r"3\.[1-9]", str(document.get("openapi"))) is not None
        self._nodes = 0

    def walk(self, value: Any, key: str, open_references: tuple[str, ...], depth: int = 0) -> Any:
        """Return the canonical form of ``value``, which has the key ``key`` in its parent."""
        self._nodes += 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            raise ContractError(
                f"the references of this document expand to more than {_MAX_NODES} nodes or {_MAX_DEPTH} levels; "
                "break the chain of $refs"
            )
        if key in _DATA:
            return _normalized(value)
        if key in _UNORDERED and is_array(value):
            return sorted((_normalized(item) for item in value), key=_dump)
        if is_array(value):
            return [self.walk(item, "", open_references, depth + 1) for item in value]
        if not is_object(value):
            return _normalized(value)
        if key in NAME_MAPS:
            return {name: self.walk(item, "", open_references, depth + 1) for name, item in value.items()}
        if key in EXTENSIBLE_NAME_MAPS:
            named = {name: item for name, item in value.items() if not name.startswith("x-")}
            return {name: self.walk(item, "", open_references, depth + 1) for name, item in named.items()}
        reference = value.get("$ref")
        structure = {name: item for name, item in value.items() if name not in PROSE and not name.startswith("x-")}
        if not isinstance(reference, str):
            return {name: self.walk(item, name, open_references, depth + 1) for name, item in structure.items()}
        target = self._inline(reference, open_references, depth)
        beside = {name: item for name, item in structure.items() if name != "$ref"}
        if not beside or not self._is_31:
            return target  # OpenAPI 3.0 ignores siblings of a reference
        return {"$ref": target, "beside": self.walk(beside, "", open_references, depth + 1)}

    def _inline(self, reference: str, open_references: tuple[str, ...], depth: int) -> Any:
        if reference in open_references or not reference.startswith("#"):
            # The depth of a recursion is structure, the name of the component is not.
            distance = len(open_references) - open_references.index(reference) if reference in open_references else 0
            return {"$ref": distance or reference}
        try:
            target = resolve_pointer(self._document, pointer_parts(reference))
        except LookupError:
            return {"$ref": reference}
        return self.walk(target, "", (*open_references, reference), depth + 1)


def _normalized(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if is_object(value):
        return {name: _normalized(item) for name, item in value.items()}
    if is_array(value):
        return [_normalized(item) for item in value]
    return value


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # orjson refuses integers beyond 64 bits and lone surrogates.
        import json

        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
