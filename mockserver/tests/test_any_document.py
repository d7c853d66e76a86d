"""Any document is the contract: whatever it says, the answers conform to it by python's jsonschema, which the mock does not use."""

import copy
import io
import json
import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.answer.sample import sample
from bodydouble_spec import Contract, Operation, Severity, vendored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker

Call = Callable[..., httpx.Response]
Schemas = st.SearchStrategy[dict[str, Any]]

PATH = "/v1/images/generations"
CHECKER = copy.copy(oas30_format_checker)
# The checker's own `time` is that of JSON Schema's third draft, which knows no time zone; RFC 3339 requires one.
RFC_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
CHECKER.checkers = {
    **oas30_format_checker.checkers,
    "time": (lambda value: not isinstance(value, str) or bool(RFC_TIME.fullmatch(value)), ()),
}
STRUCTURES = sorted((Path(__file__).parent / "data" / "catalogue").glob("*.json"))
SHARED = Path(__file__).parents[3] / "shared" / "data"
BREADTH = [*sorted((SHARED / "catalogue").glob("*.json")), *sorted((SHARED / "drift" / "docs").glob("*.json"))]

FORMATS = [
    "date-time",
    "date",
    "uuid",
    "uri",
    "email",
    "hostname",
    "byte",
    "binary",
    "ipv4",
    "ipv6",
    "time",
    "duration",
    "uri-reference",
]
PATTERNS = [
    "^https://cdn\\.example\\.org/.+\\.png$",
    "^[A-Z]{3}-\\d{4}$",
    "^(low|high)$",
    "^\\S+$",
    "x",
    "^.{40,}$",
    "^(?=.*[0-9])[a-z0-9]+$",
]


def schema(required: dict[str, Any], **optional: st.SearchStrategy[Any]) -> Schemas:
    return st.fixed_dictionaries({name: st.just(value) for name, value in required.items()}, optional=optional)


NULLABLE = st.booleans()
STRINGS: Schemas = st.one_of(
    schema({"type": "string"}, nullable=NULLABLE, format=st.sampled_from(FORMATS)),
    schema({"type": "string"}, nullable=NULLABLE, pattern=st.sampled_from(PATTERNS)),
    schema({"type": "string"}, minLength=st.integers(0, 200), maxLength=st.integers(200, 300)),
    schema({"type": "string", "maxLength": 3}),
    schema(
        {"type": "string"},
        enum=st.lists(st.sampled_from(["queued", "failed", "completed", "auto"]), min_size=1, unique=True),
    ),
)
NUMBERS: Schemas = st.one_of(
    schema({"type": "integer"}, minimum=st.integers(-9, 9), maximum=st.integers(9, 99), exclusiveMinimum=st.booleans()),
    schema({"type": "number"}, minimum=st.floats(-9, 8), maximum=st.floats(9, 99), exclusiveMaximum=st.booleans()),
    schema({"type": "integer"}, multipleOf=st.integers(1, 7), minimum=st.integers(0, 100)),
    schema({"type": "integer", "format": "int64"}, minimum=st.integers(-(2**63), 2**63 - 1)),
    schema({"type": "integer"}, minimum=st.integers(2**62, 2**70), maximum=st.integers(2**70, 2**80)),
    schema({"type": "number", "maximum": 1}),
)
LEAVES: Schemas = st.one_of(STRINGS, NUMBERS, schema({"type": "boolean"}), schema({}))
NAMES = st.sampled_from(
    [
        "url",
        "b64_json",
        "status",
        "error",
        "errors",
        "model",
        "prompt",
        "id",
        "seed",
        "audio_url",
        "video",
        "credits_used",
        "aspect_ratio",
        "text",
    ]
)


