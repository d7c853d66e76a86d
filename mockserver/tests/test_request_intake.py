"""The intake: a body is read once, and what is decided by references is what would be decided by the whole body."""

import base64
import hashlib
import random
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema
import orjson
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.request import CheckedRequest, RequestChecks, take_in
from bodydouble_spec import Contract, Finding, Operation, decode_picture, refer_to_pictures
from bodydouble_spec.oracle import Oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mockserver.tests.bodies import json_intake

JSON = {"content-type": "application/json"}
BEGINNINGS = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"RIFF\x10\0\0\0WEBPVP8 ",
    b"BM",
    b"",
    b"no picture",
]
HEADS = [
    "", "data:image/png;base64,", "Data:image/png;base64,", "data:image/png;charset=utf-8;base64,", "data:;base64,", "data:text/plain;base64,",
    "data:image/png,", "data:image/\u00a0;base64,", "data:image/\x7f;base64,", "https://example.com/", "x", " ",
]  # fmt: skip
TAILS = ["", "=", "==", "\n", " ", "!", "é", "-_", "A", "AA", "====", '"', "\\", "/"]
# Strict Base64, and what some encoders make of it.
FORMS: list[Callable[[str], str]] = [
    str,
    str,
    lambda text: text.replace("+", "-").replace("/", "_"),
    lambda text: "".join(f"{text[place : place + 76]}\n" for place in range(0, len(text), 76)),
    lambda text: "\r\n".join(text[place : place + 64] for place in range(0, len(text), 64)),
    lambda text: f"{text[:70]} {text[70:]}",
]


@st.composite
def inputs(draw: st.DrawFn) -> str:
    """Draw texts that apps send as pictures, whole or damaged in one place."""
    data = draw(st.sampled_from(BEGINNINGS)) + random.Random(draw(st.integers(0, 9))).randbytes(
        draw(st.sampled_from([0, 1, 2, 3, 24, 25, 90, 764, 765, 766, 767, 3000]))
    )
    text = base64.b64encode(data).decode()
    if draw(st.booleans()):
        text = text.rstrip("=")
    text = draw(st.sampled_from(FORMS))(text)
    return draw(st.sampled_from(HEADS)) + text + draw(st.sampled_from(TAILS) | st.just(""))


RULES: list[dict[str, Any]] = [
    {}, {"maxLength": 200}, {"minLength": 150}, {"maxLength": 31}, {"pattern": "^.{0,900}$"}, {"pattern": "A"}, {"enum": ["x", "iVBORw0KGgo" + "A" * 33]},
    {"not": {"maxLength": 500}}, {"anyOf": [{"maxLength": 90}, {"pattern": "=$"}]}, {"type": ["string", "null"], "if": {"minLength": 99}, "then": False},
]  # fmt: skip


def operation_with(contract: Contract, rules: dict[str, Any] | None) -> Operation:
    """Return the operation of the vendored contract, or one whose pictures have other rules."""
    if rules is None:
        return contract.operations[0]
    items = {"type": "array", "items": {"$ref": "#/components/schemas/Input"}, "uniqueItems": True}
    schema = {"type": "object", "properties": {"image_urls": items}, "additionalProperties": rules}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/p": {
                "post": {
                    "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                    "responses": {"200": {"description": "d"}},
                }
            }
        },
        "components": {"schemas": {"Input": rules}},
    }
    return Contract.load(document).operations[0]


def checked(operation: Operation, body: bytes) -> CheckedRequest:
    scope: dict[str, Any] = {"query_string": b"", "headers": []}
    headers = {b"content-type": b"application/json"}
    return RequestChecks(operation, Settings(require_key=False)).check(headers, json_intake(body), scope)


ADVICE = {"request-undocumented-property", "request-input-unreachable", "request-input-not-an-image"}


def comparable(found: Finding, described: Finding | None = None) -> dict[str, Any]:
    """Return a finding with all that it says; ``described`` is the one about the same picture or what holds it, whose words are taken."""
    result = found.to_dict()
    if described is not None and (
        described.pointer.startswith("/image_urls")
        or described.message.startswith(("Base64 of ", "a data URI of ", "array of ", "object of "))
    ):
        result |= {name: described.to_dict()[name] for name in ("message", "got", "covers") if name in result}
    return result


