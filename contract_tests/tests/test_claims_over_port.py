"""The claims over real uvicorn: few examples, and every fault that a connection can have, those that take time included."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_client import ConnectFailed, DownloadError, TimedOut
from bodydouble_contract_tests import BoundaryCase, boundary_cases
from bodydouble_contract_tests.claims import (
    Call,
    InvalidCall,
    Judge,
    Picture,
    Stage,
    Witness,
    answers,
    calls,
    claim_clients_agree,
    claim_invalid_body_is_refused,
    claim_invalid_call_is_refused,
    claim_only_refused_attempts_are_repeated,
    claim_outcome_fits_the_answer,
    claim_outcome_is_documented,
    claim_request_arrives_conforming,
    claim_request_says_what_the_call_said,
    claim_valid_body_is_accepted,
    claim_valid_call_is_served,
    invalid_calls,
)
from bodydouble_mockserver import Settings
from bodydouble_mockserver.server import Server, bind, server_config
from bodydouble_spec import Contract, Finding
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

CALL = Call("make it night", (Picture("text", "https://example.com/a.png"),), num_images=2)
FAULTS = (
    "reset-before-headers",
    "reset-mid-body",
    "truncated-json",
    "wrong-length",
    "empty",
    "garbage",
    "broken-gzip",
    "slow-drip",
    "hang",
)
HURRIED_S = 0.4
few = settings(max_examples=max(15, settings().max_examples // 7))


@contextmanager
def served(witness: Witness) -> Generator[str]:
    listener = bind("127.0.0.1", 0)
    server = Server(server_config(witness))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small picture, which takes less time to serve than a drawn one."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.new("RGB", (4, 3), "teal").save(folder / "a.png")
    return folder


def same_settings(pictures: Path) -> Settings:
    """Two servers with these give the same answers; in answers with Base64 the picture's address says nothing of the port."""
    return Settings(seed=1, clock=lambda: 1_750_000_000.0, public_url="http://127.0.0.1:1", pictures=pictures)


@pytest.fixture(scope="module", params=[False, True], ids=["blocking", "asynchronous"])
def address(request: pytest.FixtureRequest, vendored: Contract, pictures: Path) -> Iterator[tuple[Witness, str, bool]]:
    """A server with picture addresses of its own port, where it is, and which client calls it."""
    witness = Witness(vendored, Settings(pictures=pictures))
    with served(witness) as origin:
        yield witness, origin, request.param


@pytest.fixture(scope="module")
def pair(vendored: Contract, pictures: Path) -> Iterator[tuple[Stage, Stage]]:
    """The blocking and the asynchronous client, each with a server of its own that gives the same answers."""
    witnesses = [Witness(vendored, same_settings(pictures)) for _ in range(2)]
    with (
        served(witnesses[0]) as first,
        served(witnesses[1]) as second,
        Stage(witnesses[0], first) as blocking,
        Stage(witnesses[1], second, asynchronous=True) as asynchronous,
    ):
        yield blocking, asynchronous


@pytest.fixture(scope="module")
def judge(vendored: Contract) -> Judge:
    return Judge(vendored)


def test_whatever_valid_call_an_app_makes_arrives_as_said_and_its_result_is_the_answer(
    vendored: Contract, judge: Judge, pair: tuple[Stage, Stage], tmp_path_factory: pytest.TempPathFactory
) -> None:
    @few
    @given(calls(vendored, folder=tmp_path_factory.mktemp("inputs")))
    def holds(call: Call) -> None:
        first, second = (stage.meet(call) for stage in pair)
        findings = [
            *claim_valid_call_is_served(first),
            *claim_request_arrives_conforming(first, judge),
            *claim_request_says_what_the_call_said(first),
            *claim_outcome_fits_the_answer(first),
            *claim_clients_agree(first, second),
        ]
        assert findings == []

    holds()


def test_every_invalid_call_is_refused(vendored: Contract, pair: tuple[Stage, Stage]) -> None:
    @few
    @given(invalid_calls(vendored))
    def holds(invalid: InvalidCall) -> None:
        first, second = (stage.meet(invalid.call) for stage in pair)
        findings = claim_invalid_call_is_refused(first, invalid.arguments) + claim_clients_agree(first, second)
        assert findings == []

    holds()


