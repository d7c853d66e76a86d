"""An answer's body from its schema: the contract's own examples where they conform, else the plainest value that does."""

from typing import Any

from bodydouble_spec import is_array, is_object

__all__ = ["generate"]

_MAX_DEPTH = 20


def generate(schema: Any, published: Any = None) -> Any:
    """A value that conforms to a JSON Schema 2020-12 (as the contract makes it), with one item in each list.

    ``published`` is the OpenAPI schema that it was made from, for its ``example``s; the caller checks the result.
    """
    definitions: dict[str, Any] = schema.get("$defs", {}) if is_object(schema) else {}
    return _value(schema, published, definitions, 0)


def _value(schema: Any, published: Any, definitions: dict[str, Any], depth: int) -> Any:
    while is_object(schema) and "$ref" in schema:
        schema = definitions.get(schema["$ref"].removeprefix("#/$defs/"), {})
        published = None
    if not is_object(schema) or depth > _MAX_DEPTH:
        return None
    hints: dict[str, Any] = published if is_object(published) else {}
    for key in ("example", "default"):
        if key in hints:
            return hints[key]
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for keyword in ("allOf", "oneOf", "anyOf"):
        if schema.get(keyword):
            return _combined(keyword, schema, definitions, depth)
    return _of_type(_type(schema), schema, hints, definitions, depth)


def _combined(keyword: str, schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
    values = [_value(branch, None, definitions, depth + 1) for branch in schema[keyword]]
    if keyword != "allOf":
        return values[0]
    own = _of_type(_type(schema), schema, {}, definitions, depth)
    merged: dict[str, Any] = {}
    for value in [*values, own]:
        merged |= value if is_object(value) else {}
    return merged or next((value for value in values if value is not None), own)


def _type(schema: dict[str, Any]) -> str:
    types = schema.get("type")
    if is_array(types):
        return next((name for name in types if name != "null"), "null")
    return types if isinstance(types, str) else ("object" if "properties" in schema else "null")


def _of_type(kind: str, schema: dict[str, Any], hints: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
    match kind:
        case "object":
            published = hints.get("properties", {})
            return {
                name: _value(item, published.get(name), definitions, depth + 1)
                for name, item in schema.get("properties", {}).items()
            }
        case "array":
            items = [_value(schema.get("items", {}), hints.get("items"), definitions, depth + 1)]
            return items * max(1, int(schema.get("minItems", 1)))
        case "string":
            return "text".ljust(int(schema.get("minLength", 0)), ".")[: int(schema.get("maxLength", 2**31))]
        case "integer" | "number":
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return True
        case _:
            return None


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    step: int | float = 1 if whole else schema.get("multipleOf", 1)
    least: int | float | None = schema.get("minimum")
    above: int | float | None = schema.get("exclusiveMinimum")
    below: int | float | None = schema.get("exclusiveMaximum")
    most: int | float = schema.get("maximum", 0) if below is None else below - step
    if above is not None:
        return above + step
    return min(0, most) if least is None else least
