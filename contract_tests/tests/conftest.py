"""Contracts of many shapes, a way to look at what a strategy makes, and servers to be verified."""

import contextlib
import copy
import ssl
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme
from bodydouble_contract_tests.verification import OperationProfile
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.server import Server, bind, server_config
from bodydouble_spec import Contract
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

_DATA = Path(__file__).parents[2] / "spec" / "tests" / "data"

# Request schemas of shapes that the vendor's documents do not have together: OpenAPI 3.1, small, one idea each.
_SHAPES: dict[str, dict[str, Any]] = {
    "bounds": {
        "type": "object",
        "required": ["count"],
        "additionalProperties": False,
        "properties": {
            "count": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
            "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "step": {"type": "integer", "multipleOf": 8, "minimum": 64, "maximum": 2048},
            "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 20},
            "both": {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6, "minimum": 1, "maximum": 99}]},
            "large": {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
        },
    },
    "texts": {
        "type": "object",
        "properties": {
            "short": {"type": "string", "minLength": 1, "maxLength": 8},
            "code": {"type": "string", "pattern": "^(?:[A-Z]{2}-\\d{3}|none)$"},
            "word": {"type": "string", "pattern": "\\w", "maxLength": 3},
            "when": {"type": "string", "format": "date-time"},
            "link": {"type": "string", "format": "uri"},
            "web_link": {"type": "string", "pattern": "^https?://"},
            "inline": {"type": "string", "pattern": "^data:image/"},
        },
    },
    "lists": {
        "type": "object",
        "required": ["tags"],
        "properties": {
            "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 1, "uniqueItems": True},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            "matrix": {
                "type": "array",
                "maxItems": 3,
                "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
            },
            "untyped": {"type": "array"},
        },
    },
    "alternatives": {
        "type": "object",
        "properties": {
            "input": {
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "array", "items": {"$ref": "#/components/schemas/Part"}, "minItems": 1},
                ]
            },
            "size": {
                "oneOf": [{"type": "integer", "minimum": 1}, {"type": "number", "maximum": 0.5}, {"const": "auto"}]
            },
            "both": {"allOf": [{"type": "number", "minimum": 1}, {"type": "integer", "maximum": 3}]},
            "maybe": {"type": ["string", "null"], "maxLength": 5},
            "anything": {},
            "nothing": False,
        },
    },
    "recursion": {
        "type": "object",
        "required": ["tree"],
        "properties": {"tree": {"$ref": "#/components/schemas/Tree"}},
        "maxProperties": 3,
    },
    "list-at-the-top": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 4},
    "map": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "integer", "minimum": 0}},
}  # fmt: skip
_COMPONENTS = {
    "Part": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["text", "image"]}, "text": {"type": "string"}},
    },
    "Tree": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
    },
}


def _contract(request: Any, response: Any = None) -> Contract:
    answer = {"description": "Fine.", "content": {"application/json": {"schema": response or {"type": "object"}}}}
    post: dict[str, Any] = {"responses": {"200": answer}}
    if request is not None:
        post["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shapes", "version": "1"},
        "paths": {"/things": {"post": post}},
        "components": {"schemas": _COMPONENTS},
    }
    return Contract.load(document, overlay=None)


def _published() -> dict[str, Contract]:
    """The vendor's documents in the test data, broken as they are, except those in which nothing takes a JSON body."""
    contracts = {file.stem: Contract.load(file) for file in sorted(_DATA.rglob("*.json"))}
    return {name: item for name, item in contracts.items() if any(operation.request for operation in item.operations)}


_PUBLISHED = _published()
_AUTHORITY = trustme.CA()
_NANO_BANANA = next(item for name, item in _PUBLISHED.items() if "2026-08-14" in name)


@pytest.fixture(scope="session")
def contract_of() -> Callable[..., Contract]:
    """A contract with one operation, from the JSON Schemas of its request (None: it takes no body) and its success body."""
    return _contract


@pytest.fixture(scope="session")
def vendored() -> Contract:
    """The vendored contract."""
    return Contract.load()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(Contract.load(), id="vendored"),
        pytest.param(Contract.load(overlay=None), id="vendored-without-overlay"),
        pytest.param(_NANO_BANANA, id="nano-banana"),
        *(pytest.param(_contract(schema), id=name) for name, schema in _SHAPES.items()),
    ],
)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Each of a few contracts of different shapes."""
    chosen: Contract = request.param
    return chosen


@pytest.fixture(scope="session", params=[pytest.param(item, id=name) for name, item in _PUBLISHED.items()])
def published(request: pytest.FixtureRequest) -> Contract:
    """Each of the vendor's documents in the test data."""
    chosen: Contract = request.param
    return chosen


@pytest.fixture(scope="session")
def with_operations() -> Contract:
    """A document of the vendor's with more than one operation."""
    return next(item for item in _PUBLISHED.values() if len(item.operations) > 1)


@pytest.fixture(scope="session")
def plainest() -> Callable[..., Any]:
    """``plainest(strategy, condition)``: what an example that meets the condition shrinks to."""

    def run(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
        return find(strategy, condition, settings=settings(database=None, deadline=None), random=Random(0))

    return run


@pytest.fixture(scope="session")
def collect() -> Callable[..., list[Any]]:
    """``collect(strategy, count)``: so many examples, the same every time."""

    def run(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
        examples: list[Any] = []

        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(strategy)
        def keep(example: Any) -> None:
            examples.append(example)

        keep()
        return examples

    return run


@pytest.fixture(scope="session")
def profile(vendored: Contract) -> OperationProfile:
    """The vendored contract's operation with documented sizes of a sixteenth, whose pictures are drawn in no time."""
    document: dict[str, Any] = copy.deepcopy(dict(vendored.document))
    (operation,) = (operation for path in document["paths"].values() for operation in path.values())
    sizes = operation["x-sizes"]
    operation["x-sizes"] = {ratio: [width // 16, height // 16] for ratio, (width, height) in sizes.items()}
    return OperationProfile(Contract.load(document, overlay=None))


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Serves an application with TLS on a free port: ``with serve(app) as origin``."""
    folder = tmp_path_factory.mktemp("certificate")
    issued = _AUTHORITY.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")

    @contextlib.contextmanager
    def run(app: MockServer) -> Generator[str]:
        listener = bind("127.0.0.1", 0)
        server = Server(server_config(app, folder / "certificate.pem", folder / "key.pem"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            listener.close()

    return run


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate file of the throw-away authority of `serve`."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    _AUTHORITY.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def trusted(authority: Path) -> ssl.SSLContext:
    """A TLS context that trusts the throw-away authority of `serve`."""
    return ssl.create_default_context(cafile=authority)