@st.composite
def objects(draw: st.DrawFn, inner: Schemas) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, inner, max_size=4))
    result: dict[str, Any] = {"type": "object", "properties": properties, "nullable": draw(NULLABLE)}
    required = draw(st.lists(st.sampled_from([*properties]), unique=True)) if properties else []
    others = draw(st.sampled_from([None, False, True, {"type": "integer"}]))
    return (
        result
        | ({"required": required} if required else {})
        | ({} if others is None else {"additionalProperties": others})
    )


def _choice(one: dict[str, Any], other: dict[str, Any], word: str) -> dict[str, Any]:
    objects_with_a = {"type": "object", "properties": {"a": one}, "required": ["a"]}
    return {word: [{"type": "integer", "minimum": 5}, objects_with_a, {"type": "array", "items": other}]}


def _both(one: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"type": "object", "properties": {"url": one}}, {"type": "object", "required": ["url"]}]}


SECURITIES: list[list[dict[str, list[str]]]] = [[], [{}], [{"access-token": []}]]


def containers(inner: Schemas) -> Schemas:
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={
            "minItems": st.integers(0, 3) | st.just(40),
            "maxItems": st.integers(40, 41) | st.just(300),
            "nullable": NULLABLE,
        },
    )
    unique = schema({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, minItems=st.integers(0, 4))
    choice = st.builds(_choice, inner, inner, st.sampled_from(["anyOf", "oneOf"]))
    both = st.builds(_both, inner)
    return st.one_of(objects(inner), lists, unique, choice, both)


SCHEMAS = st.recursive(LEAVES, containers, max_leaves=8)
PROBLEMS: Schemas = objects(st.one_of(STRINGS, NUMBERS)) | st.just({"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}}})  # fmt: skip


def places(value: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return each place of a subschema in a schema: the object that holds it and its key."""
    found: list[tuple[dict[str, Any], str]] = []
    for name, item in value.get("properties", {}).items():
        found += [(value["properties"], name), *places(item)]
    return found + ([(value, "items"), *places(value["items"])] if "items" in value else [])


def change(draw: st.DrawFn, document: dict[str, Any], holder: dict[str, Any], key: str) -> None:
    """Change the schema at one place."""
    present = holder[key]
    match draw(st.sampled_from(["replace", "leaf", "nest", "wrap", "require", "add", "refer"])):
        case "replace":
            holder[key] = draw(SCHEMAS)
        case "leaf":
            holder[key] = draw(LEAVES)
        case "nest":
            holder[key] = {"type": "object", "properties": {"result": present}, "required": ["result"]}
        case "wrap":
            holder[key] = {"type": "array", "items": present, "minItems": draw(st.integers(0, 3))}
        case "require" if present.get("properties"):
            present["required"] = [*present["properties"]]
        case "add" if "properties" in present:
            present["properties"][draw(NAMES)] = draw(SCHEMAS)
        case _:
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            name = f"Part{len(schemas)}"
            schemas[name] = present
            holder[key] = {"$ref": f"#/components/schemas/{name}"}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return the vendored document with some of its structure changed; a value that conforms exists for each schema of an answer."""
    document = copy.deepcopy(vendored.published())
    document["openapi"] = "3.0.3"
    (item,) = document["paths"].values()
    post = item["post"]
    media = post["responses"]["200"]["content"]["application/json"]
    for _ in range(draw(st.integers(1, 4))):
        change(draw, document, *draw(st.sampled_from([(media, "schema"), *places(media["schema"])])))
    success = post["responses"].pop("200")
    post["responses"][draw(st.sampled_from(["200", "201", "202", "2XX", "302", "default"]))] = {
        "description": "",
        **success,
    }
    for status in draw(st.lists(st.sampled_from(["400", "401", "422", "4XX", "5XX"]), unique=True)):
        post["responses"][status] = {"description": "", "content": {"application/json": {"schema": draw(PROBLEMS)}}}
    properties = post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    for name in draw(st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=3)):
        properties[name] = draw(LEAVES)
    if draw(st.booleans()):
        post["security"] = draw(st.sampled_from(SECURITIES))
        document.setdefault("components", {})["securitySchemes"] = {
            "access-token": {"type": "http", "scheme": "bearer"}
        }
    return document


def resolved(document: dict[str, Any], status: int) -> dict[str, Any] | None:
    """Return the documented schema of a status in the document as published, with the components beside it; None where it has none."""
    (item,) = document["paths"].values()
    responses = item["post"]["responses"]
    key = next((key for key in (str(status), f"{status // 100}XX", "default") if key in responses), None)
    if key is None:
        return None
    return {**responses[key]["content"]["application/json"]["schema"], "components": document.get("components", {})}


def complaints(document: dict[str, Any], answer: httpx.Response) -> list[str]:
    documented = resolved(document, answer.status_code)
    if documented is None:
        return []
    validator = OAS30Validator(documented, format_checker=CHECKER)
    return [error.message for error in validator.iter_errors(answer.json())]


def valid_request(operation: Operation) -> Any:
    return {} if operation.request is None else sample(operation.request)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(document=documents(), is_vendors=st.booleans())
def test_every_answer_conforms_to_the_document_that_is_served(
    document: dict[str, Any], is_vendors: bool, call: Call
) -> None:
    if not is_vendors:
        document["servers"] = [{"url": "https://api.example.org"}]
    mock = create_app(Contract.load(document, overlay=is_vendors))
    operation = mock.contract.operation()
    body = valid_request(operation)
    answer = call(mock, json=body)
    assert answer.status_code == operation.success_status, answer.text
    assert resolved(document, answer.status_code) is not None
    assert complaints(document, answer) == []
    for refused in (
        call(mock, json=body, key=None),
        call(mock, json=[]),
        call(mock, content=b"{"),
        call(mock, json=body, headers={"prefer": "code=503"}),
    ):
        assert refused.status_code < 500 or refused.status_code == 503
        assert complaints(document, refused) == []


def answer_of(mock: MockServer, operation: Operation, call: Call) -> httpx.Response:
    path = operation.path.replace("{", "").replace("}", "")
    content = b"" if operation.request is None else json.dumps(valid_request(operation)).encode()
    sent: dict[str, dict[str, str]] = {"query": {}, "header": {}, "cookie": {}, "path": {}}
    for item in operation.inputs:
        if item.is_required and item.validator is not None:
            sent[item.location][item.name] = str(sample(item.validator))
    query, headers = sent["query"], sent["header"]
    headers["content-type"] = "application/json"
    return call(mock, path, method=operation.method, content=content, params=query, headers=headers)


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in [*STRUCTURES, *BREADTH]])
def test_every_operation_of_the_catalogue_is_answered_by_its_contract(file: Path, call: Call) -> None:
    contract = Contract.load(file)
    if not contract.operations:
        pytest.skip("the document has no operation")
    mock = create_app(contract)
    for operation in contract.operations:
        answer = answer_of(mock, operation, call)
        assert answer.is_success, (operation.key, answer.text)
        found = operation.validate_response(answer.status_code, answer.headers.get("content-type", ""), answer.content)
        assert [finding for finding in found if finding.severity is not Severity.INFO] == []


def test_forty_documents_of_the_catalogue_are_here() -> None:
    assert len(STRUCTURES) == 40
    assert all("description" not in json.loads(file.read_text("utf-8")).get("info", {}) for file in STRUCTURES)


OBJECT = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}


