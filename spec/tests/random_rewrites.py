"""Rewrites of random documents that keep their meaning: of a schema, and of what stands beside schemas."""

import copy
import random
from collections.abc import Callable
from typing import Any

from bodydouble_spec.values import is_array, is_object

from spec.tests.random_documents import COMPONENT, NAMES, PATH, Schema, schemas_of

Rewrite = Callable[[Schema, random.Random], Schema | None]

# They say something only of the whole.
_NOTES = {"default", "readOnly", "writeOnly"}


def _null_apart(schema: Schema, _: random.Random) -> Schema | None:
    types = schema.get("type")
    if not is_array(types) or "null" not in types or _NOTES & schema.keys():
        return None
    return {"anyOf": [{**schema, "type": [name for name in types if name != "null"]}, {"type": "null"}]}


def _nullable(schema: Schema, _: random.Random) -> Schema | None:
    types = schema.get("type")
    return {**schema, "type": types[0], "nullable": True} if is_array(types) and types[1:] == ["null"] else None


def _constants(schema: Schema, _: random.Random) -> Schema | None:
    values = schema.get("enum")
    if not values or not schema.keys() <= {"type", "enum"}:
        return None
    if len(values) == 1:
        return {"const": values[0]}
    return {**({"type": schema["type"]} if "type" in schema else {}), "oneOf": [{"const": value} for value in values]}


def _split(schema: Schema, _: random.Random) -> Schema | None:
    closing = {"additionalProperties", "unevaluatedProperties", "patternProperties"}
    if schema.get("type") != "object" or closing & schema.keys() or len(schema.get("properties", {})) < 2:
        return None
    first, *rest = schema["properties"].items()
    others = {key: value for key, value in schema.items() if key not in {"type", "properties"}}
    return {"allOf": [{"type": "object", "properties": dict([first])}, {"properties": dict(rest), **others}]}


def _wrap(schema: Schema, rng: random.Random) -> Schema | None:
    return {rng.choice(["allOf", "anyOf", "oneOf"]): [schema], "description": "wrapped"}


def _shuffle(schema: Schema, rng: random.Random) -> Schema | None:
    result = dict(rng.sample(list(schema.items()), len(schema)))
    for key in {"enum", "oneOf", "anyOf", "allOf", "required", "type"} & result.keys():
        if is_array(result[key]):
            result[key] = rng.sample(result[key], len(result[key]))
    return result


def _defaults(schema: Schema, _: random.Random) -> Schema | None:
    more = {"uniqueItems": False, "minLength": 0, "deprecated": False, "title": "A title", "x-note": 1}
    return {**more, **schema}


def _whole_bounds(schema: Schema, _: random.Random) -> Schema | None:
    if schema.get("type") != "integer" or not isinstance(schema.get("minimum"), int):
        return None
    return {key: value for key, value in schema.items() if key != "minimum"} | {
        "exclusiveMinimum": schema["minimum"] - 1
    }


def _as_number(schema: Schema, _: random.Random) -> Schema | None:
    bounds = {key: float(value) for key, value in schema.items() if key in {"minimum", "maximum", "maxLength"}}
    return {**schema, **bounds} if bounds else None


def _types_apart(schema: Schema, _: random.Random) -> Schema | None:
    types = schema.get("type")
    if types != ["string", "integer"] or _NOTES & schema.keys():
        return None
    texts = {key: value for key, value in schema.items() if key != "type"}
    return {"anyOf": [{"type": "integer"}, {"type": "string", **texts}]}


def _bytes(schema: Schema, _: random.Random) -> Schema | None:
    if schema.get("contentEncoding") != "base64":
        return None
    return {key: value for key, value in schema.items() if key != "contentEncoding"} | {"format": "byte"}


def _sibling(schema: Schema, _: random.Random) -> Schema | None:
    """Put what stands beside a reference into ``allOf``, or the parts of ``allOf`` beside their reference."""
    if "$ref" in schema and len(schema) > 1:
        others = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [others, {"$ref": schema["$ref"]}]}
    parts = schema.get("allOf", [])
    if schema.keys() != {"allOf"} or len(parts) != 2 or parts[1].keys() != {"$ref"} or "$ref" in parts[0]:
        return None
    return {**parts[0], **parts[1]}


def _again(schema: Schema, rng: random.Random) -> Schema | None:
    """Write one of several alternatives again, spelled in another way."""
    branches = schema.get("anyOf")
    if not is_array(branches) or is_mapped(branches):
        return None
    branch = rng.choice(branches)
    made = rng.choice([_null_apart, _constants, _split, _defaults, _sibling, _wrap])(branch, rng) or dict(branch)
    return {**schema, "anyOf": rng.sample([*branches, made], len(branches) + 1)}


REWRITES: list[Rewrite] = [
    _null_apart, _nullable, _constants, _split, _wrap, _shuffle, _defaults, _whole_bounds, _as_number, _types_apart, _bytes, _sibling, _again,
]  # fmt: skip