def test_a_boundary_is_where_the_contract_has_it(vendored: Contract, judge: Judge, pair: tuple[Stage, Stage]) -> None:
    @few
    @given(st.sampled_from(boundary_cases(vendored)))
    def holds(case: BoundaryCase) -> None:
        reply = pair[0].post(judge.operation, case.body, orjson.dumps(case.body))
        claim = claim_valid_body_is_accepted if case.valid else claim_invalid_body_is_refused
        assert claim(reply, judge) == []

    holds()


def test_whatever_is_answered_gives_the_result_or_the_documented_error(
    vendored: Contract, pair: tuple[Stage, Stage]
) -> None:
    @few
    @given(answers(vendored))
    def holds(answer: dict[str, Any]) -> None:
        for stage in pair:
            stage.server.reset()
            stage.server.play({"answers": [answer]})
        first, second = (stage.meet(CALL) for stage in pair)
        findings: list[Finding] = [
            *claim_outcome_is_documented(first),
            *claim_outcome_is_documented(second),
            *claim_outcome_fits_the_answer(first),
            *claim_outcome_fits_the_answer(second),
        ]
        assert findings == []

    holds()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("status", [200, 500])
def test_every_fault_of_a_connection_gives_a_documented_error_within_the_deadline(
    address: tuple[Witness, str, bool], status: int, fault: str
) -> None:
    witness, origin, is_asynchronous = address
    witness.reset()
    witness.play({"answers": [{"status": status, "fault": fault, "times": None}]})
    with Stage(witness, origin, asynchronous=is_asynchronous, deadline_s=HURRIED_S, retries=2) as stage:
        encounter = stage.meet(CALL)
    findings = [
        *claim_outcome_is_documented(encounter),
        *claim_only_refused_attempts_are_repeated(encounter),
        # What drips or hangs is cut off by the client, so the witness does not know how it ends.
        *(claim_outcome_fits_the_answer(encounter) if fault not in {"slow-drip", "hang"} else ()),
    ]
    assert findings == []


@pytest.mark.parametrize("answer", [{"fault": "slow-drip"}, {"fault": "hang"}, {"delay": 30}])
def test_an_answer_that_does_not_come_in_time_is_a_time_out(
    address: tuple[Witness, str, bool], answer: dict[str, Any]
) -> None:
    witness, origin, is_asynchronous = address
    witness.reset()
    witness.play({"answers": [answer]})
    with Stage(witness, origin, asynchronous=is_asynchronous, deadline_s=HURRIED_S) as stage:
        encounter = stage.meet(CALL)
    assert claim_outcome_is_documented(encounter) == []
    assert isinstance(encounter.outcome, TimedOut)


def test_no_fault_of_the_server_is_left_out(address: tuple[Witness, str, bool]) -> None:
    assert set(FAULTS) == httpx.get(f"{address[1]}/_bodydouble/faults", trust_env=False).json().keys()


def test_nothing_is_sent_where_nobody_listens(address: tuple[Witness, str, bool]) -> None:
    witness, _, is_asynchronous = address
    with Stage(witness, "http://127.0.0.1:1", asynchronous=is_asynchronous) as stage:
        encounter = stage.meet(CALL)
    assert claim_outcome_is_documented(encounter) == []
    assert isinstance(encounter.outcome, ConnectFailed)


@pytest.mark.parametrize(
    ("answer", "fetched"), [({}, 2), ({"images": "b64_json"}, 2), ({"violation": "unreachable-url"}, 0)]
)
def test_a_picture_comes_or_a_download_error(
    address: tuple[Witness, str, bool], pictures: Path, answer: dict[str, Any], fetched: int
) -> None:
    witness, origin, is_asynchronous = address
    witness.reset()
    witness.play({"answers": [answer]})
    with Stage(witness, origin, asynchronous=is_asynchronous) as stage:
        encounter = stage.meet(CALL, downloads=True)
    assert claim_outcome_is_documented(encounter) == []
    data = (pictures / "a.png").read_bytes()
    lost = sum(isinstance(item, DownloadError) for item in encounter.downloads)
    assert (encounter.downloads.count(data), lost) == (fetched, 2 - fetched)
