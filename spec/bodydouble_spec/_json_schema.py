"""OpenAPI schemas as JSON Schema 2020-12, self-contained, so that one fast validator can be compiled from each."""

from typing import Any, Literal

from bodydouble_spec._pointer import pointer_parts, resolve_pointer

__all__ = ["Direction", "to_json_schema"]

Direction = Literal["request", "response"]

# Annotations that say nothing about validity; what is left of an OpenAPI schema without them is JSON Schema.
_ANNOTATIONS = {"discriminator", "example", "examples", "externalDocs", "nullable", "xml"}
_SUBSCHEMAS = {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
_SUBSCHEMA_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_SUBSCHEMA_MAPS = {"$defs", "dependentSchemas", "patternProperties", "properties"}
_HIDDEN = {"request": "readOnly", "response": "writeOnly"}


def to_json_schema(schema: dict[str, Any], document: dict[str, Any], direction: Direction) -> dict[str, Any]:
    """The JSON Schema 2020-12 of a repaired OpenAPI 3.0 or 3.1 schema.

    ``nullable`` becomes a type, a boolean exclusive bound a number, each ``$ref`` into ``document`` an entry of ``$defs``
    (recursion is kept). A property that is ``readOnly`` is not required of a request, one that is ``writeOnly`` not of a response.
    """
    conversion = _Conversion(document, direction)
    result = conversion.convert(schema)
    if conversion.definitions:
        result["$defs"] = {**result.get("$defs", {}), **conversion.definitions}
    result["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return result


class _Conversion:
    def __init__(self, document: dict[str, Any], direction: Direction) -> None:
        self._document = document
        self._hidden = _HIDDEN[direction]
        self._is_30 = str(document.get("openapi", "3.0")).startswith("3.0")
        self.definitions: dict[str, Any] = {}

    def convert(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema)
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in _SUBSCHEMAS:
                result[keyword] = self.convert(value)
            elif keyword in _SUBSCHEMA_LISTS:
                result[keyword] = [self.convert(item) for item in value]
            elif keyword in _SUBSCHEMA_MAPS:
                result[keyword] = {name: self.convert(item) for name, item in value.items()}
            elif keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
                result[keyword] = value
        if schema.get("nullable") is True and isinstance(schema.get("type"), str):
            result["type"] = [schema["type"], "null"]
        _settle_bound(result, "minimum", "exclusiveMinimum")
        _settle_bound(result, "maximum", "exclusiveMaximum")
        self._drop_hidden_requirements(result, schema)
        return result

    def _reference(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference: str = schema["$ref"]
        # A slash or percent sign in the name would be read as part of the pointer.
        name = reference.removeprefix("#/").replace("/", ".").replace("~", "-").replace("%", "-")
        if name not in self.definitions:
            self.definitions[name] = {}  # marks it as begun, so that recursion ends here
            try:
                target = resolve_pointer(self._document, pointer_parts(reference))
            except LookupError:
                target = {}
            self.definitions[name] = self.convert(target) if isinstance(target, dict) else {}
        siblings = {} if self._is_30 else self.convert({key: value for key, value in schema.items() if key != "$ref"})
        return {"$ref": f"#/$defs/{name}", **siblings}

    def _drop_hidden_requirements(self, result: dict[str, Any], schema: dict[str, Any]) -> None:
        properties = schema.get("properties", {})
        hidden = {
            name for name, item in properties.items() if isinstance(item, dict) and item.get(self._hidden) is True
        }
        if hidden & set(result.get("required", ())):
            result["required"] = [name for name in result["required"] if name not in hidden]


def _settle_bound(result: dict[str, Any], bound: str, exclusive: str) -> None:
    """OpenAPI 3.0 says "exclusive: true" beside the bound; JSON Schema puts the number in the exclusive keyword."""
    if isinstance(result.get(exclusive), bool) and result.pop(exclusive) and bound in result:
        result[exclusive] = result.pop(bound)
