"""No false positive: a correct server, independent of the project, has no finding."""

import importlib.util
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from bodydouble_contract_tests.verification import OperationProfile, Target, Verification, VerifyOptions, verify
from bodydouble_spec import Contract, Severity

SOURCE = Path(__file__).parent / "data" / "second_server.py"


@pytest.fixture(scope="module")
def result() -> Iterator[Verification]:
    spec = importlib.util.spec_from_file_location("second_server", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(module.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with Target(f"http://127.0.0.1:{listener.getsockname()[1]}", "second-key") as target:
            yield verify(OperationProfile(Contract.load()), target, VerifyOptions(examples=10))
    finally:
        server.should_exit = True
        thread.join()


def test_it_has_no_finding(result: Verification) -> None:
    assert [finding.to_dict() for finding in result.findings if finding.severity is not Severity.INFO] == []
    assert result.incomplete is None


def test_every_element_of_the_contract_was_proved_on_it(result: Verification) -> None:
    assert {element for element, times in result.coverage.items() if not times} == set()


def test_it_shares_nothing_with_the_project() -> None:
    assert "import bodydouble" not in SOURCE.read_text()
    assert "from bodydouble" not in SOURCE.read_text()
