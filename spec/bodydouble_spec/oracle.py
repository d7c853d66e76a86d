"""openapi-core as a second validator of the same document: for tests, and for single documents.

Its import takes 0.6 s and each message a millisecond, so no server code imports it. Install it with ``pip install
'bodydouble[contract]'``.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from bodydouble_spec.defects import shorten, show
from bodydouble_spec.document import METHODS
from bodydouble_spec.errors import SpecError
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.operation import Operation, essence, is_json_media_type
from bodydouble_spec.text import cut_line
from bodydouble_spec.values import is_array, is_object, join_pointer, resolve_pointer

if TYPE_CHECKING:
    from bodydouble_spec.contract import Contract

__all__ = ["Oracle", "document_errors"]

_MAX_LISTED = 6


class SchemaFault(NamedTuple):
    """A broken rule: its kebab-case name, the pointer into the validated value, a sentence, and the expected and actual values."""

    rule: str
    pointer: str
    message: str
    expected: Any = None
    got: Any = None


class NoFetching(dict[str, Any]):
    """Handlers that refuse every URL scheme. Without handlers, jsonschema-path would fetch the target of a reference."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Any:
        return _refuse


def _refuse(uri: str) -> NoReturn:
    raise OSError(f"{cut_line(uri)} is another document, which is not fetched")


def read_error(error: Any) -> SchemaFault:
    """Convert a ``jsonschema.ValidationError``; a missing property is reported at its own place."""
    keyword, expected, value = error.validator, error.validator_value, error.instance
    pointer = join_pointer("", *error.absolute_path)
    if not isinstance(keyword, str):
        return SchemaFault(_kebab(type(error).__name__.removesuffix("Error")), pointer, cut_line(error.message))
    if keyword == "required" and is_array(expected):
        name = next((name for name in expected if error.message.startswith(repr(name))), "")
        return SchemaFault("required", join_pointer(pointer, name), f"required property {show(name)} is missing", name)
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        names = _unexpected(error)
        listed = ", ".join(show(name) for name in names[:_MAX_LISTED]) or "a property here"
        return SchemaFault(_kebab(keyword), pointer, f"{listed} is not allowed", None, names)
    if keyword in {"type", "enum"}:
        return SchemaFault(keyword, pointer, f"{show(value)} is not {show(expected)}", expected, shorten(value))
    return SchemaFault(_kebab(keyword), pointer, f"{show(value)} breaks the rule `{keyword}`", None, shorten(value))


def _unexpected(error: Any) -> list[str]:
    """Return the names in an object that its schema does not allow."""
    known: Mapping[str, Any] = error.schema.get("properties", {})
    patterns: Mapping[str, Any] = error.schema.get("patternProperties", {})
    names = [str(name) for name in error.instance if name not in known]
    return [name for name in names if not any(re.search(pattern, name) for pattern in patterns)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


MISSING_EXTRA = "this check needs openapi-core; install it with: pip install 'bodydouble[contract]'"
_HOST = "http://localhost"


@dataclass(slots=True)
class _Parameters:
    """The part of a request into which openapi-core writes the values from the path; empty here."""

    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    header: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cookie: Mapping[str, Any] = field(default_factory=dict[str, Any])
    path: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class _Request:
    """openapi-core's Request protocol."""

    method: str
    path: str
    content_type: str
    body: bytes | None
    host_url: str = _HOST
    parameters: Any = field(default_factory=_Parameters)  # its protocol asks for its own class, of the same shape


@dataclass(slots=True)
class _Response:
    """openapi-core's Response protocol."""

    status_code: int
    content_type: str
    data: bytes | None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Oracle:
    """The validator openapi-core for the document of a contract (``contract.document``).

    It checks the same parts as `Operation`: bodies, media types and statuses. Keys, parameters and headers are left out
    of both. Raises SpecError when openapi-core is not installed, or does not support this version of OpenAPI.
    """

    def __init__(self, contract: "Contract") -> None:
        try:
            from jsonschema_path import SchemaPath
            from openapi_core import Config, OpenAPI
            from openapi_spec_validator.versions.exceptions import OpenAPIVersionNotFound
            from openapi_spec_validator.versions.shortcuts import get_spec_version
        except ImportError as error:
            raise SpecError(MISSING_EXTRA) from error
        document = _without_unchecked(contract.document)
        try:
            get_spec_version(document)
        except OpenAPIVersionNotFound as error:
            version = show(document.get("openapi"))
            raise SpecError(f"{contract.source}: openapi-core reads OpenAPI 3.0 to 3.2, not {version}") from error
        # No check of the document: its defects have been repaired and reported already.
        without_check: Any = None  # None is accepted, but not in its annotation
        config = Config(
            spec_validator_cls=without_check,
            # It parses application/json only, and would validate the raw bytes of any other JSON.
            extra_media_type_deserializers=dict.fromkeys(_json_media_types(contract), _load_json),
        )
        self._api = OpenAPI(SchemaPath.from_dict(document, handlers=NoFetching()), config=config)

    def request_errors(self, operation: Operation, body: bytes, content_type: str = "application/json") -> list[str]:
        """List the faults of a request body, one short sentence each; an empty list when it conforms."""
        request = _Request(operation.method.lower(), operation.path, content_type, body)
        return list(_messages(self._api.iter_request_errors(request)))

    def response_errors(self, operation: Operation, status: int, content_type: str, body: bytes) -> list[str]:
        """List the faults of an answer against its schema, one short sentence each; an empty list when it conforms."""
        request = _Request(operation.method.lower(), operation.path, "application/json", None)
        answer = _Response(status, content_type, body)
        return list(_messages(self._api.iter_response_errors(request, answer)))


def _without_unchecked(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document for any host, without keys and headers of answers.

    openapi-core checks no body when host or key is wrong, and spends half of its time on headers.
    """
    paths = {
        path: {
            name: _without_headers(_without(value, "security", "servers")) if name in METHODS else value
            for name, value in _without(item, "servers").items()
        }
        for path, item in document["paths"].items()
    }
    components = _without_headers(document["components"])
    return {**_without(document, "security"), "servers": [{"url": "/"}], "paths": paths, "components": components}


def _without_headers(holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation, or components, with responses without headers."""
    responses = {name: _without(response, "headers") for name, response in holder.get("responses", {}).items()}
    return {**holder, **({"responses": responses} if responses else {})}


def _json_media_types(contract: "Contract") -> set[str]:
    """Return the JSON media types of the contract, for example ``application/problem+json``."""
    return {
        essence(name)
        for operation in contract.operations
        for content in (operation.request_media_types, *(item.content for item in operation.responses.values()))
        for name in content
        if is_json_media_type(name)
    }


def _load_json(body: bytes, **_parameters: str) -> Any:
    return json.loads(body)


def _without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


def _messages(errors: Iterable[Exception]) -> Iterator[str]:
    from openapi_core.validation.request.exceptions import ParameterValidationError
    from openapi_core.validation.response.exceptions import HeaderValidationError
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

    try:
        for error in errors:
            if isinstance(error, ParameterValidationError | HeaderValidationError):
                continue
            cause = error.__cause__
            if isinstance(cause, InvalidSchemaValue):
                for fault in map(read_error, cause.schema_errors):
                    yield f"{fault.pointer or 'the body'}: {fault.message}"
            else:
                yield cut_line(str(cause or error))
    except Exception as error:  # noqa: BLE001 - it raises anything on input that it cannot parse; that is its verdict
        yield cut_line(f"openapi-core failed on this message: {type(error).__name__}: {error}")


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
            reason = cut_line(f"{type(error).__name__}: {error}").rstrip(": ")
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