@pytest.mark.parametrize("rules", [None, *RULES])
def test_verdict_and_findings_are_those_of_the_whole_body(contract: Contract, rules: dict[str, Any] | None) -> None:
    operation = operation_with(contract, rules)

    @settings(max_examples=120 if rules is None else 25, deadline=None)
    @given(
        st.lists(inputs(), max_size=3),
        st.dictionaries(
            st.sampled_from(["prompt", "num_images", "x"]) | inputs(),
            inputs() | st.integers(0, 9) | st.lists(inputs(), max_size=1),
        ),
        st.booleans(),
    )
    def compare(pictures: list[str], changes: dict[str, Any], escapes_slashes: bool) -> None:
        value = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": pictures, **changes}
        body = orjson.dumps(value)
        sent = body.replace(b"/", rb"\/") if escapes_slashes else body
        expected = operation.validate_request(value)
        said = checked(operation, sent).findings
        # What is assumed about the form of an input stands under the finding about its bytes.
        covered = {(other.id, other.pointer) for found in said if found.id in ADVICE for other in found.covers}
        expected = [found for found in expected if (found.id, found.pointer) not in covered]
        findings = [found for found in said if found.id not in ADVICE]
        # Findings are equal by rule and place; the words count here too, but for those about a picture.
        assert [comparable(found) for found in findings] == [
            comparable(found, described=other) for found, other in zip(expected, findings, strict=True)
        ]

    compare()


@settings(max_examples=60, deadline=None)
@given(inputs())
@example("data:image/png;base64," + "A" * 2000)
def test_both_other_validators_decide_alike_by_the_references(contract: Contract, text: str) -> None:
    operation = contract.operations[0]
    body = orjson.dumps({"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": [text]})
    intake = json_intake(body)
    oracle = Oracle(contract)
    assert bool(oracle.request_errors(operation, intake.text)) == bool(oracle.request_errors(operation, body))
    reference: Any = jsonschema.Draft202012Validator(operation.request_schema or {})
    assert reference.is_valid(intake.parsed) == reference.is_valid(orjson.loads(body))


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=10) | inputs(),
    st.lists(inputs(), max_size=3),
    st.text(max_size=10),
    st.binary(max_size=6),
    st.integers(-40, 10**6),
)
@example("", ["data:image/png;base64," + "A" * 400], "", b"", -1)
def test_a_damaged_body_is_refused_with_the_reason_and_place_of_the_whole_body(
    before: str, texts: list[str], after: str, damage: bytes, place: int
) -> None:
    body = orjson.dumps({before: texts, "after": after})
    place %= len(body)
    body = body[:place] + damage + body[place + 1 :]
    intake = json_intake(body)
    expected: orjson.JSONDecodeError | None = None
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        expected = error
    if expected is None:
        assert intake.problem is None
        assert intake.whole() == orjson.loads(body)
    else:
        message = "" if intake.problem is None else intake.problem.message
        assert f"line {expected.lineno}, column {expected.colno}" in message or "UTF" in message


def test_each_picture_is_stored_once_and_replaced_by_a_short_text(png: bytes) -> None:
    stored: list[bytes] = []

    def put(data: bytes) -> str:
        stored.append(data)
        return hashlib.sha256(data).hexdigest()

    large = png + bytes(3_000_000)
    texts = [f"data:image/png;base64,{base64.b64encode(data).decode()}" for data in (png, large)]
    texts += [base64.b64encode(large).decode(), "https://example.com/a.png"]
    body = orjson.dumps({"image_urls": texts, "prompt": 'say "data:image/png;base64,' + "A" * 400 + '"'})
    intake = take_in(body, {b"content-type": b"application/json"}, Settings(), put)
    assert stored == [png, large, large]
    assert [picture.sha256 for picture in intake.pictures.values()] == [
        hashlib.sha256(data).hexdigest() for data in stored
    ]
    assert intake.parsed["image_urls"] == [*intake.pictures, texts[-1]]
    assert len(intake.text) < 1_500
    assert orjson.loads(intake.text) == intake.parsed


