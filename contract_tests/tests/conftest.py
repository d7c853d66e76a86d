"""Fixtures: contracts of many shapes, examples of strategies, and servers to verify."""

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme
import yaml
from bodydouble_contract_tests.verification import OperationProfile
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from contract_tests.tests.mutants import with_small_pictures
from spec.tests.servers import serve_asgi

_DATA = Path(__file__).parents[2] / "spec" / "tests" / "data"

_SHAPES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "shapes.yaml").read_text(encoding="utf-8"))


def _contract(request: Any, response: Any = None) -> Contract:
    answer = {"description": "Fine.", "content": {"application/json": {"schema": response or {"type": "object"}}}}
    post: dict[str, Any] = {"responses": {"200": answer}}
    if request is not None:
        post["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shapes", "version": "1"},
        "paths": {"/things": {"post": post}},
        "components": {"schemas": _SHAPES["components"]},
    }
    return Contract.load(document, overlay=None)


def _published() -> dict[str, Contract]:
    """Return the vendor's documents in the test data, defects included, except those without a JSON request body."""
    contracts = {file.stem: Contract.load(file) for file in sorted(_DATA.rglob("*.json"))}
    return {name: item for name, item in contracts.items() if any(operation.request for operation in item.operations)}


_PUBLISHED = _published()
_AUTHORITY = trustme.CA()
_NANO_BANANA = next(item for name, item in _PUBLISHED.items() if "2026-08-14" in name)


@pytest.fixture(scope="session")
def contract_of() -> Callable[..., Contract]:
    """Return a contract with one operation, made from the JSON Schemas of its request (None: it takes no body) and its success body."""
    return _contract


@pytest.fixture(scope="session")
def vendored() -> Contract:
    """Return the vendored contract."""
    return Contract.load()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(Contract.load(), id="vendored"),
        pytest.param(Contract.load(overlay=None), id="vendored-without-overlay"),
        pytest.param(_NANO_BANANA, id="nano-banana"),
        *(pytest.param(_contract(schema), id=name) for name, schema in _SHAPES["requests"].items()),
    ],
)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Return each of a few contracts of different shapes."""
    chosen: Contract = request.param
    return chosen


@pytest.fixture(scope="session", params=[pytest.param(item, id=name) for name, item in _PUBLISHED.items()])
def published(request: pytest.FixtureRequest) -> Contract:
    """Return each of the vendor's documents in the test data."""
    chosen: Contract = request.param
    return chosen


@pytest.fixture(scope="session")
def with_operations() -> Contract:
    """Return one of the vendor's documents with more than one operation."""
    return next(item for item in _PUBLISHED.values() if len(item.operations) > 1)


@pytest.fixture(scope="session")
def plainest() -> Callable[..., Any]:
    """Return ``plainest(strategy, condition)``, which gives the example to which one that meets the condition shrinks."""

    def run(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
        chosen = settings(database=None, deadline=None, max_examples=2000)
        return find(strategy, condition, settings=chosen, random=Random(0))

    return run


@pytest.fixture(scope="session")
def collect() -> Callable[..., list[Any]]:
    """Return ``collect(strategy, count)``, which gives that many examples, always the same."""

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
    """Return the vendored contract's operation with sizes of a sixteenth, whose pictures are drawn quickly."""
    return OperationProfile(with_small_pictures(vendored))


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Serve an application with TLS on a free port: ``with serve(app) as origin``."""
    folder = tmp_path_factory.mktemp("certificate")
    issued = _AUTHORITY.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")

    def run(app: MockServer) -> contextlib.AbstractContextManager[str]:
        return serve_asgi(Server(server_config(app, folder / "certificate.pem", folder / "key.pem")))

    return run


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the certificate file of the throw-away authority of `serve`."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    _AUTHORITY.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def trusted(authority: Path) -> ssl.SSLContext:
    """Return a TLS context that trusts the throw-away authority of `serve`."""
    return ssl.create_default_context(cafile=authority)
