"""Documents of any shape: each is served, or refused with one of our errors and a clear line."""

import asyncio
import copy
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import Settings, create_app
from bodydouble_spec import Contract, SpecError, is_array, is_object
from bodydouble_spec.vendored import published
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEYWORDS = [
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "default",
    "example",
    "examples",
    "nullable",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "format",
    "pattern",
    "patternProperties",
    "additionalProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$defs",
    "definitions",
    "dependencies",
    "contentSchema",
    "contentEncoding",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$vocabulary",
    "$schema",
    "$comment",
    "discriminator",
    "xml",
    "readOnly",
    "writeOnly",
    "deprecated",
    "title",
    "description",
    "x-sizes",
    "x-price",
    "x-note",
]
NAMES = [
    "openapi",
    "info",
    "paths",
    "components",
    "schemas",
    "securitySchemes",
    "security",
    "servers",
    "parameters",
    "requestBody",
    "responses",
    "content",
    "schema",
    "headers",
    "links",
    "callbacks",
    "get",
    "post",
    "put",
    "delete",
    "application/json",
    "200",
    "2XX",
    "default",
    "404",
    "/a",
    "/a/{b}",
    "/{",
    "{}",
    "url",
    "b64_json",
    "model",
    "prompt",
    "image_urls",
    "operationId",
    "name",
    "in",
    "required",
]
REFERENCES = [
    "#", "#/", "#/paths", "#/info", "#/components/schemas", "#/components/schemas/A", "#/components/schemas/B", "#/~2", "#%",
    "#/paths/~1v1~1images~1generations", "other.json#/A", "http://[", "", "#/paths/~1v1~1images~1generations/post/responses/200",
    "#/paths/~1v1~1images~1generations/post/requestBody/content/application~1json/schema",
]  # fmt: skip
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**40, -(10**400), 2**63, 2**64, 1e308, 1e-320, -0.0, 0, float("inf"), float("nan")]),
    st.floats(),
    st.text(),
    st.sampled_from(
        ["object", "array", "string", "integer", "null", "[", "(?<a", "\ud800", "a" * 5000, *KEYWORDS, *REFERENCES]
    ),
)
KEYS = st.sampled_from([*KEYWORDS, *NAMES]) | st.text(max_size=5)


def link(target: Any) -> Any:
    return {"$ref": target}


LINKS: st.SearchStrategy[Any] = (st.sampled_from(REFERENCES) | SCALARS).map(link)


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


def schema_of(keyword: str, kind: str, one: Any, two: Any) -> Any:
    if keyword == "properties":
        return {"type": kind, keyword: {"url": one, "a": two}}
    return {"type": kind, keyword: [one, two] if keyword.endswith("Of") else one}


def typed(kind: str, more: dict[str, Any]) -> Any:
    return {"type": kind, **more}


GARBAGE: st.SearchStrategy[Any] = st.recursive(SCALARS | LINKS, deeper, max_leaves=12)
KINDS = st.sampled_from(["object", "array", "string", "integer", "number"])
APPLICATORS = st.sampled_from(["properties", "items", "allOf", "anyOf", "oneOf", "not", "additionalProperties"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(schema_of, APPLICATORS, KINDS, inner, inner)


KEYWORD_VALUES = st.dictionaries(st.sampled_from(KEYWORDS), GARBAGE, max_size=2)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.builds(typed, KINDS, KEYWORD_VALUES) | LINKS, schemas, max_leaves=6)


def nested(value: Any, depth: int, key: str) -> Any:
    for _ in range(depth):
        value = [value] if not key else {key: value}
    return value


DEEP = st.builds(nested, GARBAGE, st.integers(50, 3000), st.sampled_from(["", "items", "properties", "allOf", "a"]))


def places(value: Any) -> list[Any]:
    """Return every object and array, the outermost first."""
    found = [value]
    for item in found:
        found += [
            child for child in (item.values() if is_object(item) else item) if is_object(child) or is_array(child)
        ]
    return found


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """Draw the vendored document with garbage at a few of its places."""
    document: Any = copy.deepcopy(published())
    document["openapi"] = draw(st.sampled_from(["3.0.0", "3.1.0"]))
    document["components"]["schemas"] = {"A": draw(SCHEMAS | GARBAGE), "B": draw(SCHEMAS | GARBAGE)}
    operation = document["paths"]["/v1/images/generations"]["post"]
    if draw(st.booleans()):
        operation["responses"]["200"]["content"] = {"application/json": {"schema": draw(SCHEMAS)}}
    if draw(st.booleans()):
        operation["requestBody"]["content"] = {"application/json": {"schema": draw(SCHEMAS)}}
    for _ in range(draw(st.integers(1, 4))):
        container = draw(st.sampled_from(places(document)))
        garbage = draw(GARBAGE | SCHEMAS | (DEEP if draw(st.integers(0, 20)) == 0 else GARBAGE))
        if is_array(container):
            container.insert(draw(st.integers(0, len(container))), garbage)
        else:
            keys = [*map(str, container)]
            container[draw(st.sampled_from(keys) | KEYS if keys else KEYS)] = garbage
    return document


async def answers(contract: Contract) -> list[int]:
    """Return the status of a call of each operation of a mock that serves the contract; nothing where it is refused at start-up."""
    try:
        app = create_app(contract, Settings(seed=1, log=False))
    except ValueError as error:
        if "correct the contract there" not in str(error):
            raise
        return []
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    statuses: list[int] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for operation in contract.operations:
            path = "".join(letter if letter.isalnum() or letter in "/-_" else "x" for letter in operation.path)
            headers = {"authorization": "Bearer a", "prefer": f"code={operation.success_status}"}
            answer = await client.request(operation.method, path, json={}, headers=headers)
            statuses.append(answer.status_code)
            for body in (
                {},
                {
                    "model": "google/gemini-2.5-flash-image-edit",
                    "prompt": "a",
                    "image_urls": ["https://a.example/a.png"],
                },
            ):
                answer = await client.request(operation.method, path, json=body, headers={"authorization": "Bearer a"})
                statuses.append(answer.status_code)
        assert (await client.get("/_bodydouble/violations")).status_code == 200
        statuses.append((await client.get("/v1/models")).status_code)
    return statuses


def use(document: Any) -> None:
    """Load a document, use each of its schemas, and serve it."""
    try:
        contract = Contract.load(document)
    except SpecError:
        return
    assert len(contract.fingerprint) == 64
    assert isinstance(contract.unusable, tuple)
    for operation in contract.operations:
        for value in (None, {}, {"a": [1]}, "text"):
            operation.validate_request(value)
            for status in operation.responses:
                if status.isdigit():
                    operation.validate_response(int(status), "application/json", value)
    if contract.operations:
        assert [status for status in asyncio.run(answers(contract)) if status >= 500] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents())
def test_a_document_with_garbage_is_served_or_refused(document: Any) -> None:
    use(document)


@pytest.mark.parametrize("keyword", ["const", "maximum"])
def test_a_refusal_by_a_number_beyond_64_bits_can_be_written(keyword: str) -> None:
    document = published()
    content = document["paths"]["/v1/images/generations"]["post"]["requestBody"]["content"]
    value = 2**64 if keyword == "const" else -(2**64)
    content["application/json"]["schema"] = {"type": "object", "properties": {"prompt": {keyword: value}}}
    document["paths"]["/v1/images/generations"]["post"]["security"] = []
    app = create_app(Contract.load(document), Settings(require_key=False))
    transport = httpx.ASGITransport(app)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/v1/images/generations", json={"prompt": 1})

    assert asyncio.run(ask()).status_code == 400
