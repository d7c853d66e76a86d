"""Findings about a request as the list of Zod 3 issues that the vendor puts into ``error.data``.

Only ``invalid_enum_value`` was ever seen; the other codes are Zod 3's own (assumed), ``custom`` where Zod has no twin.
"""

from collections.abc import Callable, Sequence
from typing import Any

from bodydouble_spec import Finding, is_object

__all__ = ["zod_issues"]

Issue = dict[str, Any]


def zod_issues(findings: Sequence[Finding], schema: dict[str, Any] | None) -> list[Issue]:
    """One issue per place and fault, in the order of the findings; ``schema`` is the request's JSON Schema, for expected types."""
    mistyped = {finding.pointer for finding in findings if finding.id == "request-type"}
    issues: list[Issue] = []
    for finding in findings:
        # Zod looks no further at a value of the wrong type.
        if finding.pointer in mistyped and finding.id != "request-type":
            continue
        path = _path(finding.pointer)
        make = _MAKERS.get(finding.id, _custom)
        issues.append({**make(finding, _type_at(schema, path)), "path": path})
    return issues


def _path(pointer: str) -> list[str | int]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return [int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part for part in parts]


def _type_at(schema: Any, path: list[str | int]) -> str:
    """The JSON type that the schema wants at a path; "unknown" when it does not say."""
    for part in path:
        if not is_object(schema):
            return "unknown"
        schema = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
    types = schema.get("type", "unknown") if is_object(schema) else "unknown"
    return types if isinstance(types, str) else types[0]


def _required(_finding: Finding, wanted: str) -> Issue:
    return {"code": "invalid_type", "expected": wanted, "received": "undefined", "message": "Required"}


def _type(finding: Finding, _wanted: str) -> Issue:
    # Zod has one kind of number.
    expected = " | ".join(dict.fromkeys("number" if name == "integer" else name for name in finding.expected))
    received = "number" if finding.got == "integer" else finding.got
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "message": f"Expected {expected}, received {received}",
    }


def _enum(finding: Finding, _wanted: str) -> Issue:
    options = " | ".join(f"'{option}'" for option in finding.expected)
    return {
        "received": finding.got,
        "code": "invalid_enum_value",
        "options": finding.expected,
        "message": f"Invalid enum value. Expected {options}, received '{finding.got}'",
    }


def _size(
    code: str, limit: str, comparison: str, kind: str | None = None, *, inclusive: bool = True
) -> Callable[[Finding, str], Issue]:
    def make(finding: Finding, wanted: str) -> Issue:
        measured = kind or ("number" if wanted == "integer" else wanted)
        subject, unit = _MEASURED.get(measured, ("Value", ""))
        return {
            "code": code,
            limit: finding.expected,
            "type": measured,
            "inclusive": inclusive,
            "exact": False,
            "message": f"{subject} {comparison if measured == 'number' else _CONTAINS[code]} {finding.expected}{unit}",
        }

    return make


def _string(_finding: Finding, _wanted: str) -> Issue:
    return {"code": "invalid_string", "validation": "regex", "message": "Invalid"}


def _custom(finding: Finding, _wanted: str) -> Issue:
    return {"code": "custom", "message": finding.message}


_MEASURED = {"number": ("Number", ""), "string": ("String", " character(s)"), "array": ("Array", " element(s)")}
_CONTAINS = {"too_big": "must contain at most", "too_small": "must contain at least"}
_MAKERS: dict[str, Callable[[Finding, str], Issue]] = {
    "request-required": _required,
    "request-type": _type,
    "request-enum": _enum,
    "request-maximum": _size("too_big", "maximum", "must be less than or equal to", "number"),
    "request-minimum": _size("too_small", "minimum", "must be greater than or equal to", "number"),
    "request-exclusive-maximum": _size("too_big", "maximum", "must be less than", "number", inclusive=False),
    "request-exclusive-minimum": _size("too_small", "minimum", "must be greater than", "number", inclusive=False),
    "request-max-items": _size("too_big", "maximum", "", "array"),
    "request-min-items": _size("too_small", "minimum", "", "array"),
    "request-max-length": _size("too_big", "maximum", "", "string"),
    "request-min-length": _size("too_small", "minimum", "", "string"),
    "request-pattern": _string,
}
