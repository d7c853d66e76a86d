"""Validation of a message by openapi-core, with the same repaired and overlaid document as our own validator."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bodydouble_spec._defects import show
from bodydouble_spec._errors import SpecError
from bodydouble_spec._operation import Operation
from bodydouble_spec._oracle_errors import NoFetching, cut, read_error

if TYPE_CHECKING:
    from bodydouble_spec._contract import Contract

__all__ = ["MISSING_EXTRA", "Oracle"]

MISSING_EXTRA = "this check needs openapi-core; install it with: pip install 'bodydouble[contract]'"
_HOST = "http://localhost"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


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
        document = _without_security(contract.document)
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


def _without_security(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document for any host and without keys: openapi-core checks no body when host or key is wrong."""
    paths = {
        path: {
            name: _without(value, "security", "servers") if name in _METHODS else value
            for name, value in _without(item, "servers").items()
        }
        for path, item in document["paths"].items()
    }
    return {**_without(document, "security"), "servers": [{"url": "/"}], "paths": paths}


def _json_media_types(contract: "Contract") -> set[str]:
    """Return the JSON media types of the contract, for example ``application/problem+json``."""
    named = {
        name.partition(";")[0].strip().lower()
        for operation in contract.operations
        for content in (operation.request_media_types, *(item.content for item in operation.responses.values()))
        for name in content
    }
    return {name for name in named if name.endswith(("/json", "+json"))}


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
                yield cut(str(cause or error))
    except Exception as error:  # noqa: BLE001 - it raises anything on input that it cannot parse; that is its verdict
        yield cut(f"openapi-core failed on this message: {type(error).__name__}: {error}")
