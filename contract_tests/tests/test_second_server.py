"""No false positive: a correct server, independent of the project, has no finding."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from bodydouble_contract_tests.verification import OperationProfile, Target, Verification, VerifyOptions, verify
from bodydouble_spec import Contract, Severity

from spec.tests.servers import serve_asgi

SOURCE = Path(__file__).parent / "data" / "second_server.py"


@pytest.fixture(scope="module")
def result() -> Iterator[Verification]:
    spec = importlib.util.spec_from_file_location("second_server", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = uvicorn.Server(uvicorn.Config(module.app, log_level="error", lifespan="off"))
    with serve_asgi(server) as origin, Target(origin, "second-key") as target:
        yield verify(OperationProfile(Contract.load()), target, VerifyOptions(examples=10))


def test_it_has_no_finding(result: Verification) -> None:
    assert [finding.to_dict() for finding in result.findings if finding.severity is not Severity.INFO] == []
    assert result.incomplete is None


def test_every_element_of_the_contract_was_proved_on_it(result: Verification) -> None:
    assert {element for element, times in result.coverage.items() if not times} == set()


def test_it_shares_nothing_with_the_project() -> None:
    assert "import bodydouble" not in SOURCE.read_text()
    assert "from bodydouble" not in SOURCE.read_text()
