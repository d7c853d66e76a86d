"""Fixtures of the mock server's tests: contracts, requests by the contract, and calls in process and over a real port."""

import asyncio
import base64
import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract
from hypothesis import strategies as st
from PIL import Image

from spec.tests.servers import serve_asgi

PATH = "/v1/images/generations"
_REVISIONS = Path(__file__).parents[2] / "spec" / "tests" / "data" / "revisions"


def _png(colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def png() -> bytes:
    """Return a small PNG file."""
    return _png()


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return the vendored contract."""
    return Contract.load()


@pytest.fixture(scope="session")
def app(contract: Contract) -> MockServer:
    """Create a mock server with default settings."""
    return create_app(contract)


@pytest.fixture(scope="session")
def pictures_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder with two small pictures, for tests that need quick files or known files."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.png").write_bytes(_png("red"))
    (folder / "b.png").write_bytes(_png("blue"))
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="session")
def edit() -> Callable[..., dict[str, Any]]:
    """Return a function that builds a valid request body with changes; a change to None leaves the key out."""

    def make(**changes: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": "google/gemini-2.5-flash-image-edit",
            "prompt": "Put the dress on the woman",
            "image_urls": ["https://example.com/dress.png", "https://example.com/woman.jpg"],
        }
        return {key: value for key, value in {**body, **changes}.items() if value is not None}

    return make


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    """Provide one event loop for all in-process calls."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def call(loop: asyncio.Runner) -> Callable[..., httpx.Response]:
    """Return a function that calls an app in process: ``call(app, json=body)``; ``key=None`` sends no key."""

    def send(
        app: MockServer,
        path: str = PATH,
        *,
        method: str = "POST",
        key: str | None = "a-key",
        headers: dict[str, str] | list[tuple[bytes, bytes]] | None = None,
        **content: Any,
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            own = httpx.Headers(headers)
            if key is not None:
                own.setdefault("authorization", f"Bearer {key}")
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                return await client.request(method, path, headers=own, **content)

        return loop.run(ask())

    return send


@pytest.fixture(scope="session")
def serve() -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Return a context manager that serves an app on a free port: ``with serve(app) as origin: …``."""

    def run(app: MockServer) -> contextlib.AbstractContextManager[str]:
        return serve_asgi(Server(server_config(app)))

    return run


@pytest.fixture(scope="session")
def origin(app: MockServer, serve: Callable[..., contextlib.AbstractContextManager[str]]) -> Iterator[str]:
    """Serve the default mock server on a real port."""
    with serve(app) as address:
        yield address


_TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=80),
    st.sampled_from(["", "\0", "שלום, \u202eolleh", "😀" * 40, "a" * 20_000, 'quote " and \\ and \u2028']),
)
_PICTURE = base64.b64encode(_png()).decode()
_INPUTS = st.one_of(
    st.sampled_from(
        [
            "https://example.com/a.png",
            "HTTP://user@[::1]:99999/?q#f",
            "http://127.0.0.1:9/%ff%00.png",
            f"data:image/png;base64,{_PICTURE}",
            _PICTURE,
            "/9j/",
        ]
    ),
    st.binary(min_size=1, max_size=60).map(lambda data: f"data:image/webp;base64,{base64.b64encode(data).decode()}"),
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_EXTRAS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    _TEXTS.map(lambda text: f"x{text}"), _JSON, max_size=2
) | st.sampled_from(
    [
        {"response_format": "b64_json"},
        {"response_format": "url"},
        {"n": 9, "size": "1x1"},
        {"seed": 2**63},
        {"image_size": {"width": 1}},
    ]
)


def _numbers(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", -10), schema.get("maximum", 10)
    whole = st.integers(least, most)
    return whole if schema["type"] == "integer" else whole | st.floats(least, most)


def _values(name: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if name == "provider":
        return st.sampled_from(["auto", "Google", "FAL", "somebody-else", ""])
    match schema["type"]:
        case "array":
            return st.lists(_INPUTS, min_size=schema.get("minItems", 0), max_size=schema.get("maxItems", 4))
        case "integer" | "number":
            return _numbers(schema)
        case "boolean":
            return st.booleans()
        case _:
            return _TEXTS


@pytest.fixture(scope="session")
def requests_of() -> Callable[[Contract], st.SearchStrategy[dict[str, Any]]]:
    """Return a function that gives valid request bodies of a contract's only operation, some with unknown keys."""

    def build(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
        schema = contract.operation().request_schema or {}
        properties = {name: _values(name, item) for name, item in schema["properties"].items()}
        known = set(properties)
        required = {name: properties.pop(name) for name in schema.get("required", ())}
        documented = st.fixed_dictionaries(required, optional=properties)

        def together(extras: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in extras.items() if name not in known} | body

        return st.builds(together, _EXTRAS, documented)

    return build


@pytest.fixture(scope="session")
def json_values() -> st.SearchStrategy[Any]:
    """Return a strategy of any JSON value."""
    return _JSON


def _nano_banana() -> dict[str, Any]:
    """Return the structure of the document that replaced this model's on 2026-08-14: another model, other fields, bounds and enums."""
    ratios = ["1:1", "9:16", "16:9", "3:4", "4:3"]
    item = {"url": {"type": "string", "nullable": True}, "b64_json": {"type": "string", "nullable": True}}
    usage = {"credits_used": {"type": "number", "example": 120000}, "usd_spent": {"type": "number", "example": 0.06}}
    answer = {
        "data": {"type": "array", "nullable": True, "items": {"type": "object", "properties": item}},
        "meta": {
            "type": "object",
            "nullable": True,
            "properties": {"usage": {"type": "object", "nullable": True, "properties": usage, "required": [*usage]}},
        },
    }
    request = {
        "model": {"type": "string", "enum": ["google/nano-banana-edit"]},
        "prompt": {"type": "string"},
        "image_urls": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 3},
        "aspect_ratio": {"type": "string", "enum": ratios},
        "enhance_prompt": {"type": "boolean", "default": True},
        "num_images": {"type": "integer", "maximum": 4, "default": 1},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "convert_base64_to_url": {"type": "boolean", "default": True},
        "provider": {"type": "string", "example": "auto"},
    }

    def content(schema: dict[str, Any]) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": {"type": "object", **schema}}}}

    post = {
        "operationId": "_v1_images_generations",
        "requestBody": {"required": True, **content({"properties": request, "required": ["model", "prompt"]})},
        "responses": {"200": content({"properties": answer})},
    }
    info, servers = {"title": "API", "version": "1"}, [{"url": "https://api.aimlapi.com"}]
    return {"openapi": "3.0.0", "info": info, "servers": servers, "paths": {PATH: {"post": post}}}


@pytest.fixture(scope="session")
def nano_banana() -> dict[str, Any]:
    """See ``_nano_banana``."""
    return _nano_banana()


_DOCUMENTS: list[Any] = [
    pytest.param(None, id="vendored"),
    pytest.param(_nano_banana(), id="nano-banana"),
    *(pytest.param(file, id=file.stem) for file in sorted(_REVISIONS.glob("*.json"))),
]


@pytest.fixture(scope="session", params=_DOCUMENTS)
def any_contract(request: pytest.FixtureRequest) -> Contract:
    """Load each contract that this model's document ever had."""
    return Contract.load(request.param)


@pytest.fixture(scope="module")
def own(contract: Contract) -> MockServer:
    """Create a mock server that only one module scripts."""
    return create_app(contract, Settings(seed=1, clock=lambda: 1_780_000_000.0))


@pytest.fixture
def forget_scripts(own: MockServer) -> Iterator[None]:
    """Clear the scripts of that server after the test."""
    yield
    own.reset()


@pytest.fixture
def statuses(
    own: MockServer, call: Callable[..., httpx.Response], edit: Callable[..., dict[str, Any]]
) -> Callable[..., list[int]]:
    """Return a function that makes calls in a row and returns their statuses."""

    def of(number: int, **body: Any) -> list[int]:
        return [call(own, json=edit(**body)).status_code for _ in range(number)]

    return of