REQUEST = {
    "type": "object",
    "required": ["prompt"],
    "properties": {"prompt": {"type": "string"}, "model": {"type": "string"}},
}


def contract_of(responses: dict[str, Any], **operation: Any) -> Contract:
    post = {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": REQUEST}},
        },
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
            **responses,
        },
        **operation,
    }
    servers = [{"url": "https://api.example.org"}]
    info = {"title": "An API", "version": "1"}
    return Contract.load({"openapi": "3.0.3", "info": info, "servers": servers, "paths": {"/things": {"post": post}}})


def documented(media_type: str = "application/json", schema: dict[str, Any] = OBJECT) -> dict[str, Any]:
    return {"description": "", "content": {media_type: {"schema": schema}}}


@pytest.mark.parametrize(
    ("responses", "status", "media_type", "names"),
    [
        pytest.param(
            {}, 400, "application/problem+json", {"type", "title", "status", "detail", "instance", "errors"}, id="open"
        ),
        pytest.param({"400": documented()}, 400, "application/json", {"code"}, id="exact"),
        pytest.param({"4XX": documented()}, 400, "application/json", {"code"}, id="range"),
        pytest.param(
            {"default": documented("application/vnd.api+json")}, 400, "application/vnd.api+json", {"code"}, id="default"
        ),
        pytest.param({"422": documented()}, 422, "application/json", {"code"}, id="another status"),
    ],
)
def test_a_refusal_is_that_of_the_contract(
    responses: dict[str, Any], status: int, media_type: str, names: set[str], call: Call
) -> None:
    answer = call(create_app(contract_of(responses)), "/things", json={})
    assert answer.status_code == status
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.json().keys() == names


