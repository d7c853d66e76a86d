"""``bodydouble serve`` with failures on demand: scripts, latency, random failures, and errors in scripts."""

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble.app import app
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from typer.testing import CliRunner

from spec.tests.servers import run_serve

Start = Callable[..., AbstractContextManager[httpx.Client]]
PATH = "/v1/images/generations"
BODY = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "Put the dress on the woman",
    "image_urls": ["https://example.com/dress.png"],
}


def refuse(*arguments: str) -> str:
    """Return the standard error of a server that cannot start with exit code 2."""
    result = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.fixture
def start() -> Start:
    """Run the command in its own process: ``with start("--seed", "1") as client``."""

    @contextmanager
    def run(*arguments: str) -> Generator[httpx.Client]:
        with (
            run_serve("--quiet", *arguments) as server,
            httpx.Client(base_url=server.address, headers={"authorization": "Bearer k"}, timeout=30) as client,
        ):
            yield client

    return run


def statuses(client: httpx.Client, number: int) -> list[int]:
    return [client.post(PATH, json=BODY).status_code for _ in range(number)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script.json", '{"answers": [{"status": 429, "times": 2}, {"status": 503}]}'),
        ("script.yaml", "answers:\n  - {status: 429, times: 2}  # busy\n  - status: 503\n"),
    ],
)
def test_a_script_in_a_file_is_played(start: Start, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with start("--scenario", str(file)) as client:
        assert statuses(client, 4) == [429, 429, 503, 200]


def test_random_failures_depend_on_the_seed(start: Start) -> None:
    mock = create_app(settings=Settings(seed=7, fail_rate=0.5))
    with MockTransport(mock) as transport, httpx.Client(transport=transport, base_url="http://localhost") as client:
        client.headers["authorization"] = "Bearer k"
        wanted = statuses(client, 30)
    with start("--fail-rate", "0.5", "--seed", "7") as client:
        assert statuses(client, 30) == wanted
    assert {200} < {*wanted} <= {200, 500, 502, 503, 504}


def test_every_answer_takes_the_latency(start: Start) -> None:
    with start("--latency", ".05...06") as client:
        assert client.post(PATH, json=BODY).elapsed.total_seconds() >= 0.05


def test_a_fault_breaks_the_answer_of_the_command(start: Start) -> None:
    with start() as client:
        with pytest.raises(httpx.ReadError):
            client.post(PATH, json=BODY, headers={"prefer": "fault=reset-before-headers"})
        assert statuses(client, 1) == [200]


def test_the_control_routes_follow_their_options(start: Start) -> None:
    with start("--control-key", "sesame", "--control-host", "Mock") as client:
        asked: list[dict[str, str]] = [
            {},
            {"authorization": "Bearer sesame"},
            {"authorization": "Bearer sesame", "host": "mock:80"},
            {"authorization": "Bearer sesame", "host": "other"},
        ]
        assert [client.get("/_bodydouble/health", headers=headers).status_code for headers in asked] == [
            401,
            200,
            200,
            403,
        ]


def test_the_control_routes_can_be_closed(start: Start) -> None:
    with start("--no-control") as client:
        assert client.get("/_bodydouble/health").status_code == 404


MISTAKES: list[tuple[Any, str]] = [
    ({"answers": [{"status": 429}, {"staus": 500}]}, "/answers/1/staus: unknown key"),
    ({"answers": [{"status": 99}]}, "/answers/0/status: "),
    ({"answers": [{"match": {"prompt": "("}}]}, "/answers/0/match/prompt: this is not a valid regular expression"),
    ({"answers": [{"body": {"data": []}}]}, "/answers/0/body/data: this body breaks the contract"),
    ({"answers": [{"headers": {"x": "1\r\ny: 2"}}]}, "/answers/0/headers/x: a header's value must be one line"),
    ({"answers": [{}] * 1001}, "/answers: this must be a list of at most 1000 answers"),
    ({"limits": {"credits": -1}}, "/limits/credits: this must be a whole number, 0 or more"),
    ([], "/: a scenario is an object"),
    ("text", "/: a scenario is an object"),
]


@pytest.mark.parametrize(("script", "said"), MISTAKES, ids=[said[:30] for _, said in MISTAKES])
def test_a_mistake_in_a_script_is_reported_with_its_place(tmp_path: Path, script: Any, said: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(script), encoding="utf-8")
    assert refuse("--scenario", str(file)).startswith(f"bodydouble serve: --scenario {file}: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the document is empty"),
        ("answers: [", "not JSON (line 1, column 1"),
        ("- status: 429", "as YAML it is not an object"),
        ("answers:\n  - status: 429\n    1: 2\n", "/answers/0/1: unknown key"),
        ("answers:\n  - violation: true\n    body: !!set {a, b}\n", "not YAML (line 3"),
        ("answers:\n  - &a [*a]\n", "script.yaml: "),
        ("answers:\n  - !!python/object/apply:os.getcwd []\n", "not JSON"),
    ],
    ids=["empty", "unfinished", "no mapping", "key that is a number", "set", "endless", "Python object"],
)
def test_a_file_that_is_not_a_script_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(text, encoding="utf-8")
    message = refuse("--scenario", str(file))
    assert message.startswith("bodydouble serve: ")
    assert str(file) in message
    assert said in message
    assert message.count("\n") == 1


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        assert str(path) in refuse("--scenario", str(path))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--latency", "soon"),
        ("--latency", "-1"),
        ("--latency", "2..1"),
        ("--latency", "3601"),
        ("--latency", "1.."),
        ("--latency", ""),
        ("--fail-rate", "1.1"),
        ("--fail-rate", "-0.1"),
        ("--fail-rate", "often"),
        ("--fail-rate", "nan"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_option(option: str, value: str) -> None:
    assert option in refuse(f"{option}={value}")
