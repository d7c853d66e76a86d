"""``bodydouble journal``: lists, filters, errors, and code that sends a request again."""

import base64
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble.app import app
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import (
    Contract,
    Evidence,
    Exchange,
    Finding,
    RecordedAnswer,
    RecordedPicture,
    Severity,
    parse_exchange,
)
from bodydouble_spec.snippets import as_curl
from PIL import Image
from typer.testing import CliRunner, Result

from spec.tests.servers import Quiet, serve_asgi, serve_http

PICTURE = RecordedPicture("0" * 64, "image/jpeg", 123_456, (1344, 768), is_data_uri=True)
FINDING = Finding("request-enum", Severity.ERROR, Evidence.DOCUMENTED, "/aspect_ratio", "'x' is not one of 1:1")
Run = Callable[..., Result]


def exchange(number: int, status: int = 200, **changes: Any) -> Exchange:
    members: dict[str, Any] = {
        "id": f"run-{number}",
        "time": f"2026-06-12T10:00:0{number}.000Z",
        "method": "POST",
        "path": "/v1/images/generations",
        "key": "0af31234",
        "headers": {"content-type": "application/json", "user-agent": "app"},
        "body": {"prompt": "it's a café", "image_urls": ["https://example.com/a.png"]},
        "findings": (FINDING.to_dict(),) if status == 400 else (),
        "answer": RecordedAnswer(status, {"x-request-id": "r"}, {"data": []}),
        "duration_s": 0.0123,
    }
    return Exchange(**{**members, **changes})


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(exchange(number, status).to_line() for number, status in ((1, 200), (2, 400), (3, 429))))
    return path


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(app, ["journal", *map(str, arguments)])


def shown_ids(result: Result) -> list[str]:
    return [f"run-{number}" for number in range(1, 10) if f"  run-{number}  " in result.stdout]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ["run-1", "run-2", "run-3"]),
        (["--status", "4xx"], ["run-2", "run-3"]),
        (["--status", "429"], ["run-3"]),
        (["--findings"], ["run-2"]),
        (["--path", "/v2/*"], []),
        (["--since", "2026-06-12T10:00:02Z"], ["run-2", "run-3"]),
        (["--key", "0af31234", "--method", "post", "--show", "run-1"], ["run-1"]),
    ],
)
def test_requests_are_listed_and_filtered(run: Run, journal: Path, options: list[str], found: list[str]) -> None:
    result = run(journal, *options)
    assert (result.exit_code, shown_ids(result)) == (0, found)


def test_findings_are_listed_below_their_request(run: Run, journal: Path) -> None:
    assert "    error request-enum /aspect_ratio: 'x' is not one of 1:1\n" in run(journal, "--findings").stdout


def test_one_request_is_shown_in_full(run: Run, journal: Path) -> None:
    text = run(journal, "--show", "run-1").stdout
    assert '"https://example.com/a.png"' in text
    assert "user-agent: app" in text
    assert "answer 200" in text


def test_json_has_exchanges_and_the_lines_that_could_not_be_read(run: Run, journal: Path) -> None:
    journal.write_bytes(journal.read_bytes() + b'{"torn')
    document = json.loads(run(journal, "--format", "json", "--status", "429").stdout)
    assert document["exchanges"] == [exchange(3, 429).to_dict()]
    assert [finding["id"] for finding in document["findings"]] == ["exchange-torn"]


