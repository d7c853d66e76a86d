"""Documents that ask for unbounded work: patterns, bounds, sizes, levels and aliases."""

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["document", "hostile_documents", "text"]


def document(schema: dict[str, Any], operations: int = 1) -> dict[str, Any]:
    """Make a document whose operations take and give a value of this schema."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": {"required": True, **content}, "responses": {"200": {"description": "", **content}}}
    paths = {f"/v1/o{number}": {"post": operation} for number in range(operations)}
    return {"openapi": "3.1.0", "info": {"title": "hostile", "version": "1"}, "paths": paths}


def text(**rules: Any) -> dict[str, Any]:
    """Make the schema of an object with one text."""
    return {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", **rules}}}


MANY_ITEMS = {"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 10**8}}}
MANY_PROPERTIES = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(100_000)}}
PATTERNS = {
    "nested quantifiers": "^(([a-z]+)+)+(x{10,20}){5,9}$",
    "alternatives that overlap": "^(a|a|ab)*c$",
    "a backreference": "^(a+)\\1{50,}$",
    "lookaheads": "^(?=.*a)(?=.*b)(?!.*c).+$",
    "repetition {1,100000}": "^(a{1,100000}){5}$",
}
ALIASES = "\n".join(
    ["a0: &a0 {type: string}", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))]
)


def nested(levels: int) -> str:
    """Make the text of a document with a schema of many levels."""
    schema = '{"type": "array", "items": ' * levels + "{}" + "}" * levels
    return json.dumps(document({"not": "here"})).replace('{"not": "here"}', schema)


def hostile_documents() -> Iterator[tuple[str, str, str]]:
    """Yield the name of an attack, and the texts of the document before and after."""
    plain = json.dumps(document(text()))
    for name, pattern in PATTERNS.items():
        yield name, plain, json.dumps(document(text(pattern=pattern)))
    yield "minItems 100,000,000", plain, json.dumps(document(MANY_ITEMS))
    yield "minLength 100,000,000", plain, json.dumps(document(text(minLength=10**8)))
    yield "1,000 operations", json.dumps(document(text(), 1000)), json.dumps(document(text(minLength=1), 1000))
    yield "100,000 properties", plain, json.dumps(document(MANY_PROPERTIES))
    yield "100,000 enum values", plain, json.dumps(document(text(enum=[f"v{number}" for number in range(100_000)])))
    yield "10,000 levels", plain, nested(10_000)
    yield "aliases of YAML", plain, f"openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\n{ALIASES}\n"
    yield "a description of 50 MB", plain, json.dumps(document({"description": "a" * 50_000_000, **text()}))
