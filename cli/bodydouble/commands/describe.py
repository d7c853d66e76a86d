"""The description of a contract: complete, as JSON, and as facts and tables for a report."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from bodydouble_spec import (
    Contract,
    Operation,
    is_array,
    is_object,
    join_pointer,
    pointer_parts,
    provenance,
    resolve_pointer,
)
from bodydouble_spec.image_fields import image_price, image_sizes
from bodydouble_spec.text import cut

__all__ = ["Field", "describe", "fields_of", "limits_of", "summarize"]

_MAX_PATTERN_CHARACTERS = 32
_SIZES = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "properties"),
)


def _pattern(value: Any) -> str:
    return f"pattern {cut(str(value), _MAX_PATTERN_CHARACTERS)}"


def _listed(value: Any) -> str:
    return ", ".join(map(_text, value)) if is_array(value) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_DESCRIPTIONS: dict[str, Callable[[Any], str | None]] = {
    "enum": lambda value: f"one of {_listed(value)}",
    "const": lambda value: f"always {_text(value)}",
    "multipleOf": lambda value: f"a multiple of {value}",
    "uniqueItems": lambda value: "unique items" if value is True else None,
    "pattern": _pattern,
    "format": lambda value: f"format {_text(value)}",
    "additionalProperties": lambda value: "no other properties" if value is False else None,
    "x-known-values": lambda value: f"known values: {_listed(value)}",
}


def limits_of(schema: dict[str, Any]) -> dict[str, str]:
    """Return the limits of a schema in words, by the keyword that sets each: ``{"minimum": "1 to 4"}``."""
    return dict(_limits(schema))


def _limits(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _bounds(schema)
    for least, most, unit in _SIZES:
        if least in schema and most in schema:
            yield least, f"{schema[least]} to {schema[most]} {unit}"
        elif least in schema:
            yield least, f"at least {schema[least]} {unit}"
        elif most in schema:
            yield most, f"at most {schema[most]} {unit}"
    for keyword, describe in _DESCRIPTIONS.items():
        if keyword in schema:
            text = describe(schema[keyword])
            if text is not None:
                yield keyword, text


def _bounds(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    low, low_is_open = _bound(schema, "minimum", "exclusiveMinimum")
    high, high_is_open = _bound(schema, "maximum", "exclusiveMaximum")
    if low is not None and high is not None and not low_is_open and not high_is_open:
        yield "minimum", f"{low} to {high}"
        return
    if low is not None:
        yield "minimum", f"more than {low}" if low_is_open else f"at least {low}"
    if high is not None:
        yield "maximum", f"less than {high}" if high_is_open else f"at most {high}"


def _bound(schema: dict[str, Any], inclusive: str, exclusive: str) -> tuple[Any, bool]:
    """Return the bound, and whether it is exclusive: by a flag in OpenAPI 3.0, by its own keyword in 3.1."""
    flag = schema.get(exclusive)
    if flag is None or isinstance(flag, bool):
        return schema.get(inclusive), flag is True
    return flag, True


_MAX_DEPTH = 12
# References can make a small document expand without end; the largest body of 180 real documents takes 123 visits.
_MAX_VISITS = 5_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field, such as ``data[].url``: its type and limits in words, its default and its evidence.

    ``pointer`` leads to its schema in ``contract.document``. ``evidence`` also lists the limits whose evidence differs.
    """

    name: str
    type: str
    required: bool
    limits: str
    default: Any
    evidence: str
    pointer: str


def fields_of(contract: Contract, pointer: str) -> list[Field]:
    """List the fields of the schema at ``pointer`` in ``contract.document``, parents before children; [] when there is no schema."""
    try:
        schema = resolve_pointer(contract.document, pointer_parts(pointer))
    except LookupError:
        return []
    found: dict[str, list[Field]] = {}
    for field in _SchemaWalker(contract).fields(schema, pointer, "", required=False):
        found.setdefault(field.name, []).append(field)
    return [_merged(fields) for fields in found.values()]


def _merged(fields: list[Field]) -> Field:
    """Merge fields of one name, from several alternatives, into one row."""
    types = dict.fromkeys(name for field in fields for name in field.type.split(" or "))
    limits = dict.fromkeys(field.limits for field in fields if field.limits)
    is_required = all(field.required for field in fields)
    return replace(fields[0], type=" or ".join(types), limits=" or ".join(limits), required=is_required)


