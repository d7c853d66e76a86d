"""Places of findings as a reader would write them: ``request.num_images``, ``response.data[0].url``."""

import re

from bodydouble_spec.document import METHODS
from bodydouble_spec.finding import Finding
from bodydouble_spec.text import cut_line
from bodydouble_spec.values import pointer_parts

__all__ = ["names_in", "operations_of", "place", "subject", "words_of"]

_LIMIT_CHARACTERS = 120
_NAME = re.compile(r"[^\W\d][\w-]*|\$ref")
# Keywords of JSON Schema below which a value stands at the same place as their schema.
_SAME_PLACE = {"allOf", "anyOf", "oneOf", "not"}


def operations_of(findings: tuple[Finding, ...]) -> list[str]:
    """Return the operations that findings are about: with several, each finding must name its own."""
    named = (_operation(one) for finding in findings for one in (finding, *finding.covers))
    return list(dict.fromkeys(filter(None, named)))


def place(finding: Finding, *, with_operation: bool) -> str:
    """Return the place of a finding in words, ``whole`` where it has none; the JSON pointer is for programs."""
    parts = (_operation(finding) if with_operation else "", words_of(finding.pointer, finding.direction))
    return cut_line(" ".join(filter(None, parts)) or "whole", _LIMIT_CHARACTERS)


def words_of(pointer: str, direction: str | None = None) -> str:
    """Return the words for a place in a value or in an OpenAPI document, without its operation; empty for the whole."""
    names = names_in(pointer)
    if len(names) > 1 and names[0] == "paths":
        return _in_document(names[2:], direction)
    if names and names[0] in {"components", "definitions"}:
        return _dotted(names[1] if len(names) > 1 else names[0], names[2:])
    return _dotted(direction or "", names) if names or not pointer else " ".join(filter(None, (direction, pointer)))


def subject(finding: Finding) -> str:
    """Return the value that a finding is about, as its sentence may name it: ``num_images`` for ``request.num_images``."""
    where = place(finding, with_operation=False)
    side, _, name = where.partition(".")
    return name if name and side.split(" ")[0] in {"request", "response"} else where


def names_in(pointer: str) -> list[str]:
    """Return the parts of a JSON pointer; none of a place that is written otherwise."""
    return pointer_parts(pointer) if pointer.startswith("/") else []


def _operation(finding: Finding) -> str:
    """Return the operation that a finding names, or that its place in a document is in; empty for none."""
    match names_in(finding.pointer):
        case _ if finding.operation:
            return finding.operation
        case ["paths", path, method, *_] if method in METHODS:
            return f"{method.upper()} {path}"
        case ["paths", path, *_]:
            return path
        case _:
            return ""


def _in_document(names: list[str], direction: str | None) -> str:
    """Return the place below a path of an OpenAPI document: its operation, body, answer, and the value that its schema is for."""
    rest = names[1:] if names and names[0] in METHODS else names
    match rest:
        case ["requestBody", *below]:
            return _dotted("request", _values(below))
        case ["responses", status, *below]:
            return _dotted("response" if status.startswith("2") else f"response {status}", _values(below))
        case ["parameters", number, *below]:
            return _dotted(f"parameter {number}", _values(below))
        case _:
            return _dotted(direction or "", rest)


def _values(names: list[str]) -> list[str]:
    """Return the names of the values for which a schema stands, without media type and keywords."""
    left, found = [*names], list[str]()
    if left[:1] == ["content"]:
        left = left[2:]
    if left[:1] == ["schema"]:
        left = left[1:]
    while left:
        keyword, *left = left
        if keyword in {"properties", "patternProperties"} and left:
            found.append(left.pop(0))
        elif keyword in {"items", "additionalProperties"}:
            found.append("[]" if keyword == "items" else "*")
        elif keyword in _SAME_PLACE:
            left = left[1:] if left and left[0].isdecimal() else left
        else:
            break  # a keyword of the schema, or its value
    return found


def _dotted(start: str, names: list[str]) -> str:
    text = start
    for name in names:
        if name.isdecimal() or name == "-":
            text += f"[{name}]"
        elif name in {"[]", "*"}:
            text += name if name == "[]" else f"{'.' if text else ''}*"
        elif _NAME.fullmatch(name):
            text += f".{name}" if text else name
        else:
            text += f'["{name}"]'
    return text
