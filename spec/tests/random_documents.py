"""Random documents of OpenAPI 3.1, and edits that change their meaning."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from bodydouble_spec.values import is_array, is_object

Schema = dict[str, Any]

DONE: dict[str, Any] = {"200": {"description": "done"}}
PATH = "/x/{id}"
COMPONENT = "#/components/schemas/"
NAMES = "PQR"
_SINGLE = {
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "schema", "then",
    "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip
_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAPS = {"dependentSchemas", "patternProperties", "properties", "schemas"}
_DATA = {"const", "default", "enum"}


def random_schema(rng: random.Random, depth: int = 0) -> Schema:
    """Return a schema whose every keyword says something."""
    leaves = (_text, _number, _choice, _reference)
    kinds = leaves if depth > 2 else (*leaves, _object, _object, _array, _alternatives, _condition, _together)
    return rng.choice(kinds)(rng, depth)


def _text(rng: random.Random, _: int) -> Schema:
    limits: list[Schema] = [
        {}, {"maxLength": 9}, {"minLength": 2}, {"pattern": "^a"}, {"format": "date"}, {"contentEncoding": "base64"},
        {"contentMediaType": "application/json", "contentSchema": random_schema(rng, 3)}, {"default": "a"},
    ]  # fmt: skip
    return {"type": rng.choice(["string", ["string", "null"], ["string", "integer"]]), **rng.choice(limits)}


def _number(rng: random.Random, _: int) -> Schema:
    limits: list[Schema] = [
        {}, {"minimum": 2}, {"maximum": 8}, {"exclusiveMinimum": 2}, {"exclusiveMaximum": 9, "minimum": 1}, {"multipleOf": 3},
        {"default": 3}, {"minimum": 2.5},
    ]  # fmt: skip
    return {"type": rng.choice(["integer", "number", ["integer", "null"]]), **rng.choice(limits)}


def _choice(rng: random.Random, _: int) -> Schema:
    kinds: list[Schema] = [
        {"type": "string", "enum": rng.sample(["a", "b", "c", "d"], rng.randrange(1, 4))},
        {"enum": rng.sample(["a", 1, None, True, 2.5], rng.randrange(1, 4))},
        {"const": rng.choice(["a", 0, False, [1], {"a": 1}])},
        {"type": "boolean"},
        {"type": "null"},
    ]
    return rng.choice(kinds)


def _reference(rng: random.Random, _: int) -> Schema:
    found: Schema = {"$ref": f"{COMPONENT}{rng.choice(NAMES)}"}
    more: list[Schema] = [{}, {}, {"minProperties": 2}, {"required": ["n"]}, {"default": {}}]
    return found | rng.choice(more)


def _object(rng: random.Random, depth: int) -> Schema:
    names = rng.sample(["a", "b", "c", "d"], rng.randrange(1, 4))
    properties: Schema = {name: random_schema(rng, depth + 1) for name in names}
    if rng.random() < 0.2:
        properties[names[0]] = properties[names[0]] | {rng.choice(["readOnly", "writeOnly"]): True}
    required = [name for name in [*names, "e"] if rng.random() < 0.3]
    more: list[Schema] = [
        {}, {}, {"additionalProperties": False}, {"additionalProperties": random_schema(rng, 3)}, {"maxProperties": 3},
        {"patternProperties": {"^x": random_schema(rng, 3)}}, {"propertyNames": {"maxLength": 4}}, {"dependentRequired": {"a": ["b"]}},
        {"dependentSchemas": {"a": {"required": ["c"]}}}, {"unevaluatedProperties": False}, {"minProperties": 1},
    ]  # fmt: skip
    required_names: Schema = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **required_names, **rng.choice(more)}


def _array(rng: random.Random, depth: int) -> Schema:
    items = [random_schema(rng, depth + 1) for _ in range(2)]
    kinds: list[Schema] = [
        {"items": items[0]}, {"prefixItems": items}, {"prefixItems": items[:1], "items": items[1]}, {"minItems": 1},
        {"prefixItems": items, "items": False}, {"contains": items[0]}, {"contains": items[0], "minContains": 2, "maxContains": 3},
        {"items": items[0], "uniqueItems": True}, {"prefixItems": items, "unevaluatedItems": False},
    ]  # fmt: skip
    return {"type": "array", **rng.choice(kinds)}


def _alternatives(rng: random.Random, depth: int) -> Schema:
    keyword = rng.choice(["oneOf", "anyOf"])
    kind = rng.randrange(4)
    if kind == 0:
        found = {"oneOf": [{"$ref": f"{COMPONENT}{name}"} for name in "PQ"]}
        return {**found, "discriminator": {"propertyName": "kind"}}
    if kind == 1:
        return {keyword: [random_schema(rng, depth + 1) for _ in range(rng.randrange(2, 4))]}
    if kind == 2:
        return {keyword: [random_schema(rng, depth + 1), {"type": "null"}]}
    branches: list[Schema] = [
        {"type": "object", "properties": {name: random_schema(rng, depth + 1)}, "required": [name]} for name in "xyz"
    ]
    return {keyword: branches[: rng.randrange(2, 4)]}


def _condition(rng: random.Random, depth: int) -> Schema:
    if rng.random() < 0.4:
        return {"type": ["string", "object"], "not": random_schema(rng, depth + 2)}
    branches = rng.choice([("then",), ("else",), ("then", "else")])
    condition = {"properties": {"a": {"const": 1}}, "required": ["a"]}
    return {"type": "object", "if": condition, **{name: random_schema(rng, depth + 1) for name in branches}}


def _together(rng: random.Random, depth: int) -> Schema:
    # Other names than those of the components, so that the parts do not contradict each other.
    properties = {name: random_schema(rng, depth + 1) for name in "fg"}
    required: list[Schema] = [{}, {"required": ["f"]}]
    first: Schema = {"type": "object", "properties": properties, **rng.choice(required)}
    return {"allOf": [first, _reference(rng, depth)]}


def random_document(rng: random.Random) -> dict[str, Any]:
    """Return a document with what an operation can have; its components refer to each other at random."""
    objects = {
        name: {"type": "object", "properties": {"n": random_schema(rng, 1), "m": random_schema(rng, 2)}}
        for name in NAMES
    }
    securities: list[Any] = [
        [{"key": []}], [{"key": []}, {}], [{"key": [], "login": ["read"]}], [{"login": ["read", "write"]}, {"key": []}],
    ]  # fmt: skip
    flows = {"clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {"read": "", "write": ""}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.example/{v}", "variables": {"v": {"default": "v1", "enum": ["v1", "v2"]}}}],
        "security": rng.choice(securities),
        "paths": {PATH: {"post": _operation(rng), "query": {"responses": DONE}}, "/y": {"get": _reading(rng)}},
        "webhooks": {"w": {"post": {"requestBody": _body(rng), "responses": DONE}}},
        "components": {
            "schemas": objects,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "login": {"type": "oauth2", "flows": flows},
            },
        },
    }


def _operation(rng: random.Random) -> dict[str, Any]:
    operation = {
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": random_schema(rng, 3)},
            {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            {"name": "f", "in": "query", "content": {"application/json": {"schema": random_schema(rng, 2)}}},
        ],
        "requestBody": _body(rng),
        "responses": _responses(rng),
    }
    if rng.random() < 0.5:
        callback = {"post": {"requestBody": _body(rng), "responses": DONE}}
        operation["callbacks"] = {"done": {"{$request.body#/url}": callback}}
    return operation


def _reading(rng: random.Random) -> dict[str, Any]:
    return {
        "operationId": "reading",
        "tags": ["a", "b"],
        "parameters": [{"name": "l", "in": "query", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}}],
        "responses": _responses(rng),
    }  # fmt: skip


def _body(rng: random.Random) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": random_schema(rng)}}
    if rng.random() < 0.4:
        form = {
            "type": "object",
            "properties": {"a": {"type": "object"}, "b": {"type": "array", "items": {"type": "string"}}},
        }
        encoding = {
            "a": {
                "contentType": rng.choice(["text/plain", "application/xml"]),
                "headers": {"X-A": {"schema": {"type": "string"}}},
            }
        }
        content["multipart/form-data"] = {"schema": form, "encoding": encoding}
    return {"required": rng.random() < 0.5, "content": content}


def _responses(rng: random.Random) -> dict[str, Any]:
    statuses = rng.choice([("200",), ("2XX", "404"), ("200", "default"), ("201", "4XX", "default")])
    return {
        status: {
            "description": "d",
            "headers": {"X-Left": {"schema": random_schema(rng, 3)}},
            "content": {"application/json": {"schema": random_schema(rng)}},
        }
        for status in statuses
    }


def schemas_of(value: Any) -> list[tuple[Any, Any]]:
    """List the places of schemas: the container and the key."""
    return [*_places(value)]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items() if is_object(value) else enumerate(value) if is_array(value) else ():
        if key in _DATA:
            continue
        if key in _SINGLE and is_object(item):
            yield value, key
        elif key in _MAPS and is_object(item):
            yield from ((item, name) for name, below in item.items() if is_object(below))
        elif key in _LISTS and is_array(item):
            yield from ((item, index) for index, below in enumerate(item) if is_object(below))
        yield from _places(item)


def edit(document: dict[str, Any], pair: tuple[Any, Any], rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two documents that differ in one place, which an operation leads to: in two schemas, or beside schemas."""
    if rng.random() < 0.5:
        changed = copy.deepcopy(document)
        rng.choice(_edits(changed))()
        return document, changed
    if rng.random() < 0.1:
        pair = {"type": "array", "prefixItems": list(pair)}, {"type": "array", "prefixItems": list(pair)[::-1]}
    context, place = rng.randrange(len(_CONTEXTS)), rng.randrange(4)
    found: list[dict[str, Any]] = []
    for schema in pair:
        side = copy.deepcopy(document)
        _put(side, place, _CONTEXTS[context](copy.deepcopy(schema)))
        found.append(side)
    return found[0], found[1]


