"""One operation of a contract: its request, its responses, and the two checks of an answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from bodydouble_spec.defects import Defects, listed, show
from bodydouble_spec.document import METHODS
from bodydouble_spec.exchange import Exchange
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.operation.callbacks import Callback, read_callbacks
from bodydouble_spec.operation.parameters import Parameter
from bodydouble_spec.operation.security import Security, read_security
from bodydouble_spec.schema import Direction, SchemaConverter, SchemaEvidence, SchemaValidator, strict_findings
from bodydouble_spec.values import is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = [
    "EVENTS",
    "Echo",
    "Operation",
    "Response",
    "essence",
    "is_json_media_type",
    "is_success",
    "operation_of",
    "read_operations",
    "unusable_schemas",
]


EVENTS = "text/event-stream"
"""The media type of an event stream."""


@dataclass(frozen=True, slots=True)
class Response:
    """One documented status: a validator per media type (None for a media type without a schema), and examples by name.

    ``samples`` are the examples of each media type, the nameless one first. ``headers`` has a validator per header, by
    lower-case name (None for one without a schema), and ``required_headers`` the names of those that every answer has.
    ``echoes`` has the header of the request that a header repeats (``x-echo-of``).
    """

    status: str
    description: str
    content: Mapping[str, SchemaValidator | None]
    evidence: Evidence
    examples: Mapping[str, Any] = field(default_factory=dict[str, Any])
    samples: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    headers: Mapping[str, SchemaValidator | None] = field(default_factory=dict[str, SchemaValidator | None])
    required_headers: frozenset[str] = frozenset()
    echoes: Mapping[str, str] = field(default_factory=dict[str, str])

    def has_media_type(self, name: str) -> bool:
        """Return whether a media type is documented; parameters do not matter."""
        return _matching_key(self.content, essence(name)) is not None


@dataclass(frozen=True, slots=True)
class Echo:
    """A header of an answer that repeats one of the request, ``source``, where its value is valid; names are in lower case."""

    name: str
    source: str
    validator: SchemaValidator | None

    def allows(self, value: str) -> bool:
        """Return whether a value is repeated; any other is dropped."""
        return self.validator is None or self.validator.is_valid(value)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``key`` is ``"POST /v1/images/generations"``. ``request_bodies`` has a validator for each media type of the body (None for
    one without a schema), ``request`` is that for JSON (None when the operation takes no JSON), ``responses`` maps a status
    ("200", "4XX", "default") to its `Response`, ``parameters`` are as in the document and ``inputs`` the same ones ready for
    use, ``security`` is that of the operation or of the whole document, ``success_media_types`` are in
    lower case and without parameters, and ``extensions`` are the ``x-``
    values of the operation, which hold sizes and price.
    """

    key: str
    method: str
    path: str
    pointer: str
    operation_id: str | None
    request: SchemaValidator | None
    request_bodies: Mapping[str, SchemaValidator | None]
    request_required: bool
    responses: Mapping[str, Response]
    parameters: Sequence[Mapping[str, Any]]
    inputs: tuple[Parameter, ...]
    security: Security
    callbacks: tuple[Callback, ...]
    success_media_types: frozenset[str]
    extensions: Mapping[str, Any]

    @property
    def is_authenticated(self) -> bool:
        """True when a request without a key is against the contract."""
        return self.security.is_required

    def unserved_pointer(self, body: Any) -> str | None:
        """Return the place in a request body that asks for a declared event stream or callback, None for any other body."""
        if EVENTS in self.success_media_types and is_object(body) and body.get("stream") is True:
            return "/stream"
        return next((callback.key for callback in self.callbacks if callback.is_asked_by(body)), None)

    @property
    def request_media_types(self) -> tuple[str, ...]:
        """The media types of the request body, as the contract spells them."""
        return tuple(self.request_bodies)

    def request_body(self, media_type: str) -> str | None:
        """Return the key in ``request_bodies`` for a media type (lower case, without parameters); None when it is not declared.

        A type such as ``application/vnd.api+json`` is JSON too (RFC 6839); JSON in general is no such type.
        """
        if media_type in self.request_bodies:
            return media_type
        name = _matching_key(self.request_bodies, media_type)
        return _matching_key(self.request_bodies, _JSON) if name is None and media_type.endswith("+json") else name

    @property
    def json_media_type(self) -> str:
        """The media type with which a caller sends JSON: ``application/json`` where it is declared, or no other JSON is."""
        key = self.json_key
        return _JSON if key is None or self.request_body(_JSON) is not None else essence(key)

    @property
    def json_key(self) -> str | None:
        """The key in ``request_bodies`` of the JSON body; None where the operation takes no JSON."""
        return _json_key(self.request_bodies)

    @property
    def request_schema(self) -> dict[str, Any] | None:
        """The JSON Schema 2020-12 of the request body, or None."""
        return None if self.request is None else self.request.schema

    def response_schema(self, status: int = 200, content_type: str = "application/json") -> dict[str, Any] | None:
        """Return the JSON Schema 2020-12 of that answer's body, or None when the contract has none."""
        response = self.response(status)
        validator = None if response is None else _validator_for(response.content, content_type)
        return None if validator is None else validator.schema

    def response(self, status: int) -> Response | None:
        """Return the documentation of a status: the exact one, its class (``4XX``), or ``default``."""
        return next(
            (self.responses[key] for key in (str(status), f"{status // 100}XX", "default") if key in self.responses),
            None,
        )

    @property
    def echoes(self) -> tuple[Echo, ...]:
        """The headers of a request that any of the answers repeats."""
        found = {
            name: Echo(name, source, response.headers[name])
            for response in self.responses.values()
            for name, source in response.echoes.items()
        }
        return tuple(found.values())

    @property
    def success_status(self) -> int:
        """The lowest documented 2xx status; 200 where a range or ``default`` covers it; else the lowest documented 3xx, or 200 when there is none."""
        documented = [int(key) for key in self.responses if key.isdigit()]
        successes = [status for status in documented if is_success(status)]
        if not successes and self.response(200) is None:
            successes = [status for status in documented if 300 <= status < 400]
        return min(successes, default=200)

    @property
    def documents_success(self) -> bool:
        """False when the document has answers, but none that a valid request could get: refusals only.

        What an overlay adds does not count: it names refusals of documents that have no answers at all.
        """
        documented = any(response.evidence is Evidence.DOCUMENTED for response in self.responses.values())
        return not documented or self.response(self.success_status) is not None

    def validate_request(self, body: Any) -> list[Finding]:
        """List every fault of a parsed JSON request body; an empty list when it conforms."""
        if self.request is None or self.request.is_valid(body):
            return []
        return self.request.findings(body)

    def validate_response(self, status: int, content_type: str, body: Any, *, strict: bool = True) -> list[Finding]:
        """List every fault of an answer.

        ``body`` is the parsed JSON, or the bytes as received. With ``strict=False`` only the schema is checked. With
        ``strict=True`` a property that is undocumented, documented but absent, or empty is a fault too.
        """
        response = self.response(status)
        if response is None:
            documented = sorted(self.responses)
            message = f"status {status} is not documented; documented statuses: {listed(documented) or 'none'}"
            return [self._finding("response-status", Severity.WARNING, message, documented, status)]
        if not response.content:
            return []
        media_type = essence(content_type)
        if not response.has_media_type(media_type):
            expected = sorted(response.content)
            message = f"the content type is {show(content_type)}; documented content types: {listed(expected)}"
            severity = Severity.for_evidence(response.evidence)
            return [
                self._finding("response-content-type", severity, message, expected, content_type, response.evidence)
            ]
        validator = _validator_for(response.content, media_type)
        if validator is None:
            return []
        if isinstance(body, bytes | bytearray):
            if not (media_type in _ANY_JSON or is_json_media_type(media_type)):
                return []  # a file, or text that is not JSON
            try:
                body = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                message = f"the body is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
                return [self._finding("response-not-json", Severity.ERROR, message, "JSON", None)]
        findings = [] if validator.is_valid(body) else validator.findings(body)
        if strict:
            findings += strict_findings(validator, body, self.key, response.evidence)
        return findings

    def _finding(
        self,
        rule: str,
        severity: Severity,
        message: str,
        expected: Any,
        got: Any,
        evidence: Evidence = Evidence.DOCUMENTED,
    ) -> Finding:
        return Finding(rule, severity, evidence, "", message, expected, got, direction="response", operation=self.key)