KEYS: list[tuple[list[dict[str, list[str]]], int]] = [([], 200), ([{}, {"key": []}], 200), ([{"key": []}], 401)]


@pytest.mark.parametrize(("security", "status"), KEYS)
def test_the_contract_decides_whether_a_key_is_needed(security: list[Any], status: int, call: Call) -> None:
    contract = contract_of({}, security=security)
    document = {**contract.published, "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}}
    assert call(create_app(Contract.load(document)), "/things", key=None, json={"prompt": "x"}).status_code == status


def test_a_service_of_another_vendor_has_no_routes_of_this_one(call: Call) -> None:
    assert call(create_app(contract_of({})), "/v1/models", method="GET").status_code == 404


SPOKEN = {"type": "object", "properties": {"audio": {"type": "string", "format": "uri"}, "model": {"type": "string"}, "prompt": {"type": "string", "maxLength": 5}}}  # fmt: skip


def test_a_url_for_audio_leads_to_a_sound_and_the_request_is_said_again_where_that_conforms(call: Call) -> None:
    responses = {"200": documented(schema=SPOKEN)}
    mock = create_app(contract_of(responses))
    body = {"prompt": "too long", "model": "a/model"}
    answer = call(mock, "/things", json=body).json()
    sound = call(mock, answer["audio"], method="GET")
    assert sound.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(sound.content)) as file:
        assert file.getnframes() > 0
    assert answer["model"] == "a/model"
    assert answer["prompt"] == "text"


def test_an_answer_of_audio_is_a_sound(call: Call) -> None:
    responses = {"200": documented("audio/wav", {"type": "string", "format": "binary"})}
    answer = call(create_app(contract_of(responses)), "/things", json={"prompt": "x"})
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getframerate() == 8000


def test_what_cannot_be_made_is_named_and_not_faked(call: Call) -> None:
    video = {"type": "object", "properties": {"video": {"type": "object", "properties": {"url": {"type": "string"}}}}}
    elsewhere = {
        "type": "object",
        "properties": {"url": {"type": "string", "pattern": "^https://cdn\\.example\\.org/"}},
    }
    film = create_app(contract_of({"200": documented(schema=video)}))
    bound = create_app(contract_of({"200": documented(schema=elsewhere)}))
    url = call(film, "/things", json={"prompt": "x"}).json()["video"]["url"]
    assert url.endswith(".mp4")
    assert call(film, url, method="GET").status_code == 404
    assert ["the mock makes no video" in notice for notice in film.notices] == [True]
    assert ["does not allow the image" in notice for notice in bound.notices] == [True]
    assert call(bound, "/things", json={"prompt": "x"}).json()["url"].startswith("https://cdn.example.org/")


