"""One operation of a contract: what may be sent, what may come back, and the two readings of an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bodydouble_spec._defects import listed, show
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._strict import strict_findings
from bodydouble_spec._validation import SchemaValidator

__all__ = ["Operation", "Response"]


@dataclass(frozen=True, slots=True)
class Response:
    """What one status documents: a validator per media type (None where the media type has no schema), examples by name."""

    status: str
    description: str
    content: Mapping[str, SchemaValidator | None]
    evidence: Evidence
    examples: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``key`` is ``"POST /v1/images/generations"``. ``request`` validates a JSON body (None when the operation takes none),
    ``responses`` maps a status ("200", "4XX", "default") to what it documents, ``is_authenticated`` tells whether a key is needed, and
    ``extensions`` are the ``x-`` values of the operation, where sizes and price live.
    """

    key: str
    method: str
    path: str
    pointer: str
    operation_id: str | None
    request: SchemaValidator | None
    request_media_types: tuple[str, ...]
    request_required: bool
    responses: Mapping[str, Response]
    parameters: Sequence[Mapping[str, Any]]
    is_authenticated: bool
    extensions: Mapping[str, Any]

    @property
    def request_schema(self) -> dict[str, Any] | None:
        """JSON Schema 2020-12 of the request body, or None."""
        return None if self.request is None else self.request.schema

    def response_schema(self, status: int = 200, content_type: str = "application/json") -> dict[str, Any] | None:
        """JSON Schema 2020-12 of that answer's body, or None when the contract has none."""
        response = self.response(status)
        validator = None if response is None else _of_media_type(response.content, content_type)
        return None if validator is None else validator.schema

    def response(self, status: int) -> Response | None:
        """What the contract documents for a status: exactly, by class (``4XX``), or by ``default``."""
        return next(
            (self.responses[key] for key in (str(status), f"{status // 100}XX", "default") if key in self.responses),
            None,
        )

    @property
    def success_status(self) -> int:
        """The lowest documented 2xx status; 200 when none is documented."""
        return min((int(key) for key in self.responses if key.startswith("2") and key.isdigit()), default=200)

    def validate_request(self, body: Any) -> list[Finding]:
        """Every fault of a parsed JSON request body at once; an empty list when it conforms."""
        if self.request is None or self.request.is_valid(body):
            return []
        return self.request.findings(body)

    def validate_response(self, status: int, content_type: str, body: Any, *, strict: bool = True) -> list[Finding]:
        """Every fault of an answer at once.

        ``body`` is the parsed JSON, or the bytes as received. The plain reading (``strict=False``) asks whether the answer conforms;
        the strict one also whether anything is undocumented, documented but absent, or empty where it must mean something.
        """
        response = self.response(status)
        if response is None:
            documented = sorted(self.responses)
            message = f"status {status} is not documented; documented are {listed(documented) or 'none'}"
            return [self._finding("response-status", Severity.WARNING, message, documented, status)]
        if not response.content:
            return []
        media_type = content_type.partition(";")[0].strip().lower()
        if _range_of(response.content, media_type) is None:
            expected = sorted(response.content)
            message = f"the content type is {show(content_type)}, documented is {listed(expected)}"
            severity = Severity.for_evidence(response.evidence)
            return [
                self._finding("response-content-type", severity, message, expected, content_type, response.evidence)
            ]
        validator = _of_media_type(response.content, media_type)
        if validator is None:
            return []
        if isinstance(body, bytes | bytearray):
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


def _range_of(content: Mapping[str, SchemaValidator | None], media_type: str) -> str | None:
    major = media_type.partition("/")[0]
    plain = {key.partition(";")[0].strip().lower(): key for key in content}
    return next((plain[key] for key in (media_type, f"{major}/*", "*/*") if key in plain), None)


def _of_media_type(content: Mapping[str, SchemaValidator | None], media_type: str) -> SchemaValidator | None:
    key = _range_of(content, media_type.partition(";")[0].strip().lower())
    return None if key is None else content[key]
