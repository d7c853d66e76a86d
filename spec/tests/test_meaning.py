"""One meaning under fingerprint and diff: rewrites that keep it change neither, and any edit of it changes both."""

import copy
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from bodydouble_spec import Contract, ContractError
from bodydouble_spec.diff import diff
from bodydouble_spec.meaning import identity
from bodydouble_spec.values import is_array, is_object
from hypothesis import given, settings
from hypothesis import strategies as st

# Thousands of examples by option: MEANING_EXAMPLES=5000 pytest spec/tests/test_meaning.py
EXAMPLES = int(os.environ.get("MEANING_EXAMPLES", "25"))
DONE: dict[str, Any] = {"200": {"description": "done"}}
Schema = dict[str, Any]


def load(document: dict[str, Any]) -> Contract:
    return Contract.load(document, overlay=None)


def random_schema(rng: random.Random, depth: int = 0) -> Schema:
    """Return a schema of OpenAPI 3.1 whose every keyword says something."""
    kind = rng.choice(["string", "integer", "enum", "object", "array", "ref", "any of"][: 4 if depth > 2 else 7])
    if kind == "string":
        limits: list[Schema] = [{}, {"maxLength": 9}, {"pattern": "^a"}, {"format": "date"}]
        return {"type": "string", **rng.choice(limits)}
    if kind == "integer":
        return {
            "type": rng.choice(["integer", ["integer", "null"]]),
            **rng.choice([{}, {"minimum": 2}, {"default": 3}]),
        }
    if kind == "enum":
        return {"type": "string", "enum": rng.sample(["a", "b", "c", "d"], rng.randrange(1, 4))}
    if kind == "ref":
        return {"$ref": f"#/components/schemas/{rng.choice('PQR')}"}
    if kind == "array":
        items = [random_schema(rng, depth + 1) for _ in range(2)]
        kinds: list[Schema] = [{"items": items[0]}, {"prefixItems": items}, {"minItems": 1}]
        return {"type": "array", **rng.choice(kinds)}
    if kind == "any of":
        branches = [
            {"type": "object", "properties": {n: random_schema(rng, depth + 1)}, "required": [n]} for n in "xyz"
        ]
        return {rng.choice(["oneOf", "anyOf"]): branches[: rng.randrange(2, 4)]}
    names = rng.sample(["a", "b", "c", "d"], rng.randrange(1, 4))
    properties = {name: random_schema(rng, depth + 1) for name in names}
    required = [name for name in names if rng.random() < 0.4]
    others: list[Schema] = [{}, {"additionalProperties": False}, {"additionalProperties": {"type": "string"}}]
    more = rng.choice(others)
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **more}


def random_document(rng: random.Random) -> dict[str, Any]:
    """Return a document with what an operation can have; its components refer to each other at random."""
    operation = {
        "parameters": [{"name": "q", "in": "query", "schema": random_schema(rng, 3)}],
        "requestBody": {"content": {"application/json": {"schema": random_schema(rng)}}},
        "responses": {"200": {"description": "d", "content": {"application/json": {"schema": random_schema(rng)}}}},
    }
    objects = {
        name: {"type": "object", "properties": {"n": random_schema(rng, 1), "m": random_schema(rng, 2)}}
        for name in "PQR"
    }
    securities: list[list[dict[str, list[str]]]] = [[{"key": []}], [{"key": []}, {}]]
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.example/{v}", "variables": {"v": {"default": "v1", "enum": ["v1", "v2"]}}}],
        "security": rng.choice(securities),
        "paths": {"/x/{id}": {"post": operation, "query": {"responses": DONE}}},
        "webhooks": {
            "w": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": random_schema(rng)}}},
                    "responses": DONE,
                }
            }
        },
        "components": {
            "schemas": objects,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        },
    }


def schemas_of(value: Any, *, is_schema: bool = False) -> list[tuple[Any, Any]]:
    """List the places of schemas: the container and the key."""
    found: list[tuple[Any, Any]] = []
    if is_array(value):
        for index, item in enumerate(value):
            found += ([(value, index)] if is_schema and is_object(item) else []) + schemas_of(item, is_schema=is_schema)
    elif is_object(value):
        for key, item in value.items():
            is_map = key in {"properties", "schemas"}
            if is_map and is_object(item):
                found += [(item, name) for name in item]
                for below in item.values():
                    found += schemas_of(below)
                continue
            below_is_schema = key in {"schema", "items", "additionalProperties"} and is_object(item)
            found += [(value, key)] if below_is_schema else []
            found += schemas_of(item, is_schema=key in {"anyOf", "oneOf", "allOf", "prefixItems"})
    return found


def _null_apart(schema: Schema, _: Any) -> Schema | None:
    types = schema.get("type")
    if not is_array(types) or "null" not in types or "default" in schema:
        return None
    return {"anyOf": [{**schema, "type": [name for name in types if name != "null"]}, {"type": "null"}]}


def _nullable(schema: Schema, _: Any) -> Schema | None:
    types = schema.get("type")
    return {**schema, "type": types[0], "nullable": True} if is_array(types) and types[1:] == ["null"] else None


def _constants(schema: Schema, _: Any) -> Schema | None:
    values = schema.get("enum")
    if not values or set(schema) != {"type", "enum"}:
        return None
    return (
        {"const": values[0]}
        if len(values) == 1
        else {"type": "string", "oneOf": [{"const": value} for value in values]}
    )


