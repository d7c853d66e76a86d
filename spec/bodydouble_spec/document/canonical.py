"""The canonical form of a document's paths: the input of the fingerprint.

A document whose references expand to little is written out with its references inlined. In any other, each target of a
reference is read once: one on no cycle of references counts as if it were written out at each place, by its digest,
and those on cycles become numbered definitions, one for all that mean the same.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bodydouble_spec.errors import ContractError
from bodydouble_spec.schema import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["canonical_paths", "refuse_expansion"]

_DATA = {"const", "default"}
_UNORDERED = {"enum", "required"}
# The largest real document has about 1,500 values when its references are inlined.
_MAX_INLINED = 200_000
_MAX_DEPTH = 200


def canonical_paths(document: dict[str, Any]) -> bytes:
    """Return the canonical form of ``document["paths"]`` as JSON. Raises ContractError when it is nested too deep."""
    try:
        return _dump(_Inlining(document).paths())
    except _TooLarge:
        return _dump(_Sharing(document).paths())


def refuse_expansion(document: dict[str, Any]) -> None:
    """Raise ContractError when the references of a document expand to too much for a reader that follows each of them."""
    try:
        _Inlining(document).paths()
    except _TooLarge:
        raise ContractError(
            f"the references of this document expand to more than {_MAX_INLINED} nodes or {_MAX_DEPTH} levels; "
            "break the chain of $refs"
        ) from None


class _TooLarge(Exception):
    """The references of a document expand to more than is written out."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A reference that is not inlined."""

    reference: str


class _Canonical:
    """Canonical values of one document; a subclass says what stands in place of a reference."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.targets: dict[str, Any] = {}
        self._is_31 = re.match(r"3\.[1-9]", str(document.get("openapi"))) is not None

    def linked(self, reference: str, target: Any, depth: int) -> Any:
        """Return what stands in place of a reference to ``target``."""
        raise NotImplementedError

    def enter(self, depth: int) -> None:
        """Count a value; raise when there are too many, or it is too deep."""
        raise NotImplementedError

    def walk(self, value: Any, key: str, depth: int = 0) -> Any:
        """Return the canonical form of ``value``, which has the key ``key`` in its parent."""
        self.enter(depth)
        if key in _DATA:
            return _normalized(value)
        if key in _UNORDERED and is_array(value):
            return sorted((_normalized(item) for item in value), key=_dump)
        if is_array(value):
            return [self.walk(item, "", depth + 1) for item in value]
        if not is_object(value):
            return _normalized(value)
        if key in NAME_MAPS:
            return {name: self.walk(item, "", depth + 1) for name, item in value.items()}
        if key in EXTENSIBLE_NAME_MAPS:
            named = {name: item for name, item in value.items() if not name.startswith("x-")}
            return {name: self.walk(item, "", depth + 1) for name, item in named.items()}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            structure = {name: item for name, item in value.items() if _is_structure(name)}
            return {name: self.walk(item, name, depth + 1) for name, item in structure.items()}
        target = {"$ref": reference}
        if self.leads_somewhere(reference):
            target = self.linked(reference, self.targets[reference], depth)
        # OpenAPI 3.0 ignores siblings of a reference
        siblings = value.items() if self._is_31 else ()
        beside = {name: item for name, item in siblings if name != "$ref" and _is_structure(name)}
        return {"$ref": target, "beside": self.walk(beside, "", depth + 1)} if beside else target

    def leads_somewhere(self, reference: str) -> bool:
        """Return whether a reference has a target in the document, and keep it in ``targets``."""
        if reference not in self.targets and reference.startswith("#"):
            with contextlib.suppress(LookupError):
                self.targets[reference] = resolve_pointer(self._document, pointer_parts(reference))
        return reference in self.targets


class _Inlining(_Canonical):
    """The canonical form with every reference written out. Raises _TooLarge when that is much."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self._open: list[str] = []
        self._values = 0

    def paths(self) -> Any:
        """Return the canonical paths."""
        return self.walk(self._document.get("paths", {}), "paths")

    def enter(self, depth: int) -> None:
        """Count a value. Raises _TooLarge."""
        self._values += 1
        if self._values > _MAX_INLINED or depth > _MAX_DEPTH:
            raise _TooLarge

    def linked(self, reference: str, target: Any, depth: int) -> Any:
        """Return the target, or the number of references up to the one that recurs."""
        if reference in self._open:
            # The depth of a recursion is structure, the name of the component is not.
            return {"$ref": len(self._open) - self._open.index(reference)}
        self._open.append(reference)
        inlined = self.walk(target, "", depth + 1)
        self._open.pop()
        return inlined


# An encoded value: a scalar, the digest of an object or array in a list, or the number of a definition in an object.
_Encoded = Any
_HOLE: _Encoded = {}