def test_a_schema_that_nothing_satisfies_is_refused_with_its_place() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}}
    with pytest.raises(
        ValueError, match=r"/paths/~1things/post/responses/200/content/application~1json/schema/properties/a"
    ):
        create_app(contract_of({"200": documented(schema=schema)}))


def test_a_bound_that_cannot_be_read_is_refused_with_its_place() -> None:
    bound = {"type": "integer", "minimum": 10**400}
    contract = contract_of({"200": documented(schema={"type": "object", "properties": {"a": bound}})})
    place = r"/paths/~1things/post/responses/200/content/application~1json/schema/properties/a/minimum"
    with pytest.raises(ValueError, match=f"`minimum` must be a number up to 1.8e308.* at {place}"):
        create_app(contract)


def test_a_number_beyond_64_bits_is_exact_from_the_file_to_the_answer(tmp_path: Path, call: Call) -> None:
    least = 10**30 + 1
    document = {**contract_of({"200": documented(schema={"type": "integer", "minimum": least, "maximum": least})}).published}  # fmt: skip
    file = tmp_path / "big.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert json.loads(call(create_app(Contract.load(file)), "/things", json={"prompt": "x"}).text) == least


@pytest.mark.parametrize(("maximum", "count"), [(40, 40), (None, 40), (None, 100)])
def test_as_many_pictures_are_made_as_are_asked_for_up_to_a_hundred(
    maximum: int | None, count: int, call: Call
) -> None:
    document = copy.deepcopy(vendored.published())
    schema = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["num_images"] = {"type": "integer"} | ({} if maximum is None else {"maximum": maximum})
    mock = create_app(Contract.load(document))
    body = {**valid_request(mock.contract.operation()), "num_images": 40 if count == 40 else 10**9}
    assert len(call(mock, json=body).json()["data"]) == count


def test_a_list_of_a_thousand_pictures_has_this_servers_urls(call: Call) -> None:
    item = {"type": "object", "required": ["url"], "properties": {"url": {"type": "string", "pattern": "^http"}}}
    schema = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": item, "minItems": 1000}}}  # fmt: skip
    answer = call(create_app(contract_of({"200": documented(schema=schema)})), "/things", json={"prompt": "x"})
    assert {item["url"].partition("/generations/")[0] for item in answer.json()["data"]} == {"http://127.0.0.1"}


def test_a_schema_of_a_refusal_that_nothing_satisfies_is_refused_with_its_place() -> None:
    nothing = {"type": "object", "required": ["a"], "properties": {"a": {"allOf": [{"type": "string"}, {"type": "integer"}]}}}  # fmt: skip
    with pytest.raises(
        ValueError, match=r"/paths/~1things/post/responses/4XX/content/application~1json/schema/properties/a"
    ):
        create_app(contract_of({"4XX": documented(schema=nothing)}))


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        pytest.param(["default"], 200, id="default covers a success"),
        pytest.param(["302", "400"], 302, id="a redirection is all that succeeds"),
        pytest.param(["401", "422"], 401, id="refusals only"),
        pytest.param(["4XX"], 400, id="a range of refusals only"),
        pytest.param([], 200, id="nothing at all"),
    ],
)
def test_a_valid_request_gets_a_documented_status_also_where_no_2xx_is_documented(
    statuses: list[str], status: int, call: Call
) -> None:
    contract = contract_of({})
    document = copy.deepcopy({**contract.published})
    document["paths"]["/things"]["post"]["responses"] = {one: documented() for one in statuses}
    mock = create_app(Contract.load(document))
    answer = call(mock, "/things", json={"prompt": "x"})
    assert answer.status_code == status
    assert set(answer.json()) == ({"code"} if statuses else set())
    assert len(mock.notices) == (statuses != ["302", "400"])


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_without_a_documented_body_has_none(status: int, call: Call) -> None:
    contract = contract_of({})
    document = copy.deepcopy({**contract.published})
    document["paths"]["/things"]["post"]["responses"] = {str(status): {"description": ""}}
    answer = call(create_app(Contract.load(document)), "/things", json={"prompt": "x"})
    assert (answer.status_code, answer.content) == (status, b"")
    assert "content-type" not in answer.headers