def operation_of(exchange: Exchange, operations: Iterable[Operation]) -> Operation | None:
    """Return the operation to which a recorded exchange belongs; None when it belongs to none of them.

    The recorded operation decides, or method and path where none was recorded. ``/v1`` in front, doubled slashes, a slash at the
    end and the query make no difference, unless the contract has an operation for exactly that spelling.
    """
    method, _, path = (exchange.operation or f"{exchange.method} {exchange.route}").partition(" ")
    candidates = [operation for operation in operations if operation.method == method.upper()]
    for is_same in (str.__eq__, _is_spelling_of, _fits_template):
        for operation in candidates:
            if is_same(operation.path, path):
                return operation
    return None


def _segments(path: str) -> list[str]:
    """Return the parts of a path; the vendor has two official base URLs, one with ``/v1``."""
    parts = [part for part in path.split("/") if part]
    return parts[1:] if parts[:1] == ["v1"] else parts


def _is_spelling_of(documented: str, path: str) -> bool:
    return _segments(documented) == _segments(path)


def _fits_template(documented: str, path: str) -> bool:
    names, parts = _segments(documented), _segments(path)
    return len(names) == len(parts) and all(
        name == part or (name.startswith("{") and name.endswith("}")) for name, part in zip(names, parts, strict=True)
    )


