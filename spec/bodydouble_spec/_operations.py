"""Reading of the operations of a repaired document, with a compiled validator for each body."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bodydouble_spec._defects import Defects
from bodydouble_spec._finding import Evidence, Severity
from bodydouble_spec._json import is_object
from bodydouble_spec._json_schema import Direction, to_json_schema
from bodydouble_spec._operation import Operation, Response
from bodydouble_spec._pointer import join_pointer
from bodydouble_spec._repair import METHODS
from bodydouble_spec._validation import SchemaValidator

__all__ = ["read_operations"]

_JSON_SUFFIXES = ("/json", "+json")


def read_operations(
    document: Mapping[str, Any], evidence_of: Callable[[str], Evidence], defects: Defects
) -> Iterator[Operation]:
    """Yield every operation of a repaired document, in order; a schema that cannot be compiled accepts any value."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _OperationReader(dict(document), evidence_of, defects, path, method).read(item[method])


class _OperationReader:
    def __init__(
        self, document: dict[str, Any], evidence_of: Callable[[str], Evidence], defects: Defects, path: str, method: str
    ) -> None:
        self._document = document
        self._evidence_of = evidence_of
        self._defects = defects
        self._path = path
        self._method = method
        self._key = f"{method.upper()} {path}"
        self._pointer = join_pointer("/paths", path, method)

    def read(self, item: Mapping[str, Any]) -> Operation:
        body = item.get("requestBody", {})
        content: dict[str, Any] = body.get("content", {})
        pointer = join_pointer(self._pointer, "requestBody", "content")
        validators = {
            name: self._validator(media, join_pointer(pointer, name), "request") for name, media in content.items()
        }
        json_body = next((name for name in content if name.partition(";")[0].strip().endswith(_JSON_SUFFIXES)), None)
        return Operation(
            key=self._key,
            method=self._method.upper(),
            path=self._path,
            pointer=self._pointer,
            operation_id=item.get("operationId"),
            request=None if json_body is None else validators[json_body],
            request_media_types=tuple(content),
            request_required=body.get("required") is True,
            responses={status: self._response(status, response) for status, response in item["responses"].items()},
            parameters=tuple(item.get("parameters", ())),
            is_authenticated=bool(item.get("security", self._document.get("security"))),
            extensions={name: value for name, value in item.items() if name.startswith("x-")},
        )

    def _response(self, status: str, response: Mapping[str, Any]) -> Response:
        pointer = join_pointer(self._pointer, "responses", status)
        content: dict[str, Any] = response.get("content", {})
        examples = {
            name: example["value"]
            for media in content.values()
            for name, example in media.get("examples", {}).items()
            if is_object(example) and "value" in example
        }
        return Response(
            status=status,
            description=response["description"],
            content={
                name: self._validator(media, join_pointer(pointer, "content", name), "response")
                for name, media in content.items()
            },
            evidence=self._evidence_of(pointer),
            examples=examples,
        )

    def _validator(self, media_type: Mapping[str, Any], pointer: str, direction: Direction) -> SchemaValidator | None:
        if "schema" not in media_type:
            return None
        evidence = self._evidence_of(join_pointer(pointer, "schema"))
        schema = to_json_schema(media_type["schema"], self._document, direction)
        try:
            return SchemaValidator(schema, direction, self._key, evidence)
        except ValueError as error:
            self._defects.add(
                "schema-not-usable",
                join_pointer(pointer, "schema"),
                f"this schema cannot be compiled: {str(error).splitlines()[0][:160]}",
                severity=Severity.ERROR,
                repaired="any value",
            )
            return None
