"""Documents of any shape: each is served, or refused with one of our errors and a clear line."""

import asyncio
import copy
import re
from pathlib import Path
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


# As scalars and keys of YAML: other types than in JSON, texts that YAML 1.1 reads as other types, tags, and anchors.
ODD_YAML = [
    "200", "0o17", "0x1F", "1e400", ".inf", ".nan", "1_000", "12:30:00", "2026-01-31", "2026-01-31T12:00:00Z", "on", "off", "yes", "No", "true", "~",
    "null", "''", '"\\ud800"', '"\\0"', "[]", "{}", "[a, 1]", "{a: {1: b}}", "? [x]\n", "&a [*a]", "&b {c: *b}", "*missing", "!!binary aGk=", "!!set {a, b}",
    "!!timestamp 2026-01-31", "!custom x", "!!python/object:os.system x", "<<", "|\n  a", "99999999999999999999999999", "1" * 5000, "\t", "%", "@a", "`",
    "é", "\u2028", "\ufeff", "- a", "#", "---", "...",
]  # fmt: skip
KEYED_BY_NUMBERS = """
openapi: 3.1.0
info: {title: on, version: 1.0}
paths:
  /v1/images/generations:
    post:
      responses:
        200:
          description: yes
          content:
            application/json:
              schema:
                type: object
                properties: {on: {type: boolean}, 1: {type: integer}, null: {type: string}, 2026-01-31: {enum: [2026-01-31, ~, on]}}
                required: [on, 1, null, 2026-01-31]
        4XX: {description: no}
components:
  schemas: {}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a file to write."""
    return tmp_path_factory.mktemp("yaml") / "document.yaml"


@st.composite
def yaml_texts(draw: st.DrawFn) -> str:
    """Draw a document in YAML in which a few tokens are replaced by odd ones."""
    tokens = re.split(r"([A-Za-z0-9./-]+)", KEYED_BY_NUMBERS)
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(tokens) - 1))
        tokens[index] = draw(st.sampled_from(ODD_YAML) | st.text(max_size=3))
    return "".join(tokens)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=yaml_texts())
def test_a_document_in_odd_yaml_is_served_or_refused(text: str, file: Path) -> None:
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    use(file)


def test_keys_of_yaml_that_are_no_texts_are_read_as_written(file: Path) -> None:
    file.write_text(KEYED_BY_NUMBERS, encoding="utf-8")
    contract = Contract.load(file)
    operation = contract.operation()
    assert [*operation.responses] == ["200", "4XX"]
    body = {"on": True, "1": 1, "null": "a", "2026-01-31": "on"}
    assert operation.validate_response(200, "application/json", body, strict=False) == []
    assert [status for status in asyncio.run(answers(contract)) if status >= 500] == []


ELSEWHERE: list[Any] = [
    {"type": 5}, {"required": 5}, {"enum": 5}, {"allOf": 3}, {"properties": []}, {"type": ["string", 7]}, {"$ref": 5}, {"$ref": "#/x-parts/A"},
    {"$ref": "#/x-parts/B", "required": 7}, 5, [], "text",
]  # fmt: skip


@pytest.mark.parametrize("part", ELSEWHERE, ids=str)
@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_a_reference_to_garbage_outside_of_the_components_is_served(part: Any, version: str) -> None:
    document = published()
    media = document["paths"]["/v1/images/generations"]["post"]["responses"]["200"]["content"]["application/json"]
    media["schema"] = {"$ref": "#/x-parts/A"}
    document |= {"openapi": version, "x-parts": {"A": part, "B": {"type": "object"}}}
    use(document)
    if part == {"type": 5}:
        assert [item.id for item in Contract.load(document).findings if "x-parts" in item.pointer] == [
            "schema-type-unknown"
        ]
