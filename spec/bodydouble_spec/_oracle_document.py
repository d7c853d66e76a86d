"""What openapi-spec-validator says about a document, as findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bodydouble_spec._defects import show
from bodydouble_spec._errors import SpecError
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._oracle import MISSING_EXTRA
from bodydouble_spec._oracle_errors import Fault, NoFetching, cut, read_error
from bodydouble_spec._pointer import join_pointer, resolve_pointer

__all__ = ["document_errors"]

_WITNESS = "openapi-spec-validator"
_PREFIX = "openapi-"
_GAVE_UP = "openapi-not-walked"
_MAX_DEPTH = 60


def document_errors(document: Mapping[str, Any]) -> list[Finding]:
    """What openapi-spec-validator finds wrong in an OpenAPI 3 document, each a warning with its JSON pointer.

    A missing property is reported at the place where it should be. Nothing is fetched: a reference to another document is reported as
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
    # In a document that breaks the schema already, a stumble of the walk is only the echo of that.
    by_walking = [
        finding
        for finding in _run(_by_walking(document, validator), document)
        if not by_schema or finding.id != _GAVE_UP
    ]
    return list(dict.fromkeys([*by_schema, *by_walking]))


def _by_schema(document: Mapping[str, Any], validator: Any) -> Iterator[Finding]:
    """Where the document breaks the JSON Schema of OpenAPI."""
    from jsonschema.validators import validator_for

    # With jsonschema-rs installed the validator would use that, and lose what went wrong inside anyOf and oneOf; besides, a
    # second opinion should not come from our own engine.
    schema = dict(validator.schema_validator.schema)
    for error in validator_for(schema)(schema).iter_errors(dict(document)):
        for innermost in _innermost(error):
            yield _finding(read_error(innermost))


def _innermost(error: Any) -> Iterator[Any]:
    """Of an anyOf or oneOf, the faults of the branch that was meant: the one with the fewest, never a reference that is not there."""
    branches: dict[int, list[Any]] = {}
    for nested in error.context:
        branches.setdefault(nested.relative_schema_path[0], []).append(nested)
    likely = [
        branch for branch in branches.values() if not any(nested.validator_value == ["$ref"] for nested in branch)
    ]
    fewest = min(map(len, likely), default=0)
    meant = [branch for branch in likely if len(branch) == fewest]
    if len(meant) == 1:
        for nested in meant[0]:
            yield from _innermost(nested)
    else:
        yield error


def _by_walking(document: Mapping[str, Any], validator: Any) -> Iterator[Finding]:
    """What the validator checks beyond the JSON Schema of OpenAPI: references, path parameters, operation ids, defaults."""
    from jsonschema_path import SchemaPath

    verdict = validator(SchemaPath.from_dict(dict(document), handlers=NoFetching()))
    for error in verdict.root_validator(verdict.schema_path):
        yield _finding(read_error(error)._replace(pointer=_pointer_of(document, error)))


def _run(found: Iterator[Finding], document: Mapping[str, Any]) -> list[Finding]:
    """The findings, the last of them about what the validator stumbled over."""
    findings: list[Finding] = []
    try:
        findings.extend(found)
    except Exception as error:  # noqa: BLE001 - whatever it stumbles over, that is its verdict on this document
        reference = getattr(error, "ref", None)
        if isinstance(reference, str):
            holder = _locate(document, lambda value: _is_reference_to(value, reference)) or ""
            message = f"the reference {show(reference)} cannot be followed"
            findings.append(_finding(Fault("ref", f"{holder}/$ref", message, None, reference)))
        else:
            reason = cut(f"{type(error).__name__}: {error}").rstrip(": ")
            message = f"the validator gave up on this document: {reason}"
            findings.append(_finding(Fault(_GAVE_UP.removeprefix(_PREFIX), "", message)))
    return findings


def _finding(fault: Fault) -> Finding:
    return Finding(
        _PREFIX + fault.rule, Severity.WARNING, Evidence.DOCUMENTED, fault.pointer, fault.message, fault.expected, fault.got,
        witness=_WITNESS,
    )  # fmt: skip


def _pointer_of(document: Mapping[str, Any], error: Any) -> str:
    """Where in the document an error of the walk stands; these have no pointer, or one from a place that they do not name.

    Some name an operation in their text, one about a default carries the schema, one about a schema what is wrong inside it.
    """
    for path, item in document["paths"].items():
        for method in item if f"'{path}'" in error.message else ():
            if f"'{method}'" in error.message:
                return join_pointer("/paths", path, method)
    schema = _locate(document, lambda value: value is error.schema)
    if schema is not None:
        return join_pointer(schema, "default") if error.schema.get("default") is error.instance else schema
    parts = list(error.absolute_path)
    outer = _locate(document, lambda value: _value_at(value, parts) is error.instance) if parts else None
    return "" if outer is None else join_pointer(outer, *parts)


def _value_at(value: Any, parts: list[str | int]) -> Any:
    try:
        return resolve_pointer(value, parts)
    except LookupError:
        return object()  # identical to nothing in the document


def _locate(value: Any, is_wanted: Callable[[Any], bool], pointer: str = "", depth: int = 0) -> str | None:
    """The pointer of the first object or array that is wanted, or None."""
    children: Iterable[tuple[Any, Any]]
    if is_object(value):
        children = value.items()
    elif is_array(value):
        children = enumerate(value)
    else:
        return None
    if is_wanted(value):
        return pointer
    if depth == _MAX_DEPTH:
        return None
    found = (_locate(child, is_wanted, join_pointer(pointer, key), depth + 1) for key, child in children)
    return next((place for place in found if place is not None), None)


def _is_reference_to(value: Any, reference: str) -> bool:
    target = value.get("$ref") if is_object(value) else None
    return isinstance(target, str) and target.removeprefix("#") == reference.removeprefix("#")
