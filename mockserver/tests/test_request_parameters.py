"""Parameters over a port: required, typed and listed by the contract; what it does not have is told and never refused."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bodydouble_mockserver import MockServer, create_app
from bodydouble_spec import Contract

Serve = Callable[[MockServer], AbstractContextManager[str]]
CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "request_parameters.yaml").read_text())


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[tuple[MockServer, str]]:
    app = create_app(Contract.load(CASES["document"], overlay=None))
    with serve(app) as origin:
        yield app, origin


def findings_of(app: MockServer) -> list[str]:
    return [f"{item['id']} {item['pointer']}" for item in app.journal.exchanges()[-1].findings]


@pytest.mark.parametrize("case", CASES["accepted"])
def test_parameters_by_the_contract_are_accepted_without_a_finding(
    server: tuple[MockServer, str], case: dict[str, Any]
) -> None:
    app, origin = server
    answer = httpx.get(origin + case["url"], headers=case.get("headers"))
    assert (answer.status_code, findings_of(app)) == (200, []), answer.text


@pytest.mark.parametrize("case", CASES["refused"])
def test_a_parameter_against_the_contract_is_400_with_its_place(
    server: tuple[MockServer, str], case: dict[str, Any]
) -> None:
    app, origin = server
    answer = httpx.get(origin + case["url"], headers=case.get("headers"))
    assert (answer.status_code, findings_of(app)) == (400, case["findings"])
    places = ["/".join(["", *map(str, issue["path"])]) for issue in answer.json()["errors"]]
    # An unknown property is an issue of its object.
    assert places == [finding.split(" ")[1].removesuffix("/other") for finding in case["findings"]]


@pytest.mark.parametrize("case", CASES["told"])
def test_a_parameter_without_evidence_is_told_and_accepted(
    server: tuple[MockServer, str], case: dict[str, Any]
) -> None:
    app, origin = server
    assert httpx.get(origin + case["url"]).status_code == 200
    (finding,) = app.journal.exchanges()[-1].findings
    assert (f"{finding['id']} {finding['pointer']}", finding["severity"]) == (case["finding"], "info")
    assert case["words"] in finding["message"]


def test_faults_of_parameters_and_body_are_listed_together(server: tuple[MockServer, str]) -> None:
    app, origin = server
    answer = httpx.post(f"{origin}/both?size=x", json={"count": "many"})
    assert (answer.status_code, findings_of(app)) == (400, ["request-type /query/size", "request-type /count"])
    assert [issue["path"] for issue in answer.json()["errors"]] == [["query", "size"], ["count"]]
    answer = httpx.post(f"{origin}/both?size=x", content="{", headers={"content-type": "application/json"})
    assert (answer.status_code, findings_of(app)) == (400, ["request-type /query/size", "request-not-json "])


def test_the_value_of_a_secret_header_is_not_shown(server: tuple[MockServer, str]) -> None:
    app, origin = server
    answer = httpx.get(f"{origin}/secret", headers={"X-Api-Token": "canary-of-the-tests"})
    assert (answer.status_code, findings_of(app)) == (400, ["request-pattern /header/X-Api-Token"])
    assert "canary" not in answer.text + str(app.journal.exchanges()[-1])


def test_a_path_parameter_is_checked_and_echoed(server: tuple[MockServer, str]) -> None:
    app, origin = server
    assert httpx.get(f"{origin}/jobs/17").json() == {"id": 17}
    assert httpx.get(f"{origin}/jobs/seventeen").status_code == 400
    assert findings_of(app) == ["request-type /path/id"]


def test_a_path_parameter_that_the_path_lacks_refuses_no_request(serve: Serve) -> None:
    nowhere = {"name": "prefix", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"parameters": [nowhere], "responses": {"200": {"description": "done"}}}
    document = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {"/keys": {"get": operation}}}
    with serve(create_app(Contract.load(document, overlay=None))) as origin:
        assert httpx.get(f"{origin}/keys").status_code == 200
