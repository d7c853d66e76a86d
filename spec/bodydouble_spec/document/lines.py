"""Lines of a document: keys that it has twice, the line of a pointer, and of the defects about reading."""
# pyright: reportUnknownMemberType=false
# PyYAML's stubs have no types for nodes.

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import join_pointer

__all__ = ["DocumentLines"]

_MAX_FOUND = 20
# Read otherwise than written, or not at all.
_ABOUT_READING = {
    "document-unreadable", "flag-malformed", "keyword-malformed", "openapi-version", "ref-dangling", "ref-external", "ref-file",
}  # fmt: skip


class DocumentLines:
    """The lines of a JSON or YAML document, which is read for them once, and only where they are needed; the first line is 1."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def repeated_keys(self) -> list[Finding]:
        """Return an error for each key that an object has twice, with its lines; the last value counts."""
        if not _may_repeat(self._data):
            return []
        found: list[Finding] = []
        for pointer, key, lines in _repeated(self._top, ""):
            message = f"the key {json.dumps(key)} appears twice, in lines {lines[0]} and {lines[1]}"
            found.append(
                Finding(
                    "key-twice", Severity.ERROR, Evidence.DOCUMENTED, pointer, message, repaired="the last one is kept"
                )
            )
            if len(found) == _MAX_FOUND:
                break
        return found

    def of(self, pointers: Iterable[str]) -> dict[str, int]:
        """Return the line of each pointer, or of the innermost part of it that is there; one of which nothing is there is left out."""
        if self._top is None:
            return {}
        first = self._top.start_mark.line + 1
        found = {pointer: _line(self._top, pointer) for pointer in pointers}
        return {pointer: line for pointer, (line, is_there) in found.items() if is_there or line != first}

    def added_to(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return findings, those about the reading of the document with the line of their place, where it is a place in it."""
        return tuple(
            self._added_to(finding) if finding.pointer and finding.id in _ABOUT_READING else finding
            for finding in findings
        )

    def _added_to(self, finding: Finding) -> Finding:
        line, is_there = (0, False) if self._top is None else _line(self._top, finding.pointer)
        return replace(finding, message=f"{finding.message} (line {line})") if is_there else finding

    @cached_property
    def _top(self) -> Any:
        return _composed(self._data)


def _may_repeat(data: bytes) -> bool:
    """Return whether an object has a key twice; of a document that is no JSON, return True."""
    is_repeated = False

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal is_repeated
        result = dict(pairs)
        is_repeated |= len(result) < len(pairs)
        return result

    try:
        json.loads(data, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return True
    return is_repeated


def _composed(data: bytes) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.compose(data, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _repeated(top: Any, start: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    import yaml

    waiting = [(top, start)]
    seen: set[int] = set()
    while waiting:
        node, pointer = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, join_pointer(pointer, index)) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            continue
        first: dict[str, int] = {}
        for key, item in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first and name != "<<":
                yield join_pointer(pointer, name), name, (first[name], line)
            first.setdefault(name, line)
            waiting.append((item, join_pointer(pointer, name)))


def _line(node: Any, pointer: str) -> tuple[int, bool]:
    """Return the line of a pointer, or of the innermost part of it that is there, and whether it is there."""
    import yaml

    line: int = node.start_mark.line + 1
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, yaml.MappingNode):
            found = next(((key, item) for key, item in node.value if str(key.value) == name), None)
            if found is None:
                return line, False
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
            node = node.value[int(name)]
            line = node.start_mark.line + 1
        else:
            return line, False
    return line, True