def test_a_body_of_a_status_without_one_is_not_sent_and_named_at_start_up(call: Call) -> None:
    contract = contract_of({})
    document = copy.deepcopy({**contract.published})
    document["paths"]["/things"]["post"]["responses"] = {"204": documented()}
    mock = create_app(Contract.load(document))
    assert call(mock, "/things", json={"prompt": "x"}).content == b""
    assert ["allows none with this status" in notice for notice in mock.notices] == [True]


def test_a_header_is_repeated_and_shown_to_pages_as_the_contract_says(call: Call) -> None:
    echo = {"schema": {"type": "string", "maxLength": 4}, "x-echo-of": "X-Trace"}
    headers = {"X-Trace-Again": echo, "X-Left": {"schema": {"type": "integer"}}}
    mock = create_app(contract_of({"200": {**documented(), "headers": headers}}))
    for sent, repeated in (("abcd", "abcd"), ("abcde", None)):
        answer = call(mock, "/things", json={"prompt": "x"}, headers={"x-trace": sent})
        assert answer.headers.get("x-trace-again") == repeated
    own = "retry-after, preference-applied, etag, x-bodydouble-note"
    assert answer.headers["access-control-expose-headers"] == f"x-trace-again, x-left, {own}"
    undocumented = call(create_app(contract_of({})), "/things", json={})
    assert undocumented.headers["access-control-expose-headers"] == own


