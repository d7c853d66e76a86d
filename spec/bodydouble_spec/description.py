"""The description of a contract: complete, as JSON, and as facts and tables for a report."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from bodydouble_spec.contract import Contract
from bodydouble_spec.document import Fact
from bodydouble_spec.image_fields import image_price, image_sizes
from bodydouble_spec.operation import Operation
from bodydouble_spec.schema import ANYTHING, SchemaView
from bodydouble_spec.text import cut
from bodydouble_spec.values import join_pointer

__all__ = [
    "Field",
    "describe",
    "describe_operation",
    "evidence_rows",
    "fields_of",
    "limits_of",
    "revision_fact",
    "summarize",
]

_MAX_PATTERN_CHARACTERS = 32
_SIZES = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "properties"),
)
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def _pattern(value: Any) -> str:
    return f"pattern {cut(str(value), _MAX_PATTERN_CHARACTERS)}"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(_text, values))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_DESCRIPTIONS: dict[str, Callable[[Any], str | None]] = {
    "multipleOf": lambda value: f"a multiple of {value}",
    "uniqueItems": lambda value: "unique items" if value is True else None,
    "pattern": _pattern,
    "format": lambda value: f"format {_text(value)}",
    "additionalProperties": lambda value: "no other properties" if value is False else None,
}


class Limit(NamedTuple):
    """One rule in words ("1 to 4"), the keyword that sets it, and the pointer of that keyword."""

    keyword: str
    text: str
    pointer: str


def limits_of(view: SchemaView) -> list[Limit]:
    """Return the limits of a schema in words, one for each rule; a keyword may have several, from schemas that all apply."""
    single = (Limit(keyword, text, view.origin(keyword)) for keyword, text in _limits(view))
    return [*single, *_repeatable(view)]


def _repeatable(view: SchemaView) -> Iterator[Limit]:
    for keyword, describe in _DESCRIPTIONS.items():
        found: dict[str, Limit] = {}
        for part in view.parts:
            text = describe(part.schema[keyword]) if keyword in part.schema else None
            if text is not None:
                found.setdefault(text, Limit(keyword, text, join_pointer(part.pointer, keyword)))
        yield from found.values()


def _limits(view: SchemaView) -> Iterator[tuple[str, str]]:
    yield from _bounds(view.limits)
    for least, most, unit in _SIZES:
        low, high = view.limits.get(least), view.limits.get(most)
        if low is not None and high is not None:
            yield least, f"{low} to {high} {unit}"
        elif low is not None:
            yield least, f"at least {low} {unit}"
        elif high is not None:
            yield most, f"at most {high} {unit}"
    if view.options is not None:
        is_const = "const" in view.origins
        yield "const" if is_const else "enum", f"{'always' if is_const else 'one of'} {_listed(view.options)}"
    if view.known_values:
        yield "x-known-values", f"known values: {_listed(view.known_values)}"


def _bounds(limits: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if "minimum" in limits and "maximum" in limits and not limits.keys() & {"exclusiveMinimum", "exclusiveMaximum"}:
        yield "minimum", f"{limits['minimum']} to {limits['maximum']}"
        return
    for keyword, words in _BOUNDS.items():
        if keyword in limits:
            yield keyword, f"{words} {limits[keyword]}"


_NONE: frozenset[str] = frozenset()
_MAX_ABOVE = 60
# References can make a small document expand without end; the largest body of 180 real documents takes 123 visits.
_MAX_VISITS = 5_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field, such as ``data[].url``: its type and limits in words, its default and its evidence.

    ``pointer`` leads to its schema in ``contract.document``. Where the evidence for a limit differs from ``evidence``, it stands in brackets after it.
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
        view = SchemaView.at(contract.document, pointer)
    except LookupError:
        return []
    found: dict[str, list[Field]] = {}
    for field in _FieldReader(contract).fields(view, "", required=False):
        found.setdefault(field.name, []).append(field)
    return [_merged(fields) for fields in found.values()]


def _merged(fields: list[Field]) -> Field:
    """Merge fields of one name, from several alternatives, into one row."""
    types = dict.fromkeys(name for field in fields for name in field.type.split(" or "))
    limits = dict.fromkeys(field.limits for field in fields if field.limits)
    is_required = all(field.required for field in fields)
    return replace(fields[0], type=" or ".join(types), limits=" or ".join(limits), required=is_required)


class _FieldReader:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._visits = 0

    def fields(
        self,
        view: SchemaView,
        name: str,
        *,
        required: bool,
        is_alternative: bool = False,
        above: frozenset[str] = _NONE,
    ) -> Iterator[Field]:
        """Yield the field at one place and those below it; for an alternative only those below it.

        ``above`` are the pointers of the schemas that contain it: a recursive schema is followed once.
        """
        self._visits += 1
        if self._visits > _MAX_VISITS:
            return
        if name and not is_alternative:
            yield self._field(name, view, required=required)
        places = {part.pointer for part in view.parts}
        if places & above or len(above) > _MAX_ABOVE:
            return
        below = above | places
        for key, item in view.properties.items():
            child = f"{name}.{key}" if name else key
            yield from self.fields(item, child, required=key in view.required, above=below)
        if view.items.parts:
            yield from self.fields(view.items, f"{name}[]", required=False, above=below)
        for branch in itertools.chain(*view.choices):
            yield from self.fields(branch, name, required=False, is_alternative=True, above=below)

    def _field(self, name: str, view: SchemaView, *, required: bool) -> Field:
        limits = limits_of(view)
        pointer = next((part.pointer for part in view.parts if part.schema.keys() != {"$ref"}), view.pointer)
        whole = self._contract.evidence(pointer)
        found = [(limit.text, self._contract.evidence(limit.pointer)) for limit in limits]
        shown = [text if evidence == whole else f"{text} ({evidence})" for text, evidence in found]
        return Field(
            name=name,
            type=_type_of(view),
            required=required,
            limits="; ".join(shown),
            default=next(iter(view.values("default")), None),
            evidence=whole,
            pointer=pointer,
        )


def _type_of(view: SchemaView) -> str:
    types = view.likely_types()
    return "any" if frozenset(types) == ANYTHING else " or ".join(types) or "nothing"


def describe(contract: Contract) -> dict[str, Any]:
    """Describe a contract completely, as JSON values: its origin, each operation with fields and schemas, and the evidence."""
    return {
        "source": contract.source,
        "openapi": contract.document.get("openapi"),
        "fingerprint": contract.fingerprint,
        "provenance": contract.provenance,
        "operations": [describe_operation(contract, operation) for operation in contract.operations],
        "evidence": [asdict(fact) for fact in contract.facts],
    }


def revision_fact(provenance: Mapping[str, str]) -> dict[str, str]:
    """Return the fact that names the revision and its date, or nothing when the provenance does not name the revision."""
    revision, day = provenance.get("revision"), provenance.get("date")
    return {} if revision is None else {"revision": revision if day is None else f"{revision} of {day}"}


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
        facts |= {"published at": origin.get("document"), **revision_fact(origin)}
    for operation in operations:
        facts |= _facts(operation, "" if len(operations) == 1 else f" of {operation['operation']}")
    if not operations:
        facts["operations"] = "none"
    facts_of_overlay = [Fact(**fact) for fact in description["evidence"]]
    evidence = evidence_rows(facts_of_overlay, [operation["pointer"] for operation in operations])
    if evidence:
        facts["evidence for what is not in the published document"] = evidence
    return facts


def describe_operation(contract: Contract, operation: Operation) -> dict[str, Any]:
    """Describe one operation completely, as JSON values."""
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


def evidence_rows(facts: Iterable[Fact], pointers: Sequence[str]) -> list[dict[str, str]]:
    """Return the evidence ledger, a row for each fact; a fact that stands in several places is listed once.

    ``pointers`` are those of the operations: what all places of the only one share is left out.
    """
    places: dict[tuple[str, str, str], list[str]] = {}
    for fact in facts:
        places.setdefault((fact.evidence, fact.description, fact.source), []).append(_short(fact.pointer, pointers))
    return [
        {
            "fact": fact,
            "evidence": evidence,
            "place": found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1} more",
            "source": source,
        }
        for (evidence, fact, source), found in places.items()
    ]


def _short(pointer: str, pointers: Sequence[str]) -> str:
    # Imported here, so that a server starts sooner.
    from bodydouble_spec.report import words_of

    # The place of a whole operation, and that of several operations, need their names.
    is_inside = len(pointers) == 1 and pointer.startswith(f"{pointers[0]}/")
    return words_of(pointer) or pointer if is_inside or pointer.startswith("/components/") else pointer
