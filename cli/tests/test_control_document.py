"""The OpenAPI document of the control routes: made from the routes, without defects, and kept by them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from bodydouble.app import app
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from starlette.routing import Route
from typer.testing import CliRunner, Result

from spec.tests.servers import serve_asgi

DOCUMENT = "/_bodydouble/openapi.json"
# What the document cannot say: the keys of a scripted answer, an id that exists, the number of calls, and that a journal may be empty.
BEYOND = {
    "POST /_bodydouble/scenarios": {"valid-accepted"},
    "DELETE /_bodydouble/scenarios/{id}": {"valid-accepted"},
    "GET /_bodydouble/requests/{id}": {"valid-accepted"},
    "POST /_bodydouble/requests/verify": {"valid-accepted"},
    "GET /_bodydouble/requests.jsonl": {"answer-conforms"},
}


@pytest.fixture(scope="module")
def server() -> MockServer:
    """Create a mock whose control routes may be used by the page that `verify` stands for."""
    return create_app(settings=Settings(control_hosts=("bodydouble.example",)))


@pytest.fixture(scope="module")
def origin(server: MockServer) -> Iterator[str]:
    """Serve it on a port, with one call in its journal."""
    with serve_asgi(Server(server_config(server))) as address:
        httpx.post(f"{address}/v1/images/generations", json={})
        yield address


@pytest.fixture(scope="module")
def document(origin: str) -> dict[str, Any]:
    """Return the document."""
    found: dict[str, Any] = httpx.get(origin + DOCUMENT).raise_for_status().json()
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--format", "json"])


def test_every_control_route_is_in_the_document(server: MockServer, document: dict[str, Any]) -> None:
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    control = {
        (method, route.path)
        for route in server.routes
        if isinstance(route, Route) and not route.endpoint.__module__.startswith("bodydouble_mockserver.page")
        for method in (route.methods or set()) - {"HEAD"}
        if route.path.startswith("/_bodydouble/")
    }
    assert control - listed == {("GET", "/_bodydouble/events")}
    assert listed - control == set()


def test_the_document_has_no_defect(origin: str) -> None:
    result = run("contract", "check", origin + DOCUMENT, "--fail-on", "warning")
    assert (result.exit_code, len(json.loads(result.stdout)["facts"]["documents"])) == (0, 1), result.stdout


def test_the_control_routes_keep_what_the_document_says(origin: str, document: dict[str, Any]) -> None:
    failed: dict[str, set[str]] = {}
    for path, operations in document["paths"].items():
        for method in operations:
            name = f"{method.upper()} {path}"
            own = ["--contract", origin + DOCUMENT, "--operation", name, "--base-url", origin, "--examples", "0"]
            findings = json.loads(run("verify", "--quiet", *own).stdout)["findings"]
            # Every property is optional here that an answer can do without, and the strict reading asks for each.
            ids = {item["id"].partition("/")[0] for item in findings if item["severity"] == "error"} - {"answer-strict"}
            if ids:
                failed[name] = ids
    assert failed == BEYOND


def test_the_document_asks_for_the_control_key_where_there_is_one() -> None:
    with serve_asgi(Server(server_config(create_app(settings=Settings(control_key="secret"))))) as origin:
        assert httpx.get(origin + DOCUMENT).status_code == 401
        found = httpx.get(origin + DOCUMENT, headers={"Authorization": "Bearer secret"}).json()
    assert found["security"] == [{"controlKey": []}]
    assert found["components"]["securitySchemes"]["controlKey"] == {"type": "http", "scheme": "bearer"}