# What a schema may stand in, so that its meaning matters.
_CONTEXTS: list[Callable[[Any], Schema]] = [
    lambda schema: {"type": "object", "properties": {"edited": schema}},
    lambda schema: {"type": "array", "items": schema},
    lambda schema: {"type": "array", "prefixItems": [{"type": "boolean"}, schema]},
    lambda schema: {"type": "object", "additionalProperties": schema},
    lambda schema: {"type": "object", "patternProperties": {"^e": schema}},
    lambda schema: {"type": "object", "properties": {"edited": schema, "more": {"$ref": f"{COMPONENT}P"}}},
    lambda schema: {"oneOf": [{"type": "boolean"}, {"type": "object", "required": ["e"], "properties": {"e": schema}}]},
    lambda schema: {"allOf": [{"$ref": f"{COMPONENT}Q"}, {"properties": {"edited": schema}}]},
    lambda schema: {"type": "string", "contentMediaType": "application/json", "contentSchema": {"properties": {"e": schema}}},
    lambda schema: {"type": "object", "dependentSchemas": {"a": {"properties": {"e": schema}}}},
    lambda schema: {"type": "object", "not": {"properties": {"e": schema}, "required": ["e"]}},
]  # fmt: skip


def _put(document: dict[str, Any], place: int, schema: Schema) -> None:
    content = {"application/json": {"schema": schema}}
    operation = document["paths"][PATH]["post"]
    body = {"content": content}
    if place == 0:
        operation["requestBody"] = body
    elif place == 1:
        operation["responses"]["418"] = {"description": "d", "content": content}
    elif place == 2:
        operation["callbacks"] = {"c": {"{$url}": {"post": {"requestBody": body, "responses": DONE}}}}
    else:
        document["webhooks"]["w"]["post"]["requestBody"] = body