def _matching_key(content: Mapping[str, SchemaValidator | None], media_type: str) -> str | None:
    major = media_type.partition("/")[0]
    by_name = {essence(key): key for key in content}
    return next((by_name[key] for key in (media_type, f"{major}/*", "*/*") if key in by_name), None)


def _validator_for(content: Mapping[str, SchemaValidator | None], media_type: str) -> SchemaValidator | None:
    key = _matching_key(content, essence(media_type))
    return None if key is None else content[key]


_ANY_JSON = {"", "*/*", "application/*"}
_JSON = "application/json"


def essence(media_type: str) -> str:
    """Return a media type in lower case and without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def is_json_media_type(media_type: str) -> bool:
    """Return whether a media type is JSON; parameters do not matter."""
    return essence(media_type).endswith(("/json", "+json"))


def _json_key(content: Iterable[str]) -> str | None:
    names = [name for name in content if is_json_media_type(name)]
    return next((name for name in names if essence(name) == _JSON), next(iter(names), None))


def read_operations(document: Mapping[str, Any], evidence_of: Callable[[str], Evidence]) -> Iterator[Operation]:
    """Yield every operation of a repaired document, in order; its schemas are converted and compiled when first used."""
    converters: dict[Direction, SchemaConverter] = {
        direction: SchemaConverter(document, direction) for direction in ("request", "response")
    }
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _OperationReader(document, converters, evidence_of, path, method).read(item[method])


def unusable_schemas(operations: Iterable[Operation]) -> tuple[Finding, ...]:
    """Return an error for each schema of a request, a parameter or an answer that cannot be compiled, and so accepts any value."""
    defects = Defects()
    known: dict[int, str | None] = {}
    for operation in operations:
        validators = {
            join_pointer(operation.pointer, "requestBody", "content", name): validator
            for name, validator in operation.request_bodies.items()
        } | {
            join_pointer(operation.pointer, "responses", status, "content", name): validator
            for status, response in operation.responses.items()
            for name, validator in response.content.items()
        }
        validators |= {
            join_pointer(operation.pointer, "parameters", index, *_content_parts(source)): item.validator
            for index, (source, item) in enumerate(zip(operation.parameters, operation.inputs, strict=True))
        }
        for pointer, validator in validators.items():
            problem = None if validator is None else validator.problem(known)
            if problem is not None:
                place = join_pointer(pointer, "schema")
                defects.add_error("schema-not-usable", place, f"this schema {problem}", repaired="any value")
    return defects.findings


class _OperationReader:
    def __init__(
        self,
        document: Mapping[str, Any],
        converters: Mapping[Direction, SchemaConverter],
        evidence_of: Callable[[str], Evidence],
        path: str,
        method: str,
    ) -> None:
        self._document = document
        self._converters = converters
        self._evidence_of = evidence_of
        self._path = path
        self._method = method
        self._key = f"{method.upper()} {path}"
        self._pointer = join_pointer("/paths", path, method)

    def read(self, item: Mapping[str, Any]) -> Operation:
        body = item.get("requestBody", {})
        content: dict[str, Any] = body.get("content", {})
        pointer = join_pointer(self._pointer, "requestBody", "content")
        json_body = _json_key(content)
        bodies = {
            name: self._validator(media, join_pointer(pointer, name), "request") for name, media in content.items()
        }
        return Operation(
            key=self._key,
            method=self._method.upper(),
            path=self._path,
            pointer=self._pointer,
            operation_id=item.get("operationId"),
            request=None if json_body is None else bodies[json_body],
            request_bodies=bodies,
            request_required=body.get("required") is True,
            responses={status: self._response(status, response) for status, response in item["responses"].items()},
            parameters=tuple(item.get("parameters", ())),
            inputs=tuple(self._inputs(item.get("parameters", ()))),
            security=read_security(
                item.get("security", self._document.get("security")),
                self._document["components"].get("securitySchemes", {}),
            ),
            callbacks=read_callbacks(item.get("callbacks")),
            success_media_types=frozenset(
                essence(name)
                for status, response in item["responses"].items()
                if status.startswith("2") or status == "default"
                for name in response.get("content", {})
            ),
            extensions={name: value for name, value in item.items() if name.startswith("x-")},
        )

    def _inputs(self, parameters: Sequence[Mapping[str, Any]]) -> Iterator[Parameter]:
        for index, item in enumerate(parameters):
            pointer = join_pointer(self._pointer, "parameters", index)
            parts = _content_parts(item)
            holder: Any = resolve_pointer(item, parts)
            validator = self._validator(holder, join_pointer(pointer, *parts), "request")
            yield Parameter.of(item, validator, self._evidence_of(pointer), is_json=bool(parts))

    def _response(self, status: str, response: Mapping[str, Any]) -> Response:
        pointer = join_pointer(self._pointer, "responses", status)
        content: dict[str, Any] = response.get("content", {})
        named = {name: self._named_examples(media) for name, media in content.items()}
        headers: dict[str, dict[str, Any]] = response.get("headers", {})
        return Response(
            status=status,
            description=response["description"],
            content={
                name: self._validator(media, join_pointer(pointer, "content", name), "response")
                for name, media in content.items()
            },
            evidence=self._evidence_of(pointer),
            examples={name: value for examples in named.values() for name, value in examples.items()},
            samples={
                name: [*([media["example"]] if "example" in media else []), *named[name].values()]
                for name, media in content.items()
            },
            headers={
                name.lower(): self._validator(header, join_pointer(pointer, "headers", name), "response")
                for name, header in headers.items()
            },
            required_headers=frozenset(
                name.lower() for name, header in headers.items() if header.get("required") is True
            ),
            echoes={
                name.lower(): source.lower()
                for name, header in headers.items()
                if isinstance(source := header.get("x-echo-of"), str)
            },
        )

    def _named_examples(self, media: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: self._followed(example) for name, example in media.get("examples", {}).items()}
        return {name: example["value"] for name, example in found.items() if is_object(example) and "value" in example}

    def _followed(self, value: Any) -> Any:
        """Return an example, or the component that it refers to; None where there is none."""
        reference = value.get("$ref") if is_object(value) else None
        if not isinstance(reference, str):
            return value
        try:
            return resolve_pointer(self._document, pointer_parts(reference))
        except LookupError:
            return None

    def _validator(self, media_type: Mapping[str, Any], pointer: str, direction: Direction) -> SchemaValidator | None:
        if "schema" not in media_type:
            return None
        schema: Mapping[str, Any] = media_type["schema"]
        evidence = SchemaEvidence(self._document, join_pointer(pointer, "schema"), self._evidence_of)
        convert = partial(self._converters[direction].to_json_schema, schema)
        return SchemaValidator(convert, direction, self._key, evidence)


def _content_parts(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the way from a parameter to the object that has its schema: none, or its only media type."""
    media = next(iter(parameter.get("content", {})), None)
    return () if media is None else ("content", media)


def is_success(status: int | None) -> bool:
    """Return whether a status (None: no answer) means that the call was carried out."""
    return status is not None and 200 <= status < 300
