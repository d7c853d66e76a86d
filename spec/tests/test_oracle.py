"""Our verdicts on messages compared with openapi-core's; every known difference has a name and a test."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_spec import Contract, Operation, SpecError, is_array, is_object
from bodydouble_spec.oracle import Oracle
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

JSON = "application/json"

# The document that replaced the vendored one on 2026-08-14: another model's, with integers and booleans.
NANO_BANANA = Path(__file__).parent / "data" / "revision-2026-08-14-87ef44bd.json"


def a_document(schema: dict[str, Any], version: str = "3.0.0") -> dict[str, Any]:
    """Return a document with one operation whose request and answer have the schema."""
    content = {"content": {JSON: {"schema": schema}}}
    operation = {
        "requestBody": {"required": True, **content},
        "responses": {"200": {"description": "Fine.", **content}},
    }
    return {
        "openapi": version,
        "info": {"title": "One", "version": "1"},
        "paths": {"/one": {"post": operation}},
    }


class Both:
    """Both validators for one contract; each says whether a message conforms."""

    def __init__(self, source: Path | dict[str, Any] | None) -> None:
        contract = Contract.load(source)
        self.operation: Operation = contract.operation()
        self.oracle = Oracle(contract)

    def request(self, body: bytes) -> tuple[bool, bool]:
        """Return our verdict and openapi-core's on a request body."""
        try:
            ours = not self.operation.validate_request(orjson.loads(body))
        except orjson.JSONDecodeError:
            ours = False
        return ours, not self.oracle.request_errors(self.operation, body)

    def response(self, status: int, content_type: str, body: bytes) -> tuple[bool, bool]:
        """Return our verdict and openapi-core's on an answer, without the strict checks."""
        ours = not self.operation.validate_response(status, content_type, body, strict=False)
        return ours, not self.oracle.response_errors(self.operation, status, content_type, body)


@cache
def vendored() -> Both:
    return Both(None)


@cache
def nano_banana() -> Both:
    return Both(NANO_BANANA)


# --- bodies near a schema -------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=8) | st.sampled_from(["", "a cat", "café 🐈", "1:1", "google/nano-banana-edit", "x\n"])
NUMBERS = st.integers(-2, 6) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(1.0)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
IMAGE_INPUTS = st.sampled_from(
    [
        "https://example.com/cat.png",
        "HTTP://[::1]:80/?q#f",
        "data:image/png;base64,iVBORw0KGgo=",
        "/9j/4AAQSkZJRg==",
        "ftp://example.com/cat.png",
        "https://",
        "data:image/png;base64,",
        "https://example.com/cat.png\n",
        "not a picture",
    ]
)


def conforming(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Build values that conform to the schema, or nearly: image inputs are good and bad ones."""
    if "$ref" in schema:
        return conforming(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "pattern" in schema:
        return IMAGE_INPUTS
    if "allOf" in schema:
        parts = [conforming(part, root) for part in schema["allOf"]]
        return st.tuples(*parts).map(lambda values: {key: item for value in values for key, item in value.items()})
    if "anyOf" in schema:
        return st.one_of([conforming(part, root) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.just("2026-08-14T09:30:00.000Z")
    kinds: Any = schema.get("type", "any")
    return st.one_of([of_type(kind, schema, root) for kind in (kinds if is_array(kinds) else [kinds])])


def of_type(kind: str, schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "object":
            known = {name: conforming(item, root) for name, item in schema.get("properties", {}).items()}
            required = {name: item for name, item in known.items() if name in schema.get("required", ())}
            optional = {name: item for name, item in known.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "array":
            return st.lists(conforming(schema.get("items", {}), root), max_size=4)
        case "string":
            return TEXTS
        case "integer":
            return st.integers(schema.get("minimum", -5), schema.get("maximum", 1000))
        case "number":
            return st.integers(schema.get("minimum", -5), schema.get("maximum", 1000)) | st.floats(1.0, 4.0)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return ANY_JSON


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of the value with each of its keys or indexes."""
    keys: list[Any] = list(value) if is_object(value) else list(range(len(value))) if is_array(value) else []
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def near(draw: st.DrawFn, schema: dict[str, Any] | None) -> Any:
    """Draw a conforming value, one with up to three faults, or any JSON."""
    if schema is None or draw(st.integers(0, 9)) == 0:
        return draw(ANY_JSON)
    value = json.loads(json.dumps(draw(conforming(schema, schema))))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(value))
        if not found:
            return draw(ANY_JSON)
        container, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                container[key] = draw(ANY_JSON)
            case "remove":
                del container[key]
            case _ if isinstance(container, dict):
                container[draw(TEXTS)] = draw(ANY_JSON)
            case _:
                container.append(draw(ANY_JSON))
    return value


# --- the named differences: the messages that they affect -------------------------------------------------------------


def leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar in the value, including property names."""
    if is_object(value) or is_array(value):
        for container, key in places(value):
            yield from (item for item in (key, container[key]) if not isinstance(item, dict | list))
    else:
        yield value


def has_whole_float(value: Any) -> bool:
    return any(isinstance(leaf, float) and leaf.is_integer() for leaf in leaves(value))


def has_final_newline(value: Any) -> bool:
    return any(isinstance(leaf, str) and leaf.endswith("\n") for leaf in leaves(value))


def has_wrong_format(value: Any) -> bool:
    """Return whether a date-time is wrong; openapi-core checks no other format of these documents."""
    times = [container[key] for container, key in places(value) if key == "timestamp"]
    return any(isinstance(time, str) and not time.startswith("2026-") for time in times)


def agreed_on(value: Any) -> bool:
    """Return whether no named difference can affect a value; NaN is not generated, and no document has \\d."""
    return not (has_whole_float(value) or has_final_newline(value) or has_wrong_format(value))


AGREEING = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


@pytest.mark.parametrize("both", [vendored, nano_banana])
@AGREEING
@given(st.data())
def test_both_validators_give_the_same_verdict_on_a_request(both: Callable[[], Both], data: st.DataObject) -> None:
    body = data.draw(near(both().operation.request_schema))
    assume(agreed_on(body))
    ours, theirs = both().request(json.dumps(body).encode())
    assert ours == theirs


@pytest.mark.parametrize("both", [vendored, nano_banana])
@AGREEING
@given(st.data())
def test_both_validators_give_the_same_verdict_on_an_answer(both: Callable[[], Both], data: st.DataObject) -> None:
    operation = both().operation
    status = data.draw(st.sampled_from([*map(int, operation.responses), 299]))
    response = operation.response(status)
    documented = [] if response is None else list(response.content)
    content_type = data.draw(
        st.sampled_from([*documented, *(f"{name}; charset=utf-8" for name in documented), "text/html"])
    )
    body = data.draw(near(operation.response_schema(status, content_type)))
    assume(agreed_on(body))
    ours, theirs = both().response(status, content_type, json.dumps(body).encode())
    assert ours == theirs


@pytest.mark.parametrize("both", [vendored, nano_banana])
@given(body=st.binary(max_size=12) | st.sampled_from([b"", b"{", b"{}x", b"[1,]", b"\xff\xfe", b"null"]))
@AGREEING
def test_both_validators_refuse_a_request_that_is_no_object(both: Callable[[], Both], body: bytes) -> None:
    assume(not body.lstrip().startswith(b"{") or b"}" not in body)
    assert both().request(body) == (False, False)


def test_the_generated_requests_hold_valid_and_invalid_ones() -> None:
    verdicts: set[bool] = set()

    @settings(max_examples=100, database=None, derandomize=True, deadline=None)
    @given(near(vendored().operation.request_schema))
    def collect(body: Any) -> None:
        verdicts.add(not vendored().operation.validate_request(body))

    collect()
    assert verdicts == {True, False}


# --- the named differences: each is real -----------------------------------------------------------------------------


def test_a_whole_number_written_as_a_float_is_an_integer_to_us_and_not_to_openapi_core_under_3_0() -> None:
    assert Both(a_document({"type": "integer"})).request(b"1.0") == (True, False)


def test_a_whole_number_written_as_a_float_is_an_integer_to_both_under_3_1() -> None:
    assert Both(a_document({"type": "integer"}, "3.1.0")).request(b"1.0") == (True, True)


def test_a_digit_in_a_pattern_is_ascii_to_us_and_any_script_to_openapi_core() -> None:
    assert Both(a_document({"type": "string", "pattern": r"^\d$"})).request('"٣"'.encode()) == (False, True)


def test_the_end_in_a_pattern_is_the_end_to_us_and_may_be_a_final_newline_to_openapi_core() -> None:
    assert Both(a_document({"type": "string", "pattern": "^a$"})).request(rb'"a\n"') == (False, True)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_number_that_json_does_not_have_is_refused_by_us_and_read_by_openapi_core(number: bytes) -> None:
    assert Both(a_document({"type": "number"})).request(number) == (False, True)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("string", "byte", b'"?"'), ("string", "date-time", b'"today"'), ("integer", "int32", b"4294967296")],
)
def test_a_format_is_an_annotation_to_us_and_a_rule_to_openapi_core(kind: str, name: str, value: bytes) -> None:
    assert Both(a_document({"type": kind, "format": name})).request(value) == (True, False)


def test_the_format_uri_is_checked_by_neither() -> None:
    assert Both(a_document({"type": "string", "format": "uri"})).request(b'"not a URI"') == (True, True)


# --- the messages of the oracle ---------------------------------------------------------------------------------------


def test_the_oracle_needs_no_key_and_names_every_fault_with_its_pointer() -> None:
    both = vendored()
    assert both.oracle.request_errors(both.operation, b'{"prompt": 5, "image_urls": ["https://a.b/c"]}') == [
        '/prompt: 5 is not "string"',
        '/model: required property "model" is missing',
    ]


def test_the_oracle_names_the_media_types_that_are_documented() -> None:
    both = vendored()
    (error,) = both.oracle.request_errors(both.operation, b"{}", "text/plain")
    assert "application/json" in error


def test_the_oracle_is_short_about_a_value_of_five_megabytes() -> None:
    both = vendored()
    body = json.dumps({"model": "x" * 5_000_000, "prompt": ["y" * 1_000_000], "image_urls": []}).encode()
    assert max(map(len, both.oracle.request_errors(both.operation, body))) < 250


@pytest.mark.parametrize("content_type", ["application/json; charset", "", ";", "application/json;;"])
def test_the_oracle_gives_a_verdict_on_any_content_type(content_type: str) -> None:
    both = vendored()
    assert isinstance(both.oracle.request_errors(both.operation, b"{}", content_type), list)


def test_the_oracle_refuses_a_document_of_an_unknown_version() -> None:
    contract = Contract.load(a_document({}, "3.9.0"))
    with pytest.raises(SpecError, match=r'openapi-core reads OpenAPI 3.0 to 3.2, not "3.9.0"'):
        Oracle(contract)