@settings(max_examples=100, deadline=None)
@given(st.lists(inputs(), max_size=4, unique=True))
@example([f"data:image/png;base64,{'A' * 40}Q{last}==" for last in "QR"])  # of the same bytes
def test_different_texts_have_different_references(texts: list[str]) -> None:
    text, pictures = refer_to_pictures(orjson.dumps(texts), lambda data: hashlib.sha256(data).hexdigest())
    parsed = orjson.loads(text)
    assert len(set(parsed)) == len(texts)
    for before, after in zip(texts, parsed, strict=True):
        if after in pictures:
            assert pictures[after].size_bytes == len(decode_picture(before))
        else:
            assert after == before


@pytest.mark.parametrize("form", FORMS[2:])
@pytest.mark.parametrize("head", ["data:image/png;base64,", ""])
def test_loose_base64_is_decoded_once_and_described_as_a_picture(
    contract: Contract,
    call: Callable[..., httpx.Response],
    edit: Any,
    png: bytes,
    head: str,
    form: Callable[[str], str],
) -> None:
    app = create_app(contract)
    data = png + random.Random(1).randbytes(3000)
    text = head + form(base64.b64encode(data).decode())
    intake = json_intake(orjson.dumps([text]))
    assert [len(intake.text) < 300, [one.sha256 for one in intake.pictures.values()]] == [
        True,
        [hashlib.sha256(data).hexdigest()],
    ]
    call(app, json=edit(image_urls=[text]))
    (exchange,) = app.journal.exchanges()
    assert exchange.body["image_urls"][0]["$picture"]["bytes"] == len(data)
    for finding in exchange.findings:
        assert f"{len(data):,} bytes (image/png, 8x8) " in finding["message"]
        assert finding["got"]["$picture"]["bytes"] == len(data)


@pytest.mark.parametrize("same", [True, False])
def test_a_thousand_pictures_of_a_body_are_read_and_the_others_stay(png: bytes, same: bool) -> None:
    texts = [
        base64.b64encode(png + bytes([0 if same else number % 256, number // 256 * (not same)])).decode()
        for number in range(1500)
    ]
    read: list[bytes] = []

    def put(data: bytes) -> str:
        read.append(data)
        return hashlib.sha256(data).hexdigest()

    text, _ = refer_to_pictures(orjson.dumps(texts), put)
    assert len(read) == 1000
    assert [left == whole for left, whole in zip(orjson.loads(text), texts, strict=True)] == [False] * 1000 + [
        True
    ] * 500


def test_a_long_text_of_words_is_no_picture() -> None:
    words = "a cat and a dog with hats on a bench in the park " * 40
    assert json_intake(orjson.dumps([words, words.replace(" ", "\n")])).pictures == {}


def test_the_picture_of_a_stored_input_is_drawn_with_it(
    app: MockServer, call: Callable[..., httpx.Response], edit: Any, png: bytes
) -> None:
    answers = [
        call(app, json=edit(image_urls=[f"data:image/png;base64,{base64.b64encode(data).decode()}"]))
        for data in (png + bytes(5000), png + bytes(5001), png + bytes(5000))
    ]
    urls = [answer.json()["data"][0]["url"] for answer in answers]
    assert urls[0] == urls[2] != urls[1]


def test_a_photo_in_the_journal_is_its_hash(
    contract: Contract, call: Callable[..., httpx.Response], edit: Any, png: bytes
) -> None:
    app = create_app(contract)
    data = png + bytes(2_000_000)
    text = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    assert call(app, json=edit(image_urls=[text], prompt="x")).status_code == 200
    assert call(app, json=edit(image_urls=[text], num_images=9)).status_code == 400
    assert call(app, json=edit(image_urls=[text]), key=None).status_code == 401
    for exchange in app.journal.exchanges():
        assert exchange.body["image_urls"] == [
            {
                "$picture": {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "media_type": "image/png",
                    "bytes": len(data),
                    "pixels": [8, 8],
                    "data_uri": True,
                }
            }
        ]


def test_the_overlay_s_own_rules_are_decided_without_the_whole_text(contract: Contract) -> None:
    validator = contract.operations[0].request
    assert validator is not None
    assert "image_urls" not in validator.whole_text_names