class _SchemaWalker:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._visits = 0

    def fields(
        self,
        schema: Any,
        pointer: str,
        name: str,
        *,
        required: bool,
        is_alternative: bool = False,
        open_pointers: tuple[str, ...] = (),
    ) -> Iterator[Field]:
        """Yield the field at ``pointer`` and those below it; for an alternative only those below it.

        A recursive schema is followed once.
        """
        parts = list(self._parts(schema, pointer, ()))
        if name and not is_alternative:
            yield self._field(name, parts, required=required)
        places = {place for _, place in parts}
        if places & set(open_pointers) or len(open_pointers) > _MAX_DEPTH:
            return
        below = (*open_pointers, *places)
        needed = {item for part, _ in parts for item in part.get("required", ())}
        for part, place in parts:
            for key, item in part.get("properties", {}).items():
                child = f"{name}.{key}" if name else key
                here = join_pointer(place, "properties", key)
                yield from self.fields(item, here, child, required=key in needed, open_pointers=below)
            if is_object(part.get("items")):
                here = join_pointer(place, "items")
                yield from self.fields(part["items"], here, f"{name}[]", required=False, open_pointers=below)
            for keyword in ("anyOf", "oneOf"):
                for index, branch in enumerate(part.get(keyword, ())):
                    here = join_pointer(place, keyword, index)
                    yield from self.fields(branch, here, name, required=False, is_alternative=True, open_pointers=below)

    def _parts(self, schema: Any, pointer: str, seen: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the schemas that apply together at one place, each with its pointer, following ``$ref`` and ``allOf``."""
        self._visits += 1
        if not is_object(schema) or pointer in seen or self._visits > _MAX_VISITS:
            return
        seen = (*seen, pointer)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = reference.removeprefix("#")
            yield from self._parts(resolve_pointer(self._contract.document, pointer_parts(target)), target, seen)
            return
        yield schema, pointer
        for index, item in enumerate(schema.get("allOf", ())):
            yield from self._parts(item, join_pointer(pointer, "allOf", index), seen)

    def _field(self, name: str, parts: list[tuple[dict[str, Any], str]], *, required: bool) -> Field:
        texts = dict.fromkeys(text for part, _ in parts if (text := _type_of(part)))
        limits = {text: None for part, _ in parts for text in limits_of(part).values()}
        pointer = parts[0][1] if parts else ""
        return Field(
            name=name,
            type=" and ".join(texts) or "any",
            required=required,
            limits="; ".join(limits),
            default=next((part["default"] for part, _ in parts if "default" in part), None),
            evidence=self._evidence(parts),
            pointer=pointer,
        )

    def _evidence(self, parts: list[tuple[dict[str, Any], str]]) -> str:
        if not parts:
            return ""
        whole = self._contract.evidence(parts[0][1])
        different = [
            f"{keyword} {evidence}"
            for part, place in parts
            for keyword in limits_of(part)
            if (evidence := self._contract.evidence(join_pointer(place, keyword))) != whole
        ]
        return "; ".join([whole, *different])


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    names: list[str] = kind if is_array(kind) else [kind] if isinstance(kind, str) else []
    branches = [item for keyword in ("anyOf", "oneOf") for item in schema.get(keyword, ()) if is_object(item)]
    if not names:
        names = list(dict.fromkeys(text for item in branches if (text := _type_of(item))))
    if not names and "properties" in schema:
        names = ["object"]
    if names and schema.get("nullable") is True:
        names = [*names, "null"]
    return " or ".join(names)


def describe(contract: Contract, *, is_vendored: bool) -> dict[str, Any]:
    """Describe a contract completely, as JSON values: its origin, each operation with fields and schemas, and the evidence."""
    return {
        "source": contract.source,
        "openapi": contract.document.get("openapi"),
        "fingerprint": contract.fingerprint,
        "provenance": provenance() if is_vendored else None,
        "operations": [_operation(contract, operation) for operation in contract.operations],
        "evidence": [asdict(fact) for fact in contract.facts],
    }


def summarize(description: dict[str, Any]) -> dict[str, Any]:
    """Reduce the result of `describe` to the facts and tables of a report."""
    operations: list[dict[str, Any]] = description["operations"]
    facts: dict[str, Any] = {
        "source": description["source"],
        "OpenAPI": description["openapi"],
        "fingerprint": description["fingerprint"],
    }
    origin = description["provenance"]
    if origin is not None:
        facts |= {"published at": origin["document"], "revision": f"{origin['revision']} of {origin['date']}"}
    for operation in operations:
        facts |= _facts(operation, "" if len(operations) == 1 else f" of {operation['operation']}")
    if not operations:
        facts["operations"] = "none"
    evidence = _evidence(description)
    if evidence:
        facts["evidence for what is not in the published document"] = evidence
    return facts


def _operation(contract: Contract, operation: Operation) -> dict[str, Any]:
    body = join_pointer(operation.pointer, "requestBody", "content")
    return {
        "operation": operation.key,
        "pointer": operation.pointer,
        "operation_id": operation.operation_id,
        "needs_key": operation.is_authenticated,
        "parameters": list(operation.parameters),
        "request": {
            "required": operation.request_required,
            "content": {
                name: [asdict(field) for field in fields_of(contract, join_pointer(body, name, "schema"))]
                for name in operation.request_media_types
            },
            "schema": operation.request_schema,
        },
        "responses": [_response(contract, operation, status) for status in operation.responses],
        "sizes": _sizes(operation.extensions),
        "price": _price(operation.extensions),
        "extensions": dict(operation.extensions),
    }


def _response(contract: Contract, operation: Operation, status: str) -> dict[str, Any]:
    response = operation.responses[status]
    pointer = join_pointer(operation.pointer, "responses", status)
    return {
        "status": status,
        "description": response.description,
        "evidence": contract.evidence(join_pointer(pointer, "content")),
        "content": {
            name: [asdict(field) for field in fields_of(contract, join_pointer(pointer, "content", name, "schema"))]
            for name in response.content
        },
        "schemas": {name: None if item is None else item.schema for name, item in response.content.items()},
        "examples": dict(response.examples),
    }


def _sizes(extensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    sizes = image_sizes(extensions).items()
    return [{"size": name, "width": width, "height": height} for name, (width, height) in sizes]


def _price(extensions: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the price of one picture in credits and in US dollars, these exact and as text; None when it is unknown."""
    credits_of_one, credits_per_usd = image_price(extensions)
    if credits_of_one is None or credits_per_usd is None:
        return None
    return {
        "credits": credits_of_one,
        "credits_per_usd": credits_per_usd,
        "usd": format(Decimal(credits_of_one) / Decimal(credits_per_usd), "f"),
    }


def _facts(operation: dict[str, Any], suffix: str) -> dict[str, Any]:
    """Return the facts of one operation; ``suffix`` distinguishes its labels from those of other operations."""
    facts: dict[str, Any] = {
        f"operation{suffix}": operation["operation"],
        f"API key{suffix}": "required" if operation["needs_key"] else "not required",
    }
    price = operation["price"]
    if price is not None:
        ratio = f"{price['credits_per_usd']:,} credits are 1 USD"
        facts[f"price{suffix}"] = f"{price['credits']:,} credits = {price['usd']} USD a picture ({ratio})"
    if operation["sizes"]:
        sizes = [f"{size['size']} {size['width']}x{size['height']}" for size in operation["sizes"]]
        facts[f"sizes{suffix}"] = sizes
    if operation["parameters"]:
        facts[f"parameters{suffix}"] = [f"{item['name']} ({item['in']})" for item in operation["parameters"]]
    for name, fields in operation["request"]["content"].items():
        if fields:
            facts[f"request{suffix}: {name}"] = [_row(field) for field in fields]
    for response in operation["responses"]:
        for name, fields in response["content"].items():
            if fields and response["status"].startswith("2"):
                facts[f"answer {response['status']}{suffix}: {name}"] = [_row(field) for field in fields]
    facts[f"answers{suffix}"] = [
        {
            "status": response["status"],
            "evidence": response["evidence"],
            "content type": ", ".join(response["content"]) or None,
            "description": " ".join(response["description"].split()),
        }
        for response in operation["responses"]
    ]
    return facts


def _row(field: dict[str, Any]) -> dict[str, Any]:
    return {
        "field": field["name"],
        "type": field["type"],
        "required": "yes" if field["required"] else None,
        "default": field["default"],
        "evidence": field["evidence"],
        "limits": field["limits"] or None,
    }


def _evidence(description: dict[str, Any]) -> list[dict[str, str]]:
    """Return the evidence, a row for each fact; a fact that stands in several places is listed once."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for fact in description["evidence"]:
        known = (fact["evidence"], fact["description"], fact["source"])
        places.setdefault(known, []).append(_short(fact["pointer"], description["operations"]))
    return [
        {
            "evidence": evidence,
            "fact": fact,
            "place": found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1} more",
            "source": source,
        }
        for (evidence, fact, source), found in places.items()
    ]


def _short(pointer: str, operations: list[dict[str, Any]]) -> str:
    """Shorten a pointer by the prefix that all pointers of the only operation share."""
    return pointer.removeprefix(f"{operations[0]['pointer']}/") if len(operations) == 1 else pointer
