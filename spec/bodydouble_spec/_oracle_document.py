"""Validation of a document by openapi-spec-validator, as findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bodydouble_spec._defects import show
from bodydouble_spec._errors import SpecError
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._oracle import MISSING_EXTRA
from bodydouble_spec._oracle_errors import NoFetching, SchemaFault, cut, read_error
from bodydouble_spec._pointer import join_pointer, resolve_pointer

__all__ = ["document_errors"]

_VALIDATOR = "openapi-spec-validator"
_PREFIX = "openapi-"
_NOT_WALKED = "openapi-not-walked"
_MAX_DEPTH = 60


def document_errors(document: Mapping[str, Any]) -> list[Finding]:
    """Validate an OpenAPI 3 document with openapi-spec-validator; each fault is a warning with its JSON pointer.

    A missing property is reported at its own place. Nothing is fetched: a reference to another document is reported as
    one that cannot be followed. Raises SpecError when the validator is not installed.
    """
    try:
        import openapi_spec_validator
    except ImportError as error:
        raise SpecError(MISSING_EXTRA) from error
    version = str(document.get("openapi", "3.0"))
    validator: Any
    if version.startswith("3.2"):
        validator = openapi_spec_validator.OpenAPIV32SpecValidator
    elif version.startswith("3.1"):
        validator = openapi_spec_validator.OpenAPIV31SpecValidator
    else:
        validator = openapi_spec_validator.OpenAPIV30SpecValidator
    by_schema = _run(_by_schema(document, validator), document)
    # Where the document already breaks the schema, a failure of the walk is only a consequence.
    by_walking = [
        finding
        for finding in _run(_by_walking(document, validator), document)
        if not by_schema or finding.id != _NOT_WALKED
    ]
    return list(dict.fromkeys([*by_schema, *by_walking]))


def _by_schema(document: Mapping[str, Any], validator: Any) -> Iterator[Finding]:
    """Yield the places where the document breaks the JSON Schema of OpenAPI."""
    from jsonschema.validators import validator_for

    # With jsonschema-rs installed the validator would use it and lose the faults inside anyOf and oneOf; and a second
    # validator should not be our own engine.
    schema = dict(validator.schema_validator.schema)
    for error in validator_for(schema)(schema).iter_errors(dict(document)):
        for innermost in _innermost(error):
            yield _finding(read_error(innermost))


def _innermost(error: Any) -> Iterator[Any]:
    """Yield the faults of the intended branch of an anyOf or oneOf: the branch with the fewest faults.

    A branch that only lacks a ``$ref`` does not count.
    """
    branches: dict[int, list[Any]] = {}
    for nested in error.context:
        branches.setdefault(nested.relative_schema_path[0], []).append(nested)
    candidates = [
        branch for branch in branches.values() if not any(nested.validator_value == ["$ref"] for nested in branch)
    ]
    fewest = min(map(len, candidates), default=0)
    closest = [branch for branch in candidates if len(branch) == fewest]
    if len(closest) == 1:
        for nested in closest[0]:
            yield from _innermost(nested)
    else:
        yield error


def _by_walking(document: Mapping[str, Any], validator: Any) -> Iterator[Finding]:
    """Yield faults beyond the JSON Schema of OpenAPI: references, path parameters, operation ids, defaults."""
    from jsonschema_path import SchemaPath

    walker = validator(SchemaPath.from_dict(dict(document), handlers=NoFetching()))
    for error in walker.root_validator(walker.schema_path):
        yield _finding(read_error(error)._replace(pointer=_pointer_of(document, error)))


def _run(found: Iterator[Finding], document: Mapping[str, Any]) -> list[Finding]:
    """Collect the findings; where the validator fails, add a last one with the reason."""
    findings: list[Finding] = []
    try:
        findings.extend(found)
    except Exception as error:  # noqa: BLE001 - it raises anything on a document that it cannot walk; that is its verdict
        reference = getattr(error, "ref", None)
        if isinstance(reference, str):
            holder = _find(document, lambda value: _is_reference_to(value, reference)) or ""
            message = f"the reference {show(reference)} cannot be followed"
            findings.append(_finding(SchemaFault("ref", f"{holder}/$ref", message, None, reference)))
        else:
            reason = cut(f"{type(error).__name__}: {error}").rstrip(": ")
            message = f"the validator failed on this document: {reason}"
            findings.append(_finding(SchemaFault(_NOT_WALKED.removeprefix(_PREFIX), "", message)))
    return findings


def _finding(fault: SchemaFault) -> Finding:
    return Finding(
        _PREFIX + fault.rule, Severity.WARNING, Evidence.DOCUMENTED, fault.pointer, fault.message, fault.expected, fault.got,
        source=_VALIDATOR,
    )  # fmt: skip


def _pointer_of(document: Mapping[str, Any], error: Any) -> str:
    """Return the place of a walk's error in the document; such errors have no pointer, or one relative to an unnamed place.

    Some name an operation in their text, one about a default carries the schema, one about a schema the fault inside
    it.
    """
    for path, item in document["paths"].items():
        for method in item if f"'{path}'" in error.message else ():
            if f"'{method}'" in error.message:
                return join_pointer("/paths", path, method)
    schema = _find(document, lambda value: value is error.schema)
    if schema is not None:
        return join_pointer(schema, "default") if error.schema.get("default") is error.instance else schema
    parts = list(error.absolute_path)
    outer = _find(document, lambda value: _value_at(value, parts) is error.instance) if parts else None
    return "" if outer is None else join_pointer(outer, *parts)


def _value_at(value: Any, parts: list[str | int]) -> Any:
    try:
        return resolve_pointer(value, parts)
    except LookupError:
        return object()  # identical to nothing in the document


def _find(value: Any, is_match: Callable[[Any], bool], pointer: str = "", depth: int = 0) -> str | None:
    """Return the pointer of the first object or array that matches, or None."""
    children: Iterable[tuple[Any, Any]]
    if is_object(value):
        children = value.items()
    elif is_array(value):
        children = enumerate(value)
    else:
        return None
    if is_match(value):
        return pointer
    if depth == _MAX_DEPTH:
        return None
    found = (_find(child, is_match, join_pointer(pointer, key), depth + 1) for key, child in children)
    return next((place for place in found if place is not None), None)


def _is_reference_to(value: Any, reference: str) -> bool:
    target = value.get("$ref") if is_object(value) else None
    return isinstance(target, str) and target.removeprefix("#") == reference.removeprefix("#")
