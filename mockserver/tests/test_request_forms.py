"""Forms: files become input pictures, fields get the types of the schema, and each media type has its own schema."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import openai
import orjson
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
PATH = "/v1/images/edits"
BINARY = {"type": "string", "format": "binary"}
FIELDS: dict[str, Any] = {
    "image": {"anyOf": [BINARY, {"type": "array", "items": BINARY, "maxItems": 3}]},
    "prompt": {"type": "string", "maxLength": 100},
    "model": {"anyOf": [{"type": "string"}, {"type": "string", "enum": ["gpt-image-1"]}], "nullable": True},
    "n": {"type": "integer", "minimum": 1, "maximum": 4, "nullable": True},
    "size": {"type": "string", "enum": ["auto", "1024x1024"], "nullable": True},
    "strength": {"type": "number"},
    "stream": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "seeds": {"type": "array", "items": {"type": "integer"}},
    "options": {"type": "object", "properties": {"steps": {"type": "integer"}, "name": {"type": "string"}}},
    "mask": BINARY,
}


def document(**content: Any) -> dict[str, Any]:
    body = {"required": True, "content": content}
    item = {"type": "object", "properties": {"url": {"type": "string"}}}
    answer = {
        "type": "object",
        "properties": {"created": {"type": "integer"}, "data": {"type": "array", "items": item}},
    }
    responses = {"200": {"description": "d", "content": {"application/json": {"schema": answer}}}}
    edit = {"type": "object", "properties": FIELDS, "required": ["image", "prompt"]}
    return {
        "openapi": "3.0.3",
        "info": {"title": "edits", "version": "1"},
        "paths": {PATH: {"post": {"requestBody": body, "responses": responses}}},
        "components": {
            "schemas": {"Edit": edit, "Text": {"type": "object", "properties": FIELDS, "required": ["prompt"]}}
        },
    }


EDIT, TEXT = {"schema": {"$ref": "#/components/schemas/Edit"}}, {"schema": {"$ref": "#/components/schemas/Text"}}


@pytest.fixture
def edits() -> MockServer:
    return create_app(Contract.load(document(**{"multipart/form-data": EDIT})), Settings(seed=1))


@pytest.fixture
def texts() -> MockServer:
    return create_app(Contract.load(document(**{"application/x-www-form-urlencoded": TEXT})))


def recorded(app: MockServer) -> Any:
    return app.journal.exchanges()[-1].body


def test_openai_s_images_edit_works_over_a_port(edits: MockServer, serve: Callable[..., Any], png: bytes) -> None:
    with serve(edits) as origin:
        client = openai.OpenAI(base_url=f"{origin}/v1", api_key="k", max_retries=0)
        answer = client.images.edit(
            model="gpt-image-1", image=[("a.png", png), ("b.png", png + b"2")], prompt="2", n=2, size="1024x1024"
        )
        assert answer.data is not None
        assert len(answer.data) == 2
        assert httpx.get(answer.data[0].url or "").headers["content-type"] == "image/png"
        single = client.images.edit(model="gpt-image-1", image=("a.png", png), prompt="2")
        assert single.data is not None
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(model="gpt-image-1", image=[("a.png", png)], prompt="2", n=9)
    assert "less than or equal to 4" in refused.value.response.text
    many, one, _ = [exchange.body for exchange in edits.journal.exchanges()]
    assert [picture["$picture"]["sha256"] for picture in many.pop("image")] == [
        hashlib.sha256(data).hexdigest() for data in (png, png + b"2")
    ]
    assert many == {"model": "gpt-image-1", "prompt": "2", "n": 2, "size": "1024x1024"}
    assert one["image"]["$picture"] == {
        "sha256": hashlib.sha256(png).hexdigest(), "media_type": "image/png", "bytes": len(png), "pixels": [8, 8], "data_uri": False,
    }  # fmt: skip


CASES: list[tuple[list[tuple[str, str]], dict[str, Any]]] = [
    ([("n", "2"), ("prompt", "2")], {"n": 2, "prompt": "2"}),
    ([("prompt", "true"), ("stream", "true")], {"prompt": "true", "stream": True}),
    ([("prompt", "null"), ("n", "null")], {"prompt": "null", "n": None}),
    ([("prompt", ""), ("strength", "1e-1")], {"prompt": "", "strength": 0.1}),
    ([("prompt", "x"), ("tags", "1")], {"prompt": "x", "tags": ["1"]}),
    ([("prompt", "x"), ("tags", "a"), ("tags", "2")], {"prompt": "x", "tags": ["a", "2"]}),
    ([("prompt", "x"), ("tags[]", "a"), ("tags[]", "b")], {"prompt": "x", "tags": ["a", "b"]}),
    ([("prompt", "x"), ("seeds[]", "1")], {"prompt": "x", "seeds": [1]}),
    ([("prompt", "x"), ("seeds[0]", "1"), ("seeds[1]", "2")], {"prompt": "x", "seeds": [1, 2]}),
    ([("prompt", "x"), ("options", '{"steps": 3}')], {"prompt": "x", "options": {"steps": 3}}),
    (
        [("prompt", "x"), ("options[steps]", "3"), ("options[name]", "4")],
        {"prompt": "x", "options": {"steps": 3, "name": "4"}},
    ),
    ([("prompt", "x"), ("tags[]", "a"), ("tags[b]", "c"), ("tags", "d")], {"prompt": "x", "tags": ["a", "c", "d"]}),
    ([("prompt", "x"), ("unknown", "5")], {"prompt": "x", "unknown": "5"}),
    ([("prompt", "a&b=c%20ü\n"), ("unknown[]", "5")], {"prompt": "a&b=c%20ü\n", "unknown": ["5"]}),
]
REFUSED: list[tuple[list[tuple[str, str]], str]] = [
    ([("prompt", "x"), ("n", "two")], "Expected number | null, received string"),
    ([("prompt", "x"), ("n", "1.5")], "received float"),
    ([("prompt", "x"), ("n", "")], "received string"),
    ([("prompt", "x"), ("n", "9")], "less than or equal to 4"),
    ([("prompt", "x"), ("stream", "True")], "Expected boolean, received string"),
    ([("prompt", "x"), ("seeds", "1"), ("seeds", "b")], "Expected number, received string"),
    ([("prompt", "x" * 101)], "at most 100 character"),
    ([("n", "1")], "Required"),
]


@pytest.mark.parametrize(("fields", "expected"), CASES)
@pytest.mark.parametrize("is_multipart", [False, True])
def test_fields_have_the_types_of_the_schema(
    texts: MockServer,
    edits: MockServer,
    call: Call,
    png: bytes,
    fields: list[tuple[str, str]],
    expected: dict[str, Any],
    is_multipart: bool,
) -> None:
    app = edits if is_multipart else texts
    answer = submit(app, call, fields, png if is_multipart else None)
    assert answer.status_code == 200, answer.text
    body = recorded(app)
    body.pop("image", None)
    assert body == expected


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_a_field_that_breaks_the_schema_is_refused(
    texts: MockServer, call: Call, fields: list[tuple[str, str]], reason: str
) -> None:
    answer = submit(texts, call, fields, None)
    assert (answer.status_code, reason in answer.text) == (400, True), answer.text


def submit(app: MockServer, call: Call, fields: list[tuple[str, str]], png: bytes | None) -> httpx.Response:
    if png is None:
        return call(
            app,
            PATH,
            content=urlencode(fields).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    files: list[tuple[str, Any]] = [
        ("image", ("a.png", png, "image/png")),
        *((name, (None, value)) for name, value in fields),
    ]
    request = httpx.Request("POST", "http://x", files=files)
    return call(app, PATH, content=request.read(), headers={"content-type": request.headers["content-type"]})


def test_a_field_that_counts_once_and_is_sent_twice_is_reported(texts: MockServer, call: Call) -> None:
    assert (
        submit(texts, call, [("prompt", "a"), ("tags", "x"), ("tags", "y"), ("prompt", "b")], None).status_code == 200
    )
    (exchange,) = texts.journal.exchanges()
    assert exchange.body["prompt"] == "b"
    assert [(found["id"], "'prompt'" in found["message"]) for found in exchange.findings] == [
        ("request-duplicate-key", True)
    ]


def test_each_media_type_has_its_own_schema_and_others_are_refused(call: Call, png: bytes) -> None:
    app = create_app(Contract.load(document(**{"multipart/form-data": EDIT, "application/json": TEXT})))
    assert call(app, PATH, json={"prompt": "x"}).status_code == 200
    assert call(app, PATH, files={"prompt": (None, "x")}).status_code == 400
    assert call(app, PATH, files={"prompt": (None, "x"), "image": ("a", png)}).status_code == 200
    for content_type in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = call(app, PATH, content=b"prompt=x", headers={"content-type": content_type})
        assert (answer.status_code, "send multipart/form-data or application/json" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("content_type", "content", "status", "reason"),
    [
        pytest.param("multipart/form-data", b"x", 400, "no boundary", id="no boundary"),
        pytest.param("multipart/form-data; boundary=x", b"", 400, "empty; send multipart/form-data", id="empty"),
        pytest.param("multipart/form-data; boundary=x", b"--y\r\n", 400, "Malformed multipart", id="another boundary"),
        pytest.param(
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
            400,
            "ends before its last boundary",
            id="cut",
        ),
        pytest.param(
            "multipart/form-data; boundary=x",
            b"--x\r\nA: b\r\n\r\nb\r\n--x--\r\n",
            400,
            "no name",
            id="a part without a name",
        ),
        pytest.param(
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xe9\r\n--x--',
            400,
            "not UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            "multipart/form-data; boundary=x", b"\r\n--x" * 100_001, 413, "more than 100,000 fields", id="many parts"
        ),
    ],
)
def test_a_broken_form_is_refused_with_the_reason(
    edits: MockServer, call: Call, content_type: str, content: bytes, status: int, reason: str
) -> None:
    answer = call(edits, PATH, content=content, headers={"content-type": content_type})
    assert (answer.status_code, reason in answer.text) == (status, True), answer.text


@pytest.mark.parametrize(
    ("files", "fields"),
    [
        pytest.param({"prompt": ("p.txt", b"x"), "image": ("a", b"1")}, ["prompt"], id="a file for a text"),
        pytest.param({"prompt": (None, b"x"), "image": (None, b"1")}, ["image"], id="a text for a file"),
        pytest.param(
            {"prompt": (None, b"x"), "image[]": ("a", b"1"), "n": (None, "1"), "y": ("b", b"2")}, [], id="neither"
        ),
    ],
)
def test_a_file_and_a_text_are_told_apart(
    edits: MockServer, call: Call, files: dict[str, Any], fields: list[str]
) -> None:
    assert call(edits, PATH, files=files).status_code == 200
    told = edits.journal.exchanges()[-1].findings
    findings = [found for found in told if found["id"] == "request-form-field"]
    assert [(found["id"], found["severity"]) for found in findings] == [("request-form-field", "warning")] * len(fields)
    assert all(f"'{name}'" in found["message"] for name, found in zip(fields, findings, strict=True))


def test_a_long_form_is_413(texts: MockServer, call: Call) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert call(texts, PATH, content=b"a&" * 100_000, headers=headers).status_code == 413


def test_an_empty_file_field_of_a_browser_is_no_file(edits: MockServer, call: Call, png: bytes) -> None:
    part = httpx.Request("POST", "http://x", files={"prompt": (None, "x"), "image": ("a.png", png)})
    boundary = part.headers["content-type"].partition("boundary=")[2].encode()
    empty = (
        b'--%b\r\nContent-Disposition: form-data; name="mask"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
        % boundary
    )
    answer = call(edits, PATH, content=empty + part.read(), headers={"content-type": part.headers["content-type"]})
    assert (answer.status_code, "mask" in recorded(edits)) == (200, False)


def test_a_file_is_drawn_as_an_input(edits: MockServer, call: Call, png: bytes) -> None:
    def url(data: bytes) -> str:
        link: str = call(edits, PATH, files={"prompt": (None, "x"), "image": ("a.png", data)}).json()["data"][0]["url"]
        return link

    assert url(png) == url(png) != url(png + b"2")
    assert call(edits, url(png), method="GET").headers["content-type"] == "image/png"


def test_base64_in_a_form_is_a_picture_in_every_media_type(
    texts: MockServer, edits: MockServer, call: Call, png: bytes
) -> None:
    data = png + bytes(3000)
    text = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    assert submit(texts, call, [("prompt", "x"), ("unknown", text)], None).status_code == 200
    assert submit(edits, call, [("prompt", "x"), ("unknown", text)], png).status_code == 200
    files = {"prompt": (None, "x"), "image": ("a", png), "unknown": (None, orjson.dumps(text), "application/json")}
    assert call(edits, PATH, files=files).status_code == 200
    for app in (texts, edits):
        for exchange in app.journal.exchanges():
            assert exchange.body["unknown"]["$picture"]["bytes"] == len(data)


def test_a_text_whose_length_is_limited_is_judged_whole(texts: MockServer, call: Call, png: bytes) -> None:
    text = f"data:image/png;base64,{base64.b64encode(png + bytes(3000)).decode()}"
    assert submit(texts, call, [("prompt", text)], None).status_code == 400
