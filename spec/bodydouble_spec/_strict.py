"""The strict reading of an answer: is anything undocumented, documented but absent, or empty where it must mean something?

With a contract that requires no property, ``{}`` conforms; only this reading notices.
"""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec._defects import shorten, show
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer

__all__ = ["strict_findings"]

_MAX_DEPTH = 60


def strict_findings(schema: dict[str, Any], value: Any, operation: str, evidence: Evidence) -> list[Finding]:
    """What the strict reading finds in ``value`` beyond plain validation.

    ``schema`` is JSON Schema 2020-12 as `to_json_schema` makes it. Absent or empty documented properties deviate with the severity of
    ``evidence``, undocumented ones are a warning at most, and a nullable property that is absent while a sibling does its job is info.
    """
    return list(_Strict(schema, operation, evidence).walk(schema, value, "", 0))


class _Strict:
    def __init__(self, root: dict[str, Any], operation: str, evidence: Evidence) -> None:
        self._definitions = root.get("$defs", {})
        self._operation = operation
        self._evidence = evidence

    def walk(self, schema: Any, value: Any, pointer: str, depth: int) -> Iterator[Finding]:
        schema = self._follow(schema)
        if depth > _MAX_DEPTH or not is_object(schema):
            return
        if is_object(value) and "properties" in schema:
            yield from self._object(schema, value, pointer, depth)
        elif is_array(value) and _allows(schema, "array"):
            if not value:
                yield self._deviation("empty", pointer, "this list is empty", "at least one item", value)
            for index, item in enumerate(value):
                yield from self.walk(schema.get("items"), item, join_pointer(pointer, index), depth + 1)
        elif value is None and (_allows(schema, "array") or _allows(schema, "object")):
            yield self._deviation("null", pointer, "this is null", "a value", None)

    def _object(self, schema: dict[str, Any], value: dict[str, Any], pointer: str, depth: int) -> Iterator[Finding]:
        properties: dict[str, Any] = schema["properties"]
        nullable = {name for name, item in properties.items() if self._is_nullable_leaf(item)}
        has_value = any(value.get(name) not in (None, "") for name in nullable)
        if nullable and not has_value:
            yield self._no_value(sorted(nullable), value, pointer)
        for name, item in properties.items():
            here = join_pointer(pointer, name)
            if name in value:
                yield from self.walk(item, value[name], here, depth + 1)
            elif name not in nullable:
                if name not in schema.get("required", ()):  # plain validation says that already
                    yield self._deviation("absent", here, f"documented property {show(name)} is absent", name, None)
            elif has_value:
                message = f"documented property {show(name)} is absent; null is what the contract has for it"
                yield self._finding("absent", Severity.INFO, here, message, name, None)
        for name in value:
            if name not in properties and schema.get("additionalProperties") is not False:
                message = f"property {show(name)} is not in the contract"
                yield self._finding(
                    "undocumented", self._at_most_warning(), join_pointer(pointer, name), message, None, name
                )

    def _no_value(self, names: list[str], value: dict[str, Any], pointer: str) -> Finding:
        where = join_pointer(pointer, names[0]) if len(names) == 1 else pointer
        message = (
            f"none of {', '.join(show(name) for name in names)} has a value"
            if len(names) > 1
            else f"{show(names[0])} has no value"
        )
        return self._deviation("no-value", where, message, names, value)

    def _follow(self, schema: Any) -> Any:
        for _ in range(_MAX_DEPTH):
            reference = schema.get("$ref") if is_object(schema) else None
            if not isinstance(reference, str):
                break
            schema = self._definitions.get(reference.removeprefix("#/$defs/"))
        return schema

    def _is_nullable_leaf(self, schema: Any) -> bool:
        schema = self._follow(schema)
        return (
            is_object(schema)
            and is_array(schema.get("type"))
            and "null" in schema["type"]
            and not _allows(schema, "array")
            and not _allows(schema, "object")
        )

    def _at_most_warning(self) -> Severity:
        severity = Severity.for_evidence(self._evidence)
        return Severity.WARNING if severity is Severity.ERROR else severity

    def _deviation(self, rule: str, pointer: str, message: str, expected: Any, got: Any) -> Finding:
        return self._finding(rule, Severity.for_evidence(self._evidence), pointer, message, expected, got)

    def _finding(self, rule: str, severity: Severity, pointer: str, message: str, expected: Any, got: Any) -> Finding:
        return Finding(
            f"response-{rule}", severity, self._evidence, pointer, message, expected, shorten(got),
            direction="response", operation=self._operation,
        )  # fmt: skip


def _allows(schema: dict[str, Any], kind: str) -> bool:
    types = schema.get("type")
    return kind == types or (is_array(types) and kind in types)
