"""Lines of a document: keys that it has twice, the line of a pointer, and of the defects about reading."""
# pyright: reportUnknownMemberType=false
# PyYAML's stubs have no types for nodes.

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import join_pointer

__all__ = ["lines_of", "repeated_keys", "with_lines"]

_MAX_FOUND = 20
# Read otherwise than written, or not at all.
_ABOUT_READING = {
    "document-unreadable", "flag-malformed", "keyword-malformed", "openapi-version", "ref-dangling", "ref-external", "ref-file",
}  # fmt: skip


def repeated_keys(data: bytes) -> list[Finding]:
    """Return an error for each key that an object of a JSON or YAML document has twice, with its lines; the last value counts."""
    if not _may_repeat(data):
        return []
    found: list[Finding] = []
    for pointer, key, lines in _repeated(_composed(data), ""):
        message = f"the key {json.dumps(key)} is here twice, in lines {lines[0]} and {lines[1]}"
        found.append(
            Finding("key-twice", Severity.ERROR, Evidence.DOCUMENTED, pointer, message, repaired="the last one is kept")
        )
        if len(found) == _MAX_FOUND:
            break
    return found


def lines_of(data: bytes, pointers: Iterable[str]) -> dict[str, int]:
    """Return the line of each pointer, or of the innermost part of it that the document has; the first line is 1.

    A pointer of which it has nothing is left out.
    """
    top = _composed(data)
    if top is None:
        return {}
    first = top.start_mark.line + 1
    found = {pointer: _line(top, pointer) for pointer in pointers}
    return {pointer: line for pointer, (line, is_there) in found.items() if is_there or line != first}


def with_lines(findings: Iterable[Finding], data: bytes) -> tuple[Finding, ...]:
    """Return findings, those about the reading of the document with the line of their place, where it is a place in it."""
    found = tuple(findings)
    top = _composed(data) if any(finding.id in _ABOUT_READING and finding.pointer for finding in found) else None
    return found if top is None else tuple(_with_line(top, finding) for finding in found)


def _with_line(top: Any, finding: Finding) -> Finding:
    if finding.id not in _ABOUT_READING or not finding.pointer:
        return finding
    line, is_there = _line(top, finding.pointer)
    return replace(finding, message=f"{finding.message} (line {line})") if is_there else finding


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
