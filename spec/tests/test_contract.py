"""Loading of contracts: real documents, damaged ones, and any JSON."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bodydouble_spec import Contract, ContractError, Evidence, Overlay, Severity, UnknownOperation, UnreadableDocument
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
# Keywords of OpenAPI, so that generated documents pass the first checks.
WORDS = st.sampled_from(
    [
        "openapi",
        "info",
        "paths",
        "components",
        "schemas",
        "securitySchemes",
        "security",
        "/a",
        "/a/{b}",
        "get",
        "post",
        "parameters",
        "requestBody",
        "responses",
        "200",
        "default",
        "content",
        "application/json",
        "schema",
        "type",
        "properties",
        "items",
        "required",
        "enum",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "nullable",
        "minimum",
        "exclusiveMinimum",
        "const",
        "if",
        "then",
        "else",
        "prefixItems",
        "$defs",
        "additionalProperties",
        "patternProperties",
        "description",
        "examples",
        "name",
        "in",
        "readOnly",
        "pattern",
    ]
)
LEAVES = st.sampled_from(
    [
        "#/components/schemas/a",
        "#/paths",
        "#",
        "#a",
        "string",
        "object",
        "array",
        "null",
        "path",
        "query",
        "3.0.0",
        "3.1.0",
        "(",
        "",
    ]
)
OPENAPI_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=40,
)
HUGE: dict[str, Any] = {
    "text": "x" * 100_000,
    "list": list(range(10_000)),
    "object": {str(number): "y" * 50 for number in range(24)},
    "surrogates": "\ud800" * 99,
    "integer": 10**2000,
    "line breaks": ["\n"] * 9,
}


def published_operations(document: dict[str, Any]) -> set[str]:
    paths: Any = document.get("paths", {})
    entries: list[dict[str, Any]] = paths if is_array(paths) else [paths]
    return {
        f"{method.upper()} {path}"
        for entry in entries
        for path, item in entry.items()
        for method, operation in item.items()
        if method in METHODS and isinstance(operation, dict)
    }


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    items: list[tuple[Any, Any]] = [*value.items()] if is_object(value) else [*enumerate(value)]
    for key, item in items:
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def test_every_real_document_keeps_each_operation(document_path: Path, load_real: Callable[[Path], Contract]) -> None:
    contract = load_real(document_path)
    assert {operation.key for operation in contract.operations} == published_operations(dict(contract.published))


def test_every_defect_of_a_real_document_names_its_place(
    document_path: Path, load_real: Callable[[Path], Contract]
) -> None:
    contract = load_real(document_path)
    for finding in contract.findings:
        if finding.source != "overlay" and finding.pointer:
            # A missing part has no place of its own, but its parent has.
            assert isinstance(resolve_pointer(contract.published, pointer_parts(finding.pointer)[:-1]), dict | list)


def test_every_schema_of_a_real_document_can_be_compiled(
    document_path: Path, load_real: Callable[[Path], Contract]
) -> None:
    assert "schema-not-usable" not in {finding.id for finding in load_real(document_path).findings}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("5342ab48afab", {"paths-is-array", "request-body-is-schema"}),
        ("05da2bc6184a", {"security-scheme-malformed"}),
        ("11edcafcbe2a", {"ref-dangling"}),
        ("2d8f352fa6c3", {"schema-type-unknown"}),
        ("1b2be07205d6", {"items-missing"}),
        ("9de2c448af9c", {"keyword-newer", "items-missing"}),
        ("cfb3e4791ec5", {"openapi-version", "info-missing"}),
        ("8b137891791f", {"document-unreadable"}),
        ("revision-2026-06-12-4cd011cd", {"response-description-missing", "security-not-applied"}),
    ],
)
def test_the_known_defects_of_a_real_document_are_found(
    name: str, expected: set[str], load_real: Callable[[Path], Contract]
) -> None:
    contract = load_real(Path(__file__).parent / "data" / f"{name}.json")
    assert expected <= {finding.id for finding in contract.findings}


def test_an_unreadable_document_is_exactly_one_finding(load_real: Callable[[Path], Contract]) -> None:
    contract = load_real(Path(__file__).parent / "data" / "8b137891791f.json")
    assert [(item.id, item.severity) for item in contract.findings] == [("document-unreadable", Severity.ERROR)]


def test_strict_loading_refuses_a_document_with_defects_and_says_which(own_path: Path) -> None:
    with pytest.raises(ContractError, match="load without strict to have them repaired") as caught:
        Contract.load(own_path, strict=True)
    assert caught.value.findings == Contract.load(own_path).findings


def test_strict_loading_accepts_a_document_without_defects() -> None:
    failure = {"description": "no"}
    operation = {"responses": {"200": {"description": "yes"}, "default": failure}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}}
    assert Contract.load(document, overlay=None, strict=True).findings == ()


@settings(deadline=None, max_examples=60)
@given(JSON_VALUES, st.sampled_from(["openapi", "info", "paths", "components", "security", "servers"]))
def test_any_json_loads(value: Any, key: str) -> None:
    documents: list[Any] = [{key: value}, {"openapi": "3.1.0", key: value}, [value]]
    contracts = [Contract.load(document, overlay=None) for document in documents]
    assert all(contract.findings and contract.fingerprint for contract in contracts)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(OPENAPI_LIKE, OPENAPI_LIKE, OPENAPI_LIKE, st.sampled_from(["3.0.0", "3.1.0"]))
def test_anything_made_of_openapi_keywords_loads(schema: Any, item: Any, components: Any, version: str) -> None:
    media_type = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": media_type}, "responses": {"200": {"content": media_type}}}
    document = {"openapi": version, "paths": {"/a": {"post": operation}, "/b": item}, "components": components}
    contract = Contract.load(document, overlay=None)
    contract.operation("POST /a").validate_request({"a": [1, None]})
    contract.operation("POST /a").validate_response(200, "application/json", {"a": [1, None]})


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_real_document_with_any_part_replaced_loads(
    small_documents: list[dict[str, Any]], vendored_overlay: Overlay, data: st.DataObject
) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(small_documents)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(document))))
        container[key] = data.draw(JSON_VALUES | OPENAPI_LIKE)
    contract = Contract.load(document, overlay=vendored_overlay)
    for operation in contract.operations:
        operation.validate_request({"model": "m", "prompt": [None]})
        operation.validate_response(200, "application/json", {"data": [{"url": "a"}]})


@pytest.mark.parametrize("name", HUGE)
@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_messages_of_defects_are_short_and_one_line(
    small_documents: list[dict[str, Any]], name: str, random: Random
) -> None:
    document = copy.deepcopy(random.choice(small_documents))
    container, key = random.choice(list(places(document)))
    container[key] = HUGE[name]
    messages = [finding.message for finding in Contract.load(document, overlay=None).findings]
    assert all(len(message) <= 300 and "\n" not in message and message.encode() for message in messages)


def test_an_operation_is_found_by_key_path_or_id_and_a_single_one_without_a_name(vendored: Contract) -> None:
    names = ["POST /v1/images/generations", "/v1/images/generations", "_v1_images_generations", None]
    assert {id(vendored.operation(name)) for name in names} == {id(vendored.operations[0])}


def test_an_unknown_operation_is_refused_with_the_known_ones(vendored: Contract) -> None:
    with pytest.raises(
        UnknownOperation, match='no operation "createImage"; its operations: POST /v1/images/generations'
    ):
        vendored.operation("createImage")


def test_a_name_is_required_for_one_of_several_operations(load_real: Callable[[Path], Contract]) -> None:
    contract = load_real(Path(__file__).parent / "data" / "48a092812796.json")
    with pytest.raises(UnknownOperation, match="has 2 operations; name one of: POST /tts, POST /v1/tts"):
        contract.operation()


@pytest.mark.parametrize(
    ("pointer", "evidence"),
    [
        ("/paths/~1v1~1images~1generations/post/requestBody", Evidence.DOCUMENTED),
        ("/paths/~1v1~1images~1generations/post/responses/400/content", Evidence.INFERRED),
        ("/paths/~1v1~1images~1generations/post/responses/429/description", Evidence.ASSUMED),
        ("/paths/~1v1~1images~1generations/post/responses/429/content/application~1json", Evidence.DOCUMENTED),
    ],
)
def test_the_evidence_of_a_place_is_that_of_the_innermost_fact(
    vendored: Contract, pointer: str, evidence: Evidence
) -> None:
    assert vendored.evidence(pointer) is evidence


def test_the_later_of_two_actions_at_one_place_counts() -> None:
    actions = [
        {"target": "$.info", "update": {"x-note": note}, "x-evidence": note, "x-source": "a test"}
        for note in ("assumed", "observed")
    ]
    overlay = Overlay.parse({"overlay": "1.0.0", "actions": actions}, "test")
    assert Contract.load(overlay=overlay).evidence("/info/x-note") is Evidence.OBSERVED


def test_an_overlay_may_be_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text(
        "overlay: 1.0.0\nactions: [{target: $.info, update: {x-a: 1}, x-evidence: assumed, x-source: a test}]"
    )
    documents = [Contract.load(overlay=name).document for name in (path, str(path))]
    assert [document["info"]["x-a"] for document in documents] == [1, 1]


def test_a_missing_overlay_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="name a readable file"):
        Contract.load(overlay=tmp_path / "missing.yaml")


def test_a_document_broken_by_an_overlay_is_a_finding_and_not_a_crash() -> None:
    action = {"target": "$.paths.*.*", "update": {"responses": 5}, "x-evidence": "assumed", "x-source": "a test"}
    contract = Contract.load(overlay=Overlay.parse({"overlay": "1.0.0", "actions": [action]}, "test"))
    assert ("not-an-object", "overlay") in {(finding.id, finding.source) for finding in contract.findings}


@pytest.mark.parametrize(
    ("schema", "is_vacuous"),
    [
        ({"type": "object", "properties": {"a": {}}}, True),
        ({"type": "object", "required": ["a"]}, False),
        ({"type": "string"}, False),
        ({"$ref": "#/components/schemas/Link"}, True),
        ({"allOf": [{"type": "object"}, {"required": ["a"]}]}, False),
        ({"allOf": [{"$ref": "#/components/schemas/Link"}]}, True),
        ({"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object"}]}, True),
    ],
)
def test_an_answer_that_requires_no_property_is_remarked_in_every_spelling(
    schema: dict[str, Any], is_vacuous: bool
) -> None:
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    schemas = {"Link": {"$ref": "#/components/schemas/Any"}, "Any": {"type": "object"}}
    document = {
        "openapi": "3.0.0",
        "info": {"title": "A", "version": "1"},
        "paths": {"/a": {"get": {"responses": responses}}},
        "components": {"schemas": schemas},
    }
    contract = Contract.load(document)
    validator = contract.operation().responses["200"].content["application/json"]
    assert validator is not None
    assert ("response-vacuous" in [found.id for found in contract.findings]) == is_vacuous == validator.is_valid({})
