"""The fingerprint of a contract: equal when two documents promise the same, whatever their prose and order."""

import hashlib
import re
from typing import Any

import orjson

from bodydouble_spec.errors import ContractError
from bodydouble_spec.schema import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["NEUTRAL_DESCRIPTION", "fingerprint", "restore_prose", "strip_prose"]

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


NEUTRAL_DESCRIPTION = "A response."
"""The description of a response for which only the publisher has a text; OpenAPI requires one."""

# Titles and examples belong to one structure; descriptions may fit another.
_DESCRIPTIONS = {"description", "summary"}
# The keys of components are names too.
_NAME_MAPS = NAME_MAPS | EXTENSIBLE_NAME_MAPS | {"parameters", "requestBodies", "schemas"}
_DATA_KEYWORDS = {"const", "default", "enum", "required"}


def strip_prose(value: Any, key: str = "", *, named: bool = False) -> Any:
    """Return ``value`` without prose, samples and ``x-`` keys; ``key`` is its key, ``named`` tells that this is a name.

    The fingerprint does not change. Title and version of the document become ``"0"``, the description of a response
    NEUTRAL_DESCRIPTION.
    """
    if is_array(value):
        return (
            value
            if key in _DATA_KEYWORDS and not named
            else [strip_prose(item, "paths" if key == "paths" else "") for item in value]
        )
    if not is_object(value) or (key in _DATA_KEYWORDS and not named):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        if key in _NAME_MAPS and not named:
            if not (name.startswith("x-") and key in {"paths", "responses", "callbacks"}):
                result[name] = strip_prose(item, name if key != "responses" else "response", named=key != "responses")
        elif name in {"title", "version"} and key == "info":
            result[name] = "0" if isinstance(item, str) else item
        elif name == "description" and key == "response":
            result[name] = NEUTRAL_DESCRIPTION if item and isinstance(item, str) else item
        elif name not in PROSE and not name.startswith("x-"):
            result[name] = strip_prose(item, name)
    return result


def restore_prose(ours: Any, structure: Any, key: str = "", *, named: bool = False) -> Any:
    """Return ``structure`` (from `strip_prose`) with the prose of ``ours`` wherever both have the same place.

    A title or an example is kept only where nothing below it has changed. ``key`` and ``named`` are as for
    `strip_prose`.
    """
    if is_array(structure) and is_array(ours) and (named or key not in _DATA_KEYWORDS):
        # The position of an item may mean nothing, so only an unchanged item counts as the same.
        inner = "paths" if key == "paths" else ""
        known = [(strip_prose(item, inner), item) for item in ours]
        return [next((item for same, item in known if same == new), new) for new in structure]
    if not is_object(structure) or not is_object(ours) or (key in _DATA_KEYWORDS and not named):
        return structure
    if key in _NAME_MAPS and not named:
        is_response = key == "responses"
        return {
            name: restore_prose(ours.get(name), item, "response" if is_response else name, named=not is_response)
            for name, item in structure.items()
        }
    carried = PROSE if strip_prose(ours, key, named=named) == structure else _DESCRIPTIONS
    kept = {name: restore_prose(ours.get(name), item, name) for name, item in structure.items()}
    return kept | {name: text for name, text in ours.items() if name in carried}