def test_a_torn_last_line_is_reported_on_standard_error(run: Run, journal: Path) -> None:
    journal.write_bytes(journal.read_bytes() + b'{"torn')
    result = run(journal)
    assert (result.exit_code, shown_ids(result)) == (0, ["run-1", "run-2", "run-3"])
    assert "line 4, the last one, was cut off" in result.stderr
    assert "cut off" not in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--status", "bad"], "--status: 'bad' is not a status"),
        (["--since", "soon"], "--since: 'soon' is not a time"),
        (["--show", "run-9"], "--show run-9: none of the 3"),
        (["--as", "curl", "--status", "500"], "--as: no request matches"),
        (["--as", "perl"], "perl"),
    ],
)
def test_a_wrong_option_is_exit_code_2_with_the_reason(run: Run, journal: Path, options: list[str], said: str) -> None:
    result = run(journal, *options)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_file_that_cannot_be_read_is_named_and_exit_code_2(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "missing.jsonl")
    assert (result.exit_code, "missing.jsonl: No such file or directory" in result.stderr) == (2, True)


HOSTILE = "\x1b[31m\x9b\u202e\r::error::\n##[group]'; touch pwned #$(id)`id`"


@pytest.mark.parametrize("options", [[], ["--show", HOSTILE], ["--as", "curl"], ["--format", "json"]])
def test_no_control_character_of_a_file_reaches_the_terminal(run: Run, tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "journal.jsonl"
    raw = {"bytes": 5, "sha256": HOSTILE, "text": HOSTILE}
    finding = {"id": HOSTILE, "severity": HOSTILE, "pointer": HOSTILE, "message": HOSTILE}
    answer = RecordedAnswer(200, {HOSTILE: HOSTILE}, None, raw)
    headers = {HOSTILE: HOSTILE, "accept": HOSTILE}
    path.write_bytes(
        exchange(
            1, id=HOSTILE, method=HOSTILE, path=HOSTILE, headers=headers, body={HOSTILE: HOSTILE}, findings=(finding,),
            answer=answer, applied=(HOSTILE,), matched=HOSTILE, key=HOSTILE,
        ).to_line()
    )  # fmt: skip
    printed = run(path, *options).output
    assert [letter for letter in printed if not letter.isprintable() and letter != "\n"] == []
    assert not any(line.startswith("::") for line in printed.split("\n"))


def test_no_line_of_a_shown_body_is_a_command_to_the_runner_of_a_ci_job(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    answer = RecordedAnswer(200, {}, None, {"bytes": 40, "sha256": "0", "text": "::error::a ##[error]b"})
    path.write_bytes(exchange(1, answer=answer).to_line())
    lines = [line.strip() for line in run(path, "--show", "run-1").output.split("\n")]
    assert [line for line in lines if line.startswith("::") or "##[" in line] == []
    assert any("error" in line for line in lines)


class Receiver(Quiet, BaseHTTPRequestHandler):
    """Records the requests."""

    got: list[tuple[str, str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.got.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.end_headers()


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[str, list[tuple[str, str, dict[str, str], bytes]]]]:
    Receiver.got = []
    with serve_http(HTTPServer(("127.0.0.1", 0), Receiver)) as origin:
        yield origin, Receiver.got


def test_the_printed_command_sends_the_request_again(run: Run, receiver: tuple[str, list[Any]], tmp_path: Path) -> None:
    origin, got = receiver
    body = {"prompt": 'it\'s "a" café\n$HOME `id` \\ @x', "image_urls": [PICTURE.to_dict()], "n": None, "ok": True}
    path = tmp_path / "journal.jsonl"
    path.write_bytes(exchange(1, path="/v1/images/generations?a=[1]", body=body).to_line())
    command = ["sh", "-c", run(path, "--as", "curl").stdout]
    environment = {**os.environ, "AIMLAPI_BASE_URL": f"{origin}/v1", "AIMLAPI_KEY": "my-key", "NO_PROXY": "*"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    method, target, headers, sent = got[-1]
    assert (method, target) == ("POST", "/v1/images/generations?a=[1]")
    assert (headers["authorization"], headers["content-type"]) == ("Bearer my-key", "application/json")
    arrived = json.loads(sent)
    start, _, picture = arrived["image_urls"].pop().partition(",")
    assert arrived == {**body, "image_urls": []}
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        assert (start, image.format, image.size) == ("data:image/jpeg;base64", "JPEG", (32, 18))


def test_the_printed_command_calls_the_mock_by_default() -> None:
    assert "http://127.0.0.1:8000" in as_curl(exchange(1))


@pytest.mark.parametrize("path", ["@evil.example/", ":80@evil.example", ".evil.example/"])
def test_no_path_changes_the_host_of_the_base_url(path: str) -> None:
    assert f"/{path}" in as_curl(exchange(1, path=path))


KEYS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "header": ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"headers": {"x-key": "k"}}),
    "query": ({"type": "apiKey", "in": "query", "name": "key"}, {"params": {"key": "k", "a": "b"}}),
    "cookie": ({"type": "apiKey", "in": "cookie", "name": "session"}, {"headers": {"cookie": "session=k"}}),
    "basic": ({"type": "http", "scheme": "basic"}, {"headers": {"authorization": "Basic dXNlcjpwNTU="}}),
    "bearer": ({"type": "http", "scheme": "bearer"}, {"headers": {"authorization": "Bearer k"}}),
}
BODIES: dict[str, dict[str, Any]] = {
    "header": {
        "files": {"image": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png"), "prompt": (None, "a=b; @c 'd'")}
    },
    "query": {"data": {"prompt": "a=b&c ü", "n": "2"}},
}


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[str, MockServer]]:
    """Serve a contract with an operation for each kind of key."""
    schema = {
        "type": "object",
        "properties": {
            "prompt": {"type": "string"},
            "n": {"type": "integer"},
            "image": {"type": "string", "format": "binary"},
        },
    }
    types = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
    body = {"content": {name: {"schema": schema} for name in types}}
    parameters = [{"name": "a", "in": "query", "schema": {"type": "string"}}]
    document: dict[str, Any] = {
        "openapi": "3.0.0", "info": {"title": "x", "version": "1"},
        "components": {"securitySchemes": {name: scheme for name, (scheme, _) in KEYS.items()}},
        "paths": {f"/{name}": {"post": {"security": [{name: []}], "parameters": parameters, "requestBody": body, "responses": {"200": {"description": "x"}}}} for name in KEYS},
    }  # fmt: skip
    mock = create_app(Contract.load(document))
    with serve_asgi(Server(server_config(mock))) as origin:
        yield origin, mock


@pytest.mark.parametrize("name", KEYS)
def test_the_key_and_the_body_are_sent_as_the_contract_has_them(secured: tuple[str, MockServer], name: str) -> None:
    origin, mock = secured
    sent = KEYS[name][1] | (BODIES.get(name) or {"json": {"prompt": "a"}})
    httpx.post(f"{origin}/{name}", **sent)
    first = mock.journal.exchanges()[-1]
    command = as_curl(parse_exchange(json.loads(first.to_line())))
    environment = {
        **os.environ,
        "AIMLAPI_BASE_URL": origin,
        "AIMLAPI_KEY": "user:p55" if name == "basic" else "k",
        "NO_PROXY": "*",
    }
    subprocess.run(["sh", "-c", command], env=environment, check=True, capture_output=True)
    again = mock.journal.exchanges()[-1]
    assert again.id != first.id
    assert (first.status, again.status, again.findings) == (200, 200, ())
    assert (again.key, again.path, again.key_in) == (
        first.key,
        first.path.replace("key=***&a=b", "a=b&key=***"),
        first.key_in,
    )
    if name == "header":
        assert again.body["image"]["$picture"]["media_type"] == "image/png"
        assert again.body["prompt"] == first.body["prompt"]
    else:
        assert again.body == first.body


def test_comments_name_the_parts_that_a_journal_does_not_have() -> None:
    raw = {"bytes": 12, "sha256": "0", "text": "{"}
    assert "# its body of 12 bytes was not recorded as JSON" in as_curl(exchange(1, body=None, raw=raw))
    assert "# 1 picture of the request replaced by small ones" in as_curl(exchange(1, body=[PICTURE.to_dict()]))
