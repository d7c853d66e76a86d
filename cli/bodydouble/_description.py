"""The description of a contract: complete, as JSON, and as facts and tables for a report."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from bodydouble_spec import Contract, Operation, is_array, is_object, join_pointer, provenance

from bodydouble._fields import fields_of

__all__ = ["describe", "summarize"]


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
    sizes = extensions.get("x-sizes")
    found = sizes.items() if is_object(sizes) else ()
    return [{"size": name, "width": size[0], "height": size[1]} for name, size in found if _is_pair(size)]


def _is_pair(size: Any) -> bool:
    return is_array(size) and len(size) == 2


def _price(extensions: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the price of one picture in credits and in US dollars, these exact and as text; None when it is unknown."""
    price = extensions.get("x-price")
    credits_of_one = price.get("credits") if is_object(price) else None
    credits_per_usd = price.get("credits-per-usd") if is_object(price) else None
    if not isinstance(credits_of_one, int) or not isinstance(credits_per_usd, int) or credits_per_usd <= 0:
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