def test_the_cost_is_a_text_where_the_contract_says_so(call: Call) -> None:
    document = copy.deepcopy(vendored.published())
    schema = document["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["meta"]["properties"]["usage"]["properties"]["credits_used"] = {"type": "string"}
    mock = create_app(Contract.load(document))
    answer = call(mock, json=valid_request(mock.contract.operation()))
    assert answer.json()["meta"]["usage"]["credits_used"] == "84000"


def test_lists_of_pictures_inside_of_each_other_are_answered(call: Call) -> None:
    picture = {"url": {"type": "string"}}
    inner = {"type": "array", "items": {"type": "object", "properties": picture}, "minItems": 2}
    item = {"type": "object", "properties": {**picture, "more": inner}, "required": ["url", "more"]}
    schema = {"type": "object", "properties": {"data": {"type": "array", "items": item, "minItems": 2}}}
    answer = call(create_app(contract_of({"200": documented(schema=schema)})), "/things", json={"prompt": "x"})
    assert [len(one["more"]) for one in answer.json()["data"]] == [2, 2]


def test_what_is_said_in_place_of_a_sample_keeps_the_format(call: Call) -> None:
    formed = {"type": "object", "required": ["error", "model"], "properties": {"error": {"type": "string", "format": "email"}, "model": {"type": "string", "format": "uuid"}}}  # fmt: skip
    mock = create_app(contract_of({"200": documented(schema=formed), "400": documented(schema=formed)}))
    for body, status in (({"prompt": "x", "model": "a/model"}, 200), ({}, 400)):
        answer = call(mock, "/things", json=body)
        assert answer.status_code == status
        assert [*OAS30Validator(formed, format_checker=CHECKER).iter_errors(answer.json())] == []


SPEECH: dict[str, Any] = {
    "description": "",
    "content": {
        "audio/wav": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
        },
    },
}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        pytest.param("*/*", "application/json", id="anything"),
        pytest.param("audio/wav", "audio/wav", id="exact"),
        pytest.param("audio/*;q=0.8, application/json;q=0.5", "audio/wav", id="by quality"),
        pytest.param("AUDIO/*", "audio/wav", id="range"),
        pytest.param("audio/wav;q=0, */*", "application/json", id="all but one"),
        pytest.param("image/png", "application/json", id="none of them"),
        pytest.param(";q=x,,/;", "application/json", id="garbage"),
    ],
)
def test_accept_chooses_between_the_media_types_of_a_success(accept: str, media_type: str, call: Call) -> None:
    mock = create_app(contract_of({"200": SPEECH}))
    answer = call(mock, "/things", json={"prompt": "x"}, headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media_type


def test_another_service_gets_the_headers_of_its_contract_and_none_of_this_vendor(call: Call) -> None:
    headers = {
        "X-Request-Id": {"schema": {"type": "integer"}},
        "X-Left": {"required": True, "schema": {"type": "integer", "minimum": 7}},
        "X-Seen": {"schema": {"type": "string"}},
        "X-Aimlapi-Credits-Used": {"required": True, "schema": {"type": "integer"}},
        "Content-Length": {"required": True, "schema": {"type": "string"}},
    }
    documented_ = {**documented(), "headers": headers}
    mock = create_app(contract_of({"200": documented_}))
    bare = create_app(contract_of({}))
    own = {"x-client-request-id": "mine"}
    given_headers = call(mock, "/things", json={"prompt": "x"}, headers=own).headers
    assert given_headers["x-request-id"].isdigit()
    assert int(given_headers["x-left"]) >= 7
    assert given_headers["x-aimlapi-credits-used"] == "0"  # its contract has no price
    assert "x-seen" not in given_headers
    for answer in (
        call(bare, "/things", json={"prompt": "x"}, headers=own),
        call(bare, "/things", json={}, headers=own),
    ):
        assert not [name for name in answer.headers if name.startswith("x-")]


def test_an_example_of_the_document_is_the_answer_where_it_conforms(call: Call) -> None:
    shape = {
        "type": "object",
        "required": ["code", "size"],
        "properties": {"code": {"type": "string"}, "size": {"type": "integer"}},
    }
    content = {"schema": shape, "example": {"code": "as in the example", "size": "not a number"}}
    named = {
        "schema": shape,
        "examples": {"error": {"value": {"code": "e", "size": 1}}, "usual": {"$ref": "#/components/examples/Usual"}},
    }
    for media, expected in ((content, "as in the example"), (named, "u")):
        contract = contract_of({"200": {"description": "", "content": {"application/json": media}}})
        document = {**contract.published, "components": {"examples": {"Usual": {"value": {"code": "u", "size": 2}}}}}
        answer = call(create_app(Contract.load(document)), "/things", json={"prompt": "x"}).json()
        assert answer["code"] == expected
        assert isinstance(answer["size"], int)


def test_a_requested_success_status_has_the_body_of_that_status(call: Call) -> None:
    mock = create_app(contract_of({"202": documented()}))
    answer = call(mock, "/things", json={"prompt": "x"}, headers={"prefer": "code=202"})
    assert (answer.status_code, answer.json().keys()) == (202, {"code"})


def test_operations_beyond_those_prepared_at_start_are_answered_by_their_contract(call: Call) -> None:
    names = [f"P{number}" for number in range(102)]
    parts = {f"to{name}": {"$ref": f"#/components/schemas/{name}"} for name in names[:1]}
    content = {name: {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}} for name in names}
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "paths": {
            f"/{name}": {"post": {"responses": {"200": {"description": "", "content": content[name]}}}}
            for name in names
        },
        "components": {
            "schemas": {
                name: {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, **parts}}
                for name in names
            }
        },
    }
    mock = create_app(Contract.load(document))
    assert "prepared at their first call" in mock.notices[-1]
    for name in (names[0], names[-1]):
        answer = call(mock, f"/{name}", json={})
        assert isinstance(answer.json()["a"], str)
    broken = copy.deepcopy(document)
    broken["components"]["schemas"]["P101"]["properties"]["a"] = {"type": "string", "minLength": 2, "maxLength": 1}
    with pytest.raises(ValueError, match="/components/schemas/P101/properties/a"):
        create_app(Contract.load(broken))