def rewritten(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a document that means the same, spelled in another way at random places."""
    result = copy.deepcopy(document)
    for _ in range(6):
        container, key = rng.choice(schemas_of(result))
        made = None if is_mapped(container) else rng.choice(REWRITES)(container[key], rng)
        if made is not None:
            container[key] = made
    for index in range(3):
        rng.choice((_named, _written_out, _twin))(result, rng, f"Named{index}")
    for rewrite in (
        _moved_up, _referred, _renamed_scheme, _respelled_names, _said_twice, _stated_defaults, _hidden_required, _respelled_servers,
    ):  # fmt: skip
        if rng.random() < 0.4:
            rewrite(result)
    _doubled(result, rng)
    return result


def _doubled(document: dict[str, Any], rng: random.Random) -> None:
    """Write a schema as two alternatives, spelled in two ways."""
    places = [(one, key) for one, key in schemas_of(document) if is_object(one) and not _NOTES & one[key].keys()]
    holder, key = rng.choice(places)
    respell = rng.choice([_null_apart, _constants, _split, _defaults, _sibling, _wrap, _types_apart])
    holder[key] = {"anyOf": [holder[key], respell(holder[key], rng) or copy.deepcopy(holder[key])]}


def shuffled(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with the keys of its objects in another order."""
    if is_object(value):
        return {key: shuffled(value[key], rng) for key in rng.sample([*value], len(value))}
    return [shuffled(item, rng) for item in value] if is_array(value) else value


def _named(document: dict[str, Any], rng: random.Random, name: str) -> None:
    schemas = document["components"]["schemas"]
    container, key = rng.choice(schemas_of(document))
    if container is not schemas and not is_mapped(container):
        schemas[name] = container[key]
        container[key] = {"$ref": f"{COMPONENT}{name}"}


def is_mapped(container: Any) -> bool:
    """Tell if these are the alternatives of a discriminator, which takes its values from the names of their references."""
    return is_array(container) and all(item.get("$ref", "")[:-1] == COMPONENT for item in container)


def _written_out(document: dict[str, Any], rng: random.Random, _: str) -> None:
    places = schemas_of(document)
    references = [(one, key) for one, key in places if one[key].keys() == {"$ref"} and not is_mapped(one)]
    if references:
        container, key = rng.choice(references)
        name = container[key]["$ref"].removeprefix(COMPONENT)
        container[key] = copy.deepcopy(document["components"]["schemas"][name])


def _twin(document: dict[str, Any], rng: random.Random, name: str) -> None:
    """Copy a component under another name, and let some references lead to the copy."""
    schemas = document["components"]["schemas"]
    original = rng.choice(NAMES)
    schemas[name] = copy.deepcopy(schemas[original])
    for container, key in schemas_of(document):
        if container[key].get("$ref") == COMPONENT + original and not is_mapped(container) and rng.random() < 0.5:
            container[key]["$ref"] = COMPONENT + name


def _stated_defaults(document: dict[str, Any]) -> None:
    """Write what holds anyway."""
    post = document["paths"][PATH]["post"]
    post["deprecated"] = False
    for parameter in post.get("parameters", []):
        if parameter["in"] == "query" and "schema" in parameter:
            parameter |= {
                "style": "form",
                "explode": True,
                "required": False,
                "allowEmptyValue": False,
                "allowReserved": False,
            }
    form = post["requestBody"].get("content", {}).get("multipart/form-data")
    if form is not None:
        form["encoding"]["b"] = {"contentType": "text/plain"}


def _hidden_required(document: dict[str, Any]) -> None:
    """Require the properties that a message of this direction does not have."""
    post = document["paths"][PATH]["post"]
    contents = [("readOnly", post["requestBody"]), *(("writeOnly", item) for item in post["responses"].values())]
    for keyword, holder in contents:
        schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
        hidden = [name for name, item in schema.get("properties", {}).items() if item.get(keyword) is True]
        if hidden:
            schema["required"] = list(dict.fromkeys([*schema.get("required", []), *hidden]))


def _respelled_servers(document: dict[str, Any]) -> None:
    servers = document["servers"]
    servers[0]["url"] = servers[0]["url"].replace("https://a.example", "HTTPS://A.Example:443") + "/"
    document["paths"]["/y"]["get"]["servers"] = copy.deepcopy(servers)
    document["paths"]["/y"]["get"]["security"] = document["security"]


def _moved_up(document: dict[str, Any]) -> None:
    """Give the path what its operation says, and the operation what the document says."""
    item = document["paths"][PATH]
    item["parameters"] = item["post"].pop("parameters")
    item["post"]["security"] = document["security"]
    item["servers"] = document["servers"]


def _referred(document: dict[str, Any]) -> None:
    post, components = document["paths"][PATH]["post"], document["components"]
    components["requestBodies"] = {"B": post["requestBody"]}
    post["requestBody"] = {"$ref": "#/components/requestBodies/B"}
    components["responses"] = {"S" + status: item for status, item in post["responses"].items()}
    post["responses"] = {status: {"$ref": f"#/components/responses/S{status}"} for status in post["responses"]}
    components["pathItems"] = {"W": document["webhooks"]["w"]}
    document["webhooks"] = {"w": {"$ref": "#/components/pathItems/W"}}


def _renamed_scheme(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    schemes["other"] = schemes.pop("key")
    operation = document["paths"][PATH]["post"]
    for holder in (document, operation):
        if "security" in holder:
            holder["security"] = [
                {("other" if name == "key" else name): scopes for name, scopes in way.items()}
                for way in holder["security"]
            ]


def _respelled_names(document: dict[str, Any]) -> None:
    reading = document["paths"]["/y"]["get"]
    for response in reading["responses"].values():
        response["content"] = {"Application/JSON; charset=UTF-8": response["content"]["application/json"]}
        response["headers"] = {"x-left": response["headers"]["X-Left"]}
    reading["parameters"][0]["style"] = "form"
    reading["tags"] = reading["tags"][::-1]


def _said_twice(document: dict[str, Any]) -> None:
    """Write an answer that the range or the default says already."""
    responses = document["paths"]["/y"]["get"]["responses"]
    for wide, status in (("2XX", "200"), ("4XX", "404"), ("default", "500")):
        if wide in responses:
            responses[status] = copy.deepcopy(responses[wide])
    document["servers"] = [*document["servers"], *document["servers"]]