class _Sharing(_Canonical):
    """The canonical form in which each target of a reference is read once."""

    def enter(self, depth: int) -> None:
        """Refuse a value that is too deep. Raises ContractError."""
        if depth > _MAX_DEPTH:
            raise ContractError(f"the document is nested more than {_MAX_DEPTH} levels deep")

    def linked(self, reference: str, target: Any, depth: int) -> Any:
        """Return a link."""
        return _Link(reference)

    def paths(self) -> Any:
        """Return the encoded paths and the encoded definitions in the order in which the paths lead to them."""
        paths = self.walk(self._document.get("paths", {}), "paths")
        targets = self._targets(paths)
        graph = {reference: list(_links(target)) for reference, target in targets.items()}
        encoded: dict[str, _Encoded] = {}
        for reference in _peel(graph):
            encoded[reference] = _encode(targets[reference], encoded)
        cyclic = {
            name: [link for link in links if link not in encoded]
            for name, links in graph.items()
            if name not in encoded
        }
        above = _peel(_reversed(cyclic))  # leads to cycles, but is on none
        states = {name: links for name, links in cyclic.items() if name not in set(above)}
        classes = _equivalent(states, {name: _dump(_encode(targets[name], encoded)) for name in states})
        first: dict[int, str] = {}
        for name in _visit(_links(paths), cyclic):
            if name in states:
                first.setdefault(classes[name], name)
        numbers = {identity: number for number, identity in enumerate(first)}
        encoded |= {name: {"$ref": numbers[classes[name]]} for name in states}
        for reference in reversed(above):
            encoded[reference] = _encode(targets[reference], encoded)
        return [_encode(paths, encoded), *(_encode(targets[name], encoded) for name in first.values())]

    def _targets(self, paths: Any) -> dict[str, Any]:
        """Return the canonical target of each reference that the paths lead to."""
        targets: dict[str, Any] = {}
        waiting = list(_links(paths))
        while waiting:
            reference = waiting.pop()
            if reference not in targets:
                targets[reference] = self.walk(self.targets[reference], "")
                waiting += _links(targets[reference])
        return targets


def _encode(value: Any, encoded: Mapping[str, _Encoded]) -> _Encoded:
    if isinstance(value, _Link):
        return encoded.get(value.reference, _HOLE)
    if is_object(value):
        content: Any = {name: _encode(item, encoded) for name, item in value.items()}
    elif is_array(value):
        content = [_encode(item, encoded) for item in value]
    else:
        return value
    return [hashlib.sha256(_dump(content)).hexdigest()]


def _links(value: Any) -> Iterator[str]:
    """Yield the references of a canonical value, in the order of its keys."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Link):
            yield value.reference
        elif is_array(value):
            waiting += reversed(value)
        elif is_object(value):
            waiting += [value[name] for name in sorted(value, reverse=True)]


def _visit(names: Iterable[str], graph: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the names of a graph that can be reached, each once, in depth-first order."""
    waiting = [*names][::-1]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in graph and name not in seen:
            seen.add(name)
            yield name
            waiting += reversed(graph[name])


def _reversed(graph: Mapping[str, list[str]]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {name: [] for name in graph}
    for name, links in graph.items():
        for link in links:
            result[link].append(name)
    return result


def _peel(graph: Mapping[str, list[str]]) -> list[str]:
    """Return the names that lead to no cycle, each behind all that it leads to."""
    users = _reversed(graph)
    left = {name: len(links) for name, links in graph.items()}
    done = [name for name, links in graph.items() if not links]
    for name in done:
        for user in users[name]:
            left[user] -= 1
            if not left[user]:
                done.append(user)  # read by the loop above
    return done


def _equivalent(graph: Mapping[str, list[str]], labels: Mapping[str, bytes]) -> dict[str, int]:
    """Return a class for each name: the same for two whose labels, and those of all that they lead to, are the same.

    Of a class that falls apart the largest part keeps its number, so that a name is looked at again only a few times.
    """
    numbers: dict[bytes, int] = {}
    classes = {name: numbers.setdefault(label, len(numbers)) for name, label in labels.items()}
    members: list[set[str]] = [set() for _ in numbers]
    for name, number in classes.items():
        members[number].add(name)
    users = _reversed(graph)
    changed = set(graph)
    while changed:
        parts: dict[int, dict[tuple[int, ...], set[str]]] = {}
        for name in changed:
            signature = tuple([classes[link] for link in graph[name]])
            parts.setdefault(classes[name], {}).setdefault(signature, set()).add(name)
        changed = set[str]()
        for number, by_signature in parts.items():
            ordered = sorted(by_signature.values(), key=len)
            unchanged = len(members[number]) - sum(map(len, ordered))
            if unchanged < len(ordered[-1]):
                rest = members[number].difference(*ordered)
                members[number] = ordered.pop()
                ordered += [rest] if rest else []
            else:
                members[number].difference_update(*ordered)
            for part in ordered:
                classes |= dict.fromkeys(part, len(members))
                members.append(part)
                changed.update(*(users[name] for name in part))
    return classes


def _is_structure(name: str) -> bool:
    return name not in PROSE and not name.startswith("x-")


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
