"""Review of a valid document for promises that it does not make."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_object
from bodydouble_spec._pointer import join_pointer, pointer_parts, resolve_pointer
from bodydouble_spec._repair import METHODS

__all__ = ["review"]


def review(document: dict[str, Any]) -> list[Finding]:
    """List findings about a repaired document that is well-formed but promises too little; none of them needs a repair."""
    operations = [
        (join_pointer("/paths", path, method), item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    schemes = list(document["components"].get("securitySchemes", {}))
    applied = "security" in document or any("security" in operation for _, operation in operations)
    findings = [
        finding for pointer, operation in operations for finding in _review_operation(document, pointer, operation)
    ]
    if schemes and operations and not applied:
        message = f"the security scheme {', '.join(schemes)} is declared, but no operation applies it"
        findings.insert(0, _finding("security-not-applied", Severity.WARNING, "/components/securitySchemes", message))
    return findings


def _review_operation(document: dict[str, Any], pointer: str, operation: dict[str, Any]) -> Iterator[Finding]:
    responses: dict[str, Any] = operation["responses"]
    here = join_pointer(pointer, "responses")
    if responses and all(status.startswith("2") for status in responses):
        message = f"only {', '.join(responses)} is documented; error responses are not"
        yield _finding("errors-undocumented", Severity.INFO, here, message)
    for status, response in responses.items():
        if not status.startswith("2"):
            continue
        for name, media_type in response.get("content", {}).items():
            schema = _follow(document, media_type.get("schema", {}))
            if schema.get("type") == "object" and not schema.get("required"):
                where = join_pointer(here, status, "content", name, "schema")
                message = (
                    f"no property of the {status} body is required, so {{}} conforms; check answers in strict mode"
                )
                yield _finding("response-vacuous", Severity.INFO, where, message)


def _follow(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    try:
        target = resolve_pointer(document, pointer_parts(schema["$ref"]))
    except LookupError:
        return {}
    return target if is_object(target) and "$ref" not in target else {}


def _finding(rule: str, severity: Severity, pointer: str, message: str) -> Finding:
    return Finding(rule, severity, Evidence.DOCUMENTED, pointer, message)