def _split(schema: Schema, _: Any) -> Schema | None:
    if schema.get("type") != "object" or "additionalProperties" in schema or len(schema.get("properties", {})) < 2:
        return None
    first, *rest = schema["properties"].items()
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"allOf": [{"type": "object", "properties": dict([first])}, {"properties": dict(rest), **required}]}


def _wrap(schema: Schema, rng: Any) -> Schema | None:
    return {rng.choice(["allOf", "anyOf", "oneOf"]): [schema], "description": "wrapped"}


def _shuffle(schema: Schema, rng: Any) -> Schema | None:
    result = dict(rng.sample(list(schema.items()), len(schema)))
    for key in {"enum", "oneOf", "anyOf", "required", "type"} & result.keys():
        if is_array(result[key]):
            result[key] = rng.sample(result[key], len(result[key]))
    return result


def _defaults(schema: Schema, _: Any) -> Schema | None:
    return {**schema, "uniqueItems": False, "minLength": 0, "deprecated": False, "title": "A title", "x-note": 1}


REWRITES: list[Callable[[Schema, Any], Schema | None]] = [
    _null_apart, _nullable, _constants, _split, _wrap, _shuffle, _defaults,
]  # fmt: skip


def rewritten(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a document that means the same, spelled in another way at random places."""
    result = copy.deepcopy(document)
    for container, key in rng.sample(places := schemas_of(result), min(6, len(places))):
        made = rng.choice(REWRITES)(container[key], rng)
        if made is not None:
            container[key] = made
    body = result["paths"]["/x/{id}"]["post"]["requestBody"]["content"]
    if rng.random() < 0.5:
        result["components"]["schemas"]["Named"] = body["application/json"]["schema"]
        body["application/json"] = {"schema": {"$ref": "#/components/schemas/Named"}}
    if rng.random() < 0.5:
        item = result["paths"]["/x/{id}"]
        item["parameters"] = item["post"].pop("parameters")
        item["post"]["security"] = result["security"]
        item["servers"] = result["servers"]
    return result


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.integers(min_value=0))
def test_a_rewrite_that_keeps_the_meaning_changes_neither_diff_nor_fingerprint(seed: int) -> None:
    rng = random.Random(seed)
    document = random_document(rng)
    old, new = load(document), load(rewritten(document, rng))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


def _edit(document: dict[str, Any], rng: random.Random) -> None:
    """Change the meaning of a document in one place that an operation leads to."""
    path = document["paths"]["/x/{id}"]
    body = path["post"]["requestBody"]["content"]["application/json"]
    edits: list[Callable[[], Any]] = [
        lambda: path.pop("query"),
        lambda: document["servers"][0]["variables"]["v"].update(default="v2"),
        lambda: document.update(security=[{}]),
        lambda: document["components"]["securitySchemes"]["key"].update(name="X-Token"),
        lambda: path["post"]["parameters"][0].update(required=True),
        lambda: body.update(schema={"type": "object", "properties": {"added": {}}, "allOf": [body["schema"]]}),
        lambda: path["post"]["responses"].update({"404": {"description": "e"}}),
        lambda: document["webhooks"]["w"]["post"]["requestBody"]["content"].update({"text/plain": {}}),
        lambda: document["webhooks"].pop("w"),
        lambda: path["post"]["responses"]["200"].update(links={"next": {"operationId": "a"}}),
    ]
    rng.choice(edits)()


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.integers(min_value=0))
def test_an_edit_of_the_meaning_is_a_change_and_another_fingerprint(seed: int) -> None:
    rng = random.Random(seed)
    document = random_document(rng)
    changed = copy.deepcopy(document)
    _edit(changed, rng)
    old, new = load(document), load(changed)
    assert diff(old, new)
    assert old.fingerprint != new.fingerprint


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.integers(min_value=0))
def test_diff_and_fingerprint_agree_about_any_two_documents(seed: int) -> None:
    rng = random.Random(seed)
    document = random_document(rng)
    changed = copy.deepcopy(document)
    container, key = rng.choice(schemas_of(changed))
    container[key] = random_schema(rng, 2)
    old, new = load(document), load(changed)
    assert (diff(old, new) == []) == (old.fingerprint == new.fingerprint)


def mutual(count: int, limit: int = 900) -> dict[str, Any]:
    """Return a document of components that all refer to each other."""
    links = {f"p{number}": {"$ref": f"#/components/schemas/A{number}"} for number in range(count)}
    schemas: dict[str, dict[str, Any]] = {
        f"A{number}": {"maxProperties": number + 1, "properties": links} for number in range(count)
    }
    schemas["A5"] = {"maxProperties": limit, "properties": links}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/A0"}}}
    operation = {"requestBody": {"content": content}, "responses": DONE}
    return {
        "openapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": operation}},
        "components": {"schemas": schemas},
    }


@pytest.mark.parametrize("count", [23, 60])
def test_a_change_among_mutual_components_is_one_change_by_the_shortest_way(count: int) -> None:
    assert diff(load(mutual(count)), load(mutual(count))) == []
    (change,) = diff(load(mutual(count)), load(mutual(count, 800)))
    assert change.message.startswith("the maximum number of properties of `p5` in the request")


def test_a_graph_that_cannot_be_told_apart_within_the_budget_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MAX_STEPS", 5000)
    count = 100
    schemas: dict[str, dict[str, Any]] = {
        f"A{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/A{(number + 1) % count}"}},
        }
        for number in range(count)
    }
    schemas["A0"]["maxProperties"] = 3
    document = mutual(6)
    document["components"]["schemas"] = schemas
    with pytest.raises(ContractError, match="not compared"):
        assert load(document).fingerprint