def _edits(document: dict[str, Any]) -> list[Callable[[], Any]]:
    path = document["paths"][PATH]
    post, reading = path["post"], document["paths"]["/y"]["get"]
    form = {"schema": {"type": "object", "properties": {"a": {"type": "object"}}}}
    content = post["requestBody"]["content"]
    schemes = document["components"]["securitySchemes"]
    used = [name for way in document["security"] for name in way]
    return [
        lambda: path.pop("query"),
        lambda: path["query"].update(deprecated=True),
        lambda: document["servers"][0]["variables"]["v"].update(default="v2"),
        lambda: document["servers"].append({"url": "https://b.example"}),
        lambda: document.update(security=[{}]),
        lambda: document.update(
            security=[*document["security"], {}] if {} not in document["security"] else [{"key": []}]
        ),
        lambda: document.update(security=[*document["security"], {"key": [], "login": ["write"]}]),
        lambda: schemes[used[0]].update({"name": "X-Token"} if used[0] == "key" else {"type": "openIdConnect"}),
        lambda: post["parameters"][1].update(required=True),
        lambda: post["parameters"][1].update(name="other"),
        lambda: post["parameters"][3].update(content={"text/plain": {"schema": {"type": "string"}}}),
        lambda: reading["parameters"][0].update(explode=True),
        lambda: reading["parameters"][0].update(style="pipeDelimited"),
        lambda: post["responses"].update({"418": {"description": "e"}}),
        lambda: reading["responses"].update({"5XX": {"description": "e", "headers": {"X-A": {"schema": {}}}}}),
        lambda: content.update({"multipart/mixed": {**form, "encoding": {"a": {"contentType": "text/css"}}}}),
        lambda: document["webhooks"]["w"]["post"]["requestBody"]["content"].update({"text/plain": {}}),
        lambda: document["webhooks"].pop("w"),
        lambda: document["webhooks"]["w"].update(put={"responses": DONE}),
        lambda: post.update(callbacks={"other": {"{$url}": {"post": {"responses": DONE}}}}),
        lambda: reading["responses"].update({"418": {"description": "e", "links": {"next": {"operationId": "a"}}}}),
        lambda: reading.update(operationId="other"),
        lambda: reading["tags"].append("c"),
        lambda: reading.update(deprecated=True),
    ]
