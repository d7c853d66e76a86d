"""Lines of a document: keys that it has twice, and the line of a pointer."""
# pyright: reportUnknownMemberType=false
# PyYAML's stubs have no types for nodes.

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import join_pointer

__all__ = ["lines_of", "repeated_keys"]

_MAX_FOUND = 20


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
    """Return the line of each pointer, or of the innermost part of it that the document has; the first line is 1."""
    top = _composed(data)
    return {} if top is None else {pointer: _line(top, pointer) for pointer in pointers}


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


def _line(node: Any, pointer: str) -> int:
    import yaml

    line: int = node.start_mark.line + 1
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, yaml.MappingNode):
            found = next(((key, item) for key, item in node.value if str(key.value) == name), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
            node = node.value[int(name)]
            line = node.start_mark.line + 1
        else:
            break
    return line
