"""The claims over real uvicorn: few examples, and every fault of a connection, slow ones included."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_client import ConnectFailed, DownloadError, TimedOut
from bodydouble_contract_tests import BoundaryCase, boundary_cases
from bodydouble_contract_tests.claims.calls import ClientCall, InputPicture, calls
from bodydouble_contract_tests.claims.claims import (
    CrossValidator,
    claim_clients_agree,
    claim_invalid_body_is_refused,
    claim_invalid_call_is_refused,
    claim_only_refused_attempts_are_repeated,
    claim_outcome_is_documented,
    claim_outcome_matches_the_answer,
    claim_request_arrives_conforming,
    claim_request_matches_the_call,
    claim_valid_body_is_accepted,
    claim_valid_call_is_served,
)
from bodydouble_contract_tests.claims.harness import Harness, RecordingServer
from bodydouble_mockserver import Settings
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract, Finding
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contract_tests.tests.strategies.answers import answers
from contract_tests.tests.strategies.invalid_calls import InvalidCall, invalid_calls
from spec.tests.servers import serve_asgi

CALL = ClientCall("make it night", (InputPicture("text", "https://example.com/a.png"),), num_images=2)
HURRIED_S = 0.4
few = settings(max_examples=max(15, settings().max_examples // 7))


def served(server: RecordingServer) -> AbstractContextManager[str]:
    return serve_asgi(Server(server_config(server)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one picture of the documented size, which is faster to serve than a drawn one."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.new("RGB", (1024, 1024), "teal").save(folder / "a.png")
    return folder


def same_settings(pictures: Path) -> Settings:
    """Return settings with which two servers give the same answers, whatever their ports."""
    return Settings(seed=1, clock=lambda: 1_750_000_000.0, public_url="http://127.0.0.1:1", pictures=pictures)


@pytest.fixture(scope="module", params=[False, True], ids=["blocking", "asynchronous"])
def address(
    request: pytest.FixtureRequest, vendored: Contract, pictures: Path
) -> Iterator[tuple[RecordingServer, str, bool]]:
    """Return a server whose picture URLs have its own port, its origin, and whether the client is asynchronous."""
    server = RecordingServer(vendored, Settings(pictures=pictures))
    with served(server) as origin:
        yield server, origin, request.param


@pytest.fixture(scope="module")
def pair(vendored: Contract, pictures: Path) -> Iterator[tuple[Harness, Harness]]:
    """Yield the blocking and the asynchronous client, each with a server of its own that gives the same answers."""
    servers = [RecordingServer(vendored, same_settings(pictures)) for _ in range(2)]
    with (
        served(servers[0]) as first,
        served(servers[1]) as second,
        Harness(servers[0], first) as blocking,
        Harness(servers[1], second, asynchronous=True) as asynchronous,
    ):
        yield blocking, asynchronous


@pytest.fixture(scope="module")
def validator(vendored: Contract) -> CrossValidator:
    return CrossValidator(vendored)


def test_a_valid_call_arrives_unchanged_and_its_result_equals_the_answer(
    vendored: Contract,
    validator: CrossValidator,
    pair: tuple[Harness, Harness],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @few
    @given(calls(vendored, folder=tmp_path_factory.mktemp("inputs")))
    def holds(call: ClientCall) -> None:
        first, second = (harness.run(call) for harness in pair)
        findings = [
            *claim_valid_call_is_served(first),
            *claim_request_arrives_conforming(first, validator),
            *claim_request_matches_the_call(first),
            *claim_outcome_matches_the_answer(first),
            *claim_clients_agree(first, second),
        ]
        assert findings == []

    holds()


def test_every_invalid_call_is_refused(vendored: Contract, pair: tuple[Harness, Harness]) -> None:
    @few
    @given(invalid_calls(vendored))
    def holds(invalid: InvalidCall) -> None:
        first, second = (harness.run(invalid.call) for harness in pair)
        findings = claim_invalid_call_is_refused(first, invalid.arguments) + claim_clients_agree(first, second)
        assert findings == []

    holds()


def test_a_boundary_case_is_accepted_or_refused_as_the_contract_says(
    vendored: Contract, validator: CrossValidator, pair: tuple[Harness, Harness]
) -> None:
    @few
    @given(st.sampled_from(boundary_cases(vendored)))
    def holds(case: BoundaryCase) -> None:
        posted = pair[0].post(validator.operation, case.body, orjson.dumps(case.body))
        claim = claim_valid_body_is_accepted if case.valid else claim_invalid_body_is_refused
        assert claim(posted, validator) == []

    holds()


def test_any_answer_gives_the_result_or_the_documented_error(vendored: Contract, pair: tuple[Harness, Harness]) -> None:
    @few
    @given(answers(vendored))
    def holds(answer: dict[str, Any]) -> None:
        for harness in pair:
            harness.server.reset()
            harness.server.play({"answers": [answer]})
        first, second = (harness.run(CALL) for harness in pair)
        findings: list[Finding] = [
            *claim_outcome_is_documented(first),
            *claim_outcome_is_documented(second),
            *claim_outcome_matches_the_answer(first),
            *claim_outcome_matches_the_answer(second),
        ]
        assert findings == []

    holds()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("status", [200, 500])
def test_every_fault_of_a_connection_gives_a_documented_error_within_the_deadline(
    address: tuple[RecordingServer, str, bool], status: int, fault: str
) -> None:
    server, origin, is_asynchronous = address
    server.reset()
    server.play({"answers": [{"status": status, "fault": fault, "times": None}]})
    with Harness(server, origin, asynchronous=is_asynchronous, deadline_s=HURRIED_S, retries=2) as harness:
        record = harness.run(CALL)
    findings = [
        *claim_outcome_is_documented(record),
        *claim_only_refused_attempts_are_repeated(record),
        # What drips or hangs is cut off by the client, so the server does not see the end.
        *(claim_outcome_matches_the_answer(record) if fault not in {"slow-drip", "hang"} else ()),
    ]
    assert findings == []


@pytest.mark.parametrize("answer", [{"fault": "slow-drip"}, {"fault": "hang"}, {"delay": 30}])
def test_an_answer_that_does_not_come_in_time_is_a_time_out(
    address: tuple[RecordingServer, str, bool], answer: dict[str, Any]
) -> None:
    server, origin, is_asynchronous = address
    server.reset()
    server.play({"answers": [answer]})
    with Harness(server, origin, asynchronous=is_asynchronous, deadline_s=HURRIED_S) as harness:
        record = harness.run(CALL)
    assert claim_outcome_is_documented(record) == []
    assert isinstance(record.outcome, TimedOut)


def test_a_closed_port_is_a_failed_connection(address: tuple[RecordingServer, str, bool]) -> None:
    server, _, is_asynchronous = address
    with Harness(server, "http://127.0.0.1:1", asynchronous=is_asynchronous) as harness:
        record = harness.run(CALL)
    assert claim_outcome_is_documented(record) == []
    assert isinstance(record.outcome, ConnectFailed)


@pytest.mark.parametrize(
    ("answer", "fetched"), [({}, 2), ({"images": "b64_json"}, 2), ({"violation": "unreachable-url"}, 0)]
)
def test_a_download_gives_a_picture_or_a_download_error(
    address: tuple[RecordingServer, str, bool], pictures: Path, answer: dict[str, Any], fetched: int
) -> None:
    server, origin, is_asynchronous = address
    server.reset()
    server.play({"answers": [answer]})
    with Harness(server, origin, asynchronous=is_asynchronous) as harness:
        record = harness.run(CALL, downloads=True)
    assert claim_outcome_is_documented(record) == []
    data = (pictures / "a.png").read_bytes()
    lost = sum(isinstance(item, DownloadError) for item in record.downloads)
    assert (record.downloads.count(data), lost) == (fetched, 2 - fetched)
