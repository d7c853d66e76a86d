"""Conversion of OpenAPI schemas to self-contained JSON Schema 2020-12, ready to compile."""

import re
from typing import Any, Literal

from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import pointer_parts, resolve_pointer

__all__ = ["REBASING", "Direction", "normalize_bound", "to_json_schema"]

Direction = Literal["request", "response"]

# Annotations, which do not affect validity; the rest of an OpenAPI schema is JSON Schema.
_ANNOTATIONS = {"$comment", "discriminator", "example", "examples", "externalDocs", "nullable", "xml"}
# These change the base of references, which could then lead out of the document.
REBASING = {"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$schema"}
_SUBSCHEMAS = {
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip
_SUBSCHEMA_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_SUBSCHEMA_MAPS = {"$defs", "dependentSchemas", "patternProperties", "properties"}
_HIDDEN = {"request": "readOnly", "response": "writeOnly"}


def to_json_schema(schema: dict[str, Any], document: dict[str, Any], direction: Direction) -> dict[str, Any]:
    """Convert a repaired OpenAPI 3.0 or 3.1 schema to JSON Schema 2020-12.

    ``nullable`` becomes a type, a boolean exclusive bound a number, and each ``$ref`` into ``document`` an entry of
    ``$defs`` (recursion is kept). A ``readOnly`` property is not required in a request, a ``writeOnly`` one not in a
    response.
    """
    conversion = _Conversion(document, direction)
    result = conversion.convert_object(schema)
    definitions = conversion.definitions()
    if definitions:
        result["$defs"] = {**result.get("$defs", {}), **definitions}
    result["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return result


class _Conversion:
    def __init__(self, document: dict[str, Any], direction: Direction) -> None:
        self._document = document
        self._hidden = _HIDDEN[direction]
        self._is_30 = str(document.get("openapi", "3.0")).startswith("3.0")
        self._references: dict[str, str] = {}

    def definitions(self) -> dict[str, Any]:
        """Return the schemas that were referred to, and those that they refer to, by name."""
        done: dict[str, Any] = {}
        # A loop, not a recursion: a chain of references may be longer than Python's stack.
        while missing := self._references.keys() - done.keys():
            for name in sorted(missing):
                try:
                    target = resolve_pointer(self._document, pointer_parts(self._references[name]))
                except LookupError:
                    target = {}
                done[name] = self.convert(target) if isinstance(target, bool) or is_object(target) else {}
        return done

    def convert(self, schema: Any) -> Any:
        """Convert a schema; return any other value as it is."""
        return self.convert_object(schema) if is_object(schema) else schema

    def convert_object(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Convert a schema that is an object; references are collected, not followed."""
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema)
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in _SUBSCHEMAS:
                result[keyword] = self.convert(value)
            elif keyword in _SUBSCHEMA_LISTS and is_array(value):
                result[keyword] = [self.convert(item) for item in value]
            elif keyword in _SUBSCHEMA_MAPS and is_object(value):
                result[keyword] = {name: self.convert(item) for name, item in value.items()}
            elif keyword not in _ANNOTATIONS | REBASING and not keyword.startswith("x-"):
                result[keyword] = value
        if schema.get("nullable") is True and isinstance(schema.get("type"), str):
            result["type"] = [schema["type"], "null"]
        normalize_bound(result, "minimum", "exclusiveMinimum")
        normalize_bound(result, "maximum", "exclusiveMaximum")
        self._drop_hidden_requirements(result, schema)
        return result

    def _reference(self, schema: dict[str, Any]) -> dict[str, Any]:
        result = {"$ref": f"#/$defs/{self._name(schema['$ref'])}"}
        if self._is_30:
            return result  # which ignores siblings of a reference
        return result | self.convert_object({key: value for key, value in schema.items() if key != "$ref"})

    def _name(self, reference: str) -> str:
        # A slash, tilde or percent sign in the name would be read as part of the pointer.
        name = re.sub("[^A-Za-z0-9_.-]", ".", reference.removeprefix("#/"))
        while self._references.setdefault(name, reference) != reference:
            name += "_"
        return name

    def _drop_hidden_requirements(self, result: dict[str, Any], schema: dict[str, Any]) -> None:
        properties, required = schema.get("properties"), result.get("required")
        if not (is_object(properties) and is_array(required)):
            return
        hidden = [name for name, item in properties.items() if is_object(item) and item.get(self._hidden) is True]
        if any(name in hidden for name in required):
            result["required"] = [name for name in required if name not in hidden]


def normalize_bound(result: dict[str, Any], bound: str, exclusive: str) -> None:
    """Move the number of an exclusive bound into the exclusive keyword.

    OpenAPI 3.0 has "exclusive: true" beside the bound, JSON Schema the number itself.
    """
    if isinstance(result.get(exclusive), bool) and result.pop(exclusive) and bound in result:
        result[exclusive] = result.pop(bound)
