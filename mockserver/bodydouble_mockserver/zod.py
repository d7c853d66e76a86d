"""Conversion of request findings to the Zod 3 issues that the vendor lists in ``error.data``.

Only ``invalid_enum_value`` was observed; the other codes are those of Zod 3 (assumed), and ``custom`` where Zod has no equivalent.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Finding, is_object
from bodydouble_spec.text import cut

__all__ = ["zod_issues"]

Issue = dict[str, Any]
IssueMaker = Callable[[Finding, str], Issue]

# Limits on all issues and on one issue keep an answer small and readable for any request.
_MAX_BYTES = 40_000
_MAX_ISSUE_BYTES = 8_000
_MAX_NAME_CHARACTERS = 200


def zod_issues(findings: Sequence[Finding], schema: dict[str, Any] | None) -> list[Issue]:
    """Return one issue per place and fault, in the order of the findings; ``schema`` is the request's JSON Schema, for expected types.

    Beyond 40 kB, a last issue counts the remaining ones.
    """
    mistyped = {finding.pointer for finding in findings if finding.id == "request-type"}
    # Zod does not check a value of the wrong type any further.
    kept = [finding for finding in findings if finding.id == "request-type" or finding.pointer not in mistyped]
    issues: list[Issue] = []
    bytes_left = _MAX_BYTES
    for finding in kept:
        issue, size = _issue(finding, schema)
        bytes_left -= size
        if bytes_left < 0:
            message = f"{len(kept) - len(issues)} more issues are not listed"
            return [*issues, {"code": "custom", "message": message, "path": []}]
        issues.append(issue)
    return issues


def _issue(finding: Finding, schema: Any) -> tuple[Issue, int]:
    """Return the issue and its size in bytes as JSON."""
    path, expected_type = _locate(schema, finding.pointer)
    if finding.id == "request-additional-properties":  # Zod gives the path of the object and names the key separately
        path = path[:-1]
    if not (_is_writable(finding.expected) and _is_writable(finding.got)):
        return _issue(replace(finding, id="", expected=None, got=None), schema)
    issue = {**_ISSUE_MAKERS.get(finding.id, _custom)(finding, expected_type), "path": path}
    size = len(orjson.dumps(issue))
    if size > _MAX_ISSUE_BYTES:  # an enum with many options
        issue = {**_custom(finding, expected_type), "path": path}
        size = len(orjson.dumps(issue))
    return issue, size


def _is_writable(value: Any) -> bool:
    """Return whether a value can be written as JSON: a contract may have integers beyond 64 bits."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _locate(schema: Any, pointer: str) -> tuple[list[str | int], str]:
    """Convert a pointer to Zod's path, and return the JSON type in the schema there; "unknown" when it has none."""
    path: list[str | int] = []
    for text in pointer.split("/")[1:]:
        part = text.replace("~1", "/").replace("~0", "~")
        if part.isascii() and part.isdigit() and _expected_type(schema) != "object":
            path.append(int(part[:18]))
            schema = schema.get("items") if is_object(schema) else None
        else:
            path.append(cut(part, _MAX_NAME_CHARACTERS))
            schema = schema.get("properties", {}).get(part) if is_object(schema) else None
    return path, _expected_type(schema)


def _expected_type(schema: Any) -> str:
    types = schema.get("type", "unknown") if is_object(schema) else "unknown"
    return types if isinstance(types, str) else next(iter(types), "unknown")


def _required(_finding: Finding, expected_type: str) -> Issue:
    return {"code": "invalid_type", "expected": expected_type, "received": "undefined", "message": "Required"}


def _type(finding: Finding, _expected: str) -> Issue:
    if finding.got == "number" and "integer" in finding.expected:
        expected, received = "integer", "float"
    else:
        # Zod has one number type, and lists null last in its unions.
        names = ["number" if name == "integer" else name for name in finding.expected if name != "null"]
        expected = " | ".join(dict.fromkeys([*names, *(name for name in finding.expected if name == "null")]))
        received = "number" if finding.got == "integer" else finding.got
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "message": f"Expected {expected}, received {received}",
    }


def _enum(finding: Finding, _expected: str) -> Issue:
    options = " | ".join(f"'{option}'" for option in finding.expected)
    return {
        "received": finding.got,
        "code": "invalid_enum_value",
        "options": finding.expected,
        "message": f"Invalid enum value. Expected {options}, received '{finding.got}'",
    }


def _literal(finding: Finding, _expected: str) -> Issue:
    expected = orjson.dumps(finding.expected).decode()
    return {
        "received": finding.got,
        "code": "invalid_literal",
        "expected": finding.expected,
        "message": f"Invalid literal value, expected {expected}",
    }


def _bound(code: str, limit: str, kind: str, sentence: str, *, inclusive: bool = True) -> IssueMaker:
    def make(finding: Finding, _expected: str) -> Issue:
        return {
            "code": code,
            limit: finding.expected,
            "type": kind,
            "inclusive": inclusive,
            "exact": False,
            "message": sentence.format(finding.expected),
        }

    return make


def _multiple(finding: Finding, _expected: str) -> Issue:
    message = f"Number must be a multiple of {finding.expected}"
    return {"code": "not_multiple_of", "multipleOf": finding.expected, "message": message}


def _string(_finding: Finding, _expected: str) -> Issue:
    return {"code": "invalid_string", "validation": "regex", "message": "Invalid"}


def _unrecognized(finding: Finding, _expected: str) -> Issue:
    message = f"Unrecognized key(s) in object: '{finding.got}'"
    return {"code": "unrecognized_keys", "keys": [finding.got], "message": message}


def _custom(finding: Finding, _expected: str) -> Issue:
    return {"code": "custom", "message": finding.message}


_ISSUE_MAKERS: dict[str, IssueMaker] = {
    "request-required": _required,
    "request-type": _type,
    "request-enum": _enum,
    "request-const": _literal,
    "request-maximum": _bound("too_big", "maximum", "number", "Number must be less than or equal to {}"),
    "request-minimum": _bound("too_small", "minimum", "number", "Number must be greater than or equal to {}"),
    "request-exclusive-maximum": _bound("too_big", "maximum", "number", "Number must be less than {}", inclusive=False),
    "request-exclusive-minimum": _bound(
        "too_small", "minimum", "number", "Number must be greater than {}", inclusive=False
    ),
    "request-multiple-of": _multiple,
    "request-max-items": _bound("too_big", "maximum", "array", "Array must contain at most {} element(s)"),
    "request-min-items": _bound("too_small", "minimum", "array", "Array must contain at least {} element(s)"),
    "request-max-length": _bound("too_big", "maximum", "string", "String must contain at most {} character(s)"),
    "request-min-length": _bound("too_small", "minimum", "string", "String must contain at least {} character(s)"),
    "request-pattern": _string,
    "request-additional-properties": _unrecognized,
}
