"""``bodydouble drift``: findings, repetition, notifications and exit codes."""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bodydouble.app import app
from bodydouble.commands import drift_report
from bodydouble.commands.drift_report import document_address
from bodydouble_spec import Evidence as Known
from bodydouble_spec import Exchange, Finding, RecordedAnswer, Report, ReportFormat, Severity, provenance, render
from bodydouble_spec.diff import schemas
from bodydouble_spec.recording import CallFacts, RecordingFolder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from spec.tests.servers import Quiet, serve_http

ROOT = Path(__file__).resolve().parents[2]
REVISIONS = ROOT / "spec" / "tests" / "data"
NOVEMBER = REVISIONS / "revision-2025-11-27-d2ee08c0.json"
JANUARY = REVISIONS / "revision-2026-01-16-b8e4f5ad.json"
ADOPTED = REVISIONS / "revision-2026-06-12-4cd011cd.json"
REPLACED = REVISIONS / "revision-2026-08-14-87ef44bd.json"
OPERATION = "POST /v1/images/generations"
PAGE = '## Response\n\n```json\n{"images": [{"url": "https://example.org/1.png"}]}\n```\n'
GOOD_ANSWER = {
    "data": [{"url": "https://example.org/1.png", "b64_json": None}],
    "meta": {"usage": {"credits_used": 84000}},
}
GOOD_PAGE = '## Response\n\n```json\n{"data": [{"url": "https://example.org/1.png", "b64_json": null}], "meta": {"usage": {"credits_used": 1}}}\n```\n'


class Publisher(ThreadingHTTPServer):
    """A server with one document at each path, which answers 304 to a matching ETag and receives notifications."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = ADOPTED.read_bytes()
        self.answered: list[int] = []
        self.notified: list[dict[str, Any]] = []
        self.refuses = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/openapi.json"

    @property
    def hook(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/hook"


class Handler(Quiet, BaseHTTPRequestHandler):
    @property
    def publisher(self) -> Publisher:
        assert isinstance(self.server, Publisher)
        return self.server

    def do_GET(self) -> None:
        tag = f'"{hash(self.publisher.content):x}"'
        is_known = self.headers.get("If-None-Match") == tag
        content = b"" if is_known else self.publisher.content
        self.publisher.answered.append(304 if is_known else 200)
        self.send_response(self.publisher.answered[-1])
        self.send_header("ETag", tag)
        if not is_known:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.publisher.refuses:
            self.publisher.notified.append(body)
        self.send_response(500 if self.publisher.refuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    running = Publisher()
    with serve_http(running):
        yield running


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings and notifications of the developer out of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BODYDOUBLE_NOTIFY", raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["drift", *map(str, arguments)])


def compare(*arguments: object) -> Result:
    """Run the command without executing calls, which takes a tenth of the time."""
    return run("--no-impact", *arguments)


def found(result: Result) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return findings


def ids(result: Result) -> list[str]:
    return [finding["id"] for finding in found(result)]


def exchange(body: object, answer: object, number: int = 1) -> Exchange:
    return Exchange(
        id=f"call-{number}",
        time=f"2026-11-{number:02}T10:00:00.000Z",
        method="POST",
        path="/v1/images/generations",
        operation=OPERATION,
        headers={"content-type": "application/json"},
        body=body,
        answer=RecordedAnswer(200, {"content-type": "application/json"}, answer),
    )


def put(path: Path, *exchanges: Exchange) -> Path:
    path.write_bytes(b"".join(one.to_line() for one in exchanges))
    return path


def put_page(folder: Path, text: str = PAGE) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_renamed_property_is_an_error_and_a_new_one_information() -> None:
    result = compare("--contract", NOVEMBER, "--upstream", JANUARY, "--format", "json")
    said = [(item["severity"], item["message"]) for item in found(result)]
    assert len(said) == 2
    assert said[0][0] == "error"
    assert {"tokens_used", "credits_used"} <= set(re.findall(r"\w+", said[0][1]))
    assert said[1][0] == "info"
    assert "aspect_ratio" in said[1][1]


@pytest.fixture(scope="module")
def replaced(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return the result for the overwritten document, with two requests of an app, one of them for a wide picture."""
    body = {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "a cat",
        "image_urls": ["https://example.org/1.png"],
    }
    calls = [exchange({**body, "aspect_ratio": ratio}, {}, number) for number, ratio in enumerate(["1:1", "21:9"], 1)]
    requests = put(tmp_path_factory.mktemp("app") / "requests.jsonl", *calls)
    return run("--upstream", REPLACED, "--requests", requests, "--format", "json")


def test_what_the_app_reads_decides_about_answers(tmp_path: Path) -> None:
    body = {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "a cat",
        "image_urls": ["https://example.org/1.png"],
    }
    requests = put(tmp_path / "requests.jsonl", exchange(body, {}))
    document = json.loads(ADOPTED.read_text(encoding="utf-8"))
    answer = document["paths"]["/v1/images/generations"]["post"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    del answer["properties"]["meta"]
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")
    reads = tmp_path / "reads.txt"
    codes: list[int] = []
    for pointers in ("# the picture\n/data/0/url\n", "/meta/usage/credits_used\n"):
        reads.write_text(pointers, encoding="utf-8")
        codes.append(run("--upstream", "new.json", "--requests", requests, "--reads", reads).exit_code)
    assert codes == [0, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [("data[0].url\n", "'data[0].url' is not a JSON pointer"), ("# nothing\n", "has no JSON pointer")],
)
def test_a_file_of_places_that_is_wrong_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "reads.txt").write_text(content, encoding="utf-8")
    requests = put(tmp_path / "requests.jsonl", exchange({}, {}))
    result = run("--upstream", REPLACED, "--requests", requests, "--reads", "reads.txt")
    assert (result.exit_code, said in result.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--exchanges", "--requests"])
def test_old_calls_and_those_of_another_contract_are_said_to_be_so(tmp_path: Path, option: str) -> None:
    facts = CallFacts("0123456789abcdef", "https://api.example.com").to_extra()
    body = {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "a cat",
        "image_urls": ["https://example.org/1.png"],
    }
    old = replace(exchange(body, GOOD_ANSWER), time="2026-01-02T03:04:05.000Z", extra=facts)
    with RecordingFolder(tmp_path) as folder:
        folder.append(old)
    options = ["--upstream", ADOPTED, option, tmp_path, "--format", "json"]
    report = run(*options)
    rules = {item["id"]: item["message"] for item in found(report)}
    assert ({*rules}, report.exit_code) == ({"recording-expired", "recording-other-contract"}, 0)
    assert "1 of 1 exchanges have expired, the oldest is from 2026-01-02" in rules["recording-expired"]
    source = json.loads(report.stdout)["facts"]["sources"][-1]
    assert (source["address"], source["note"][-24:]) == (str(tmp_path), "2026-01-02 to 2026-01-02")
    assert [item["id"] for item in found(run(*options, "--max-age-days", "36500"))] == ["recording-other-contract"]


def test_the_first_change_of_an_overwritten_document_is_the_replaced_model(replaced: Result) -> None:
    first = next(item for item in found(replaced) if item["source"] == "document")
    assert (first["id"], first["severity"]) == ("model-identity-replaced", "warning")
    assert "google/nano-banana-edit" in first["message"]
    assert replaced.exit_code == 1


def test_a_call_that_would_break_is_shown(replaced: Result) -> None:
    executed = [item["message"] for item in found(replaced) if item["source"] == "document, executed"]
    assert any("edit(aspect_ratio='21:9') will be refused" in message for message in executed)


def test_the_requests_of_the_app_that_would_break_are_counted(replaced: Result) -> None:
    first = found(replaced)[0]
    assert first["message"].startswith(
        "all of your 2 calls are refused: model is now 'google/nano-banana-edit'; with the new name, 1 of"
    )
    assert (first["severity"], {item["severity"] for item in found(replaced)[1:]}) == ("error", {"warning", "info"})


def test_equal_structure_is_no_drift() -> None:
    result = compare("--upstream", ADOPTED, "--format", "json")
    assert (result.exit_code, found(result)) == (0, [])


def test_the_published_document_is_read_by_default() -> None:
    published = provenance()["document"]
    assert document_address(None, has_others=False) == document_address("upstream", has_others=True) == published
    # The app's requests are tried against it, whatever else is compared.
    assert document_address(None, has_others=True, has_requests=True) == published


def test_only_the_given_sources_are_read() -> None:
    assert document_address(None, has_others=True) is None


def test_the_page_is_a_source(tmp_path: Path) -> None:
    result = compare("--page", put_page(tmp_path), "--format", "json")
    (finding,) = found(result)
    assert (finding["id"], finding["source"], result.exit_code) == ("page-example-vacuous", "page, line 4", 1)


def test_recorded_answers_are_a_source(tmp_path: Path) -> None:
    recording = put(tmp_path / "recording.jsonl", exchange({}, {"images": []}))
    sources = {
        item["source"].partition(",")[0] for item in found(compare("--exchanges", recording, "--format", "json"))
    }
    assert sources == {"recording"}


def _named(findings: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each finding, and those that it covers."""
    for item in findings:
        yield item["fingerprint"], item["id"], item["pointer"]
        yield from _named(item.get("covers", []))


@pytest.mark.parametrize("path", ["/v1/images/generations/", "/images/generations"])
def test_drift_and_verify_agree_on_a_recorded_exchange(tmp_path: Path, path: str) -> None:
    body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "a", "image_urls": ["https://example.com/a.png"]}
    answer = {"data": [{"url": "https://example.com/1.png", "b64_json": None}], "surprise": 1}
    spelled = replace(exchange(body, answer), operation=None, path=path, time=datetime.now(UTC).isoformat())
    recording = put(tmp_path / "recording.jsonl", spelled)
    results = [
        CliRunner().invoke(app, [command, "--exchanges", str(recording), "--format", "json"])
        for command in ("drift", "verify")
    ]
    assert [result.exit_code for result in results] == [1, 1]
    drifted, verified = ({*_named(found(result))} for result in results)
    assert drifted == verified
    assert ("answer-strict/undocumented", "/surprise") in {place[1:] for place in drifted}


def test_the_report_of_a_verification_is_a_source(tmp_path: Path) -> None:
    report = tmp_path / "verify.json"
    finding = Finding("image-count", Severity.ERROR, Known.DOCUMENTED, "/data", "2 images for 3", operation=OPERATION)
    report.write_text(render(Report("verify", (finding,)), ReportFormat.JSON), encoding="utf-8")
    (reported,) = found(compare("--exchanges", report, "--format", "json"))
    assert (reported["id"], reported["source"]) == ("image-count", "verify report")


def test_the_findings_of_one_source_are_reported_when_another_cannot_be_read(tmp_path: Path) -> None:
    result = compare("--upstream", tmp_path / "none.json", "--page", put_page(tmp_path), "--format", "json")
    assert (result.exit_code, ids(result)) == (2, ["page-example-vacuous"])
    assert (
        result.stderr
        == f"bodydouble: {tmp_path / 'none.json'}: No such file or directory; name a readable file or an http(s) URL\n"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!doctype html><p>", "an HTML page was returned instead of JSON"),
        (ADOPTED.read_bytes()[:-9], "the JSON is cut off"),
        (b"", "the document is empty"),
        (b"[]", "it is JSON, but not an object"),
    ],
)
def test_a_document_that_cannot_be_read_is_exit_code_2_and_keeps_the_state(
    tmp_path: Path, publisher: Publisher, content: bytes, reason: str
) -> None:
    state = tmp_path / "state.json"
    compare("--upstream", publisher.address, "--state", state)
    before = state.read_bytes()
    publisher.content = content
    result = compare("--upstream", publisher.address, "--state", state)
    assert (result.exit_code, reason in result.stderr, state.read_bytes() == before) == (2, True, True), result.output


def test_every_source_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    result = compare("--upstream", tmp_path / "none.json", "--page", tmp_path / "none.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [Path(line.split(": ")[1]).name for line in result.stderr.splitlines()] == ["none.json", "none.md"]


def test_changes_are_reported_when_running_the_calls_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **_options: object) -> list[Finding]:
        raise ZeroDivisionError("an unexpected error")

    monkeypatch.setattr("bodydouble.commands.drift_report.impact", fail)
    result = run("--upstream", REPLACED, "--format", "json")
    assert ids(result)[0] == "model-identity-replaced"
    assert isinstance(result.exception, ZeroDivisionError)


def published_as(tmp_path: Path, body: str, head: str = "openapi: 3.1.0") -> Result:
    """Compare a document in YAML with one that has another request body."""
    tail = "responses: {'200': {description: d}}"
    for name, start, part in (("old", "openapi: 3.1.0", "schema: {type: object}"), ("new", head, body)):
        content = f"{{content: {{application/json: {{{part}}}}}}}"
        text = f"{start}\ninfo: {{title: t, version: '1'}}\npaths:\n  /x: {{post: {{requestBody: {content},\n    {tail}}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = ["--contract", str(tmp_path / "old.yaml"), "--upstream", str(tmp_path / "new.yaml")]
    return CliRunner().invoke(app, ["drift", *files, "--overlay", "none", "--no-impact"])


def test_a_comparison_beyond_its_budget_is_exit_code_2_and_leaves_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "_MAX_CYCLIC_IN_ALL", 0)
    head = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/0: {post: &a %s}, /1: {post: *a}}\n"
    link = "{$ref: '#/components/schemas/A'}"
    body = f"{{requestBody: {{content: {{application/json: {{schema: {link}}}}}}}, responses: {{'200': {{description: d}}}}}}"
    for name, limit in (("old", 3), ("new", 2)):
        loop = f"components: {{schemas: {{A: {{properties: {{next: {link}}}, maxProperties: {limit}}}}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(head % body + loop, encoding="utf-8")
    state = tmp_path / "state.json"
    files = ["--contract", str(tmp_path / "old.yaml"), "--upstream", str(tmp_path / "new.yaml"), "--state", str(state)]
    result = CliRunner().invoke(app, ["drift", *files, "--overlay", "none", "--no-impact", "--fail-on", "never"])
    assert (result.exit_code, "not all were compared" in result.stderr, state.exists()) == (2, True, False)
    assert "not compared again" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ("swagger: '2.0'", "schema: {type: object}", ["Swagger 2.0"]),
        ("openapi: 3.1.0", "schema: {$ref: 'gone.yaml#/A'}", ["line 4", "gone.yaml, and there is no such file"]),
    ],
)
def test_a_document_that_cannot_be_compared_as_a_whole_is_exit_code_2(
    tmp_path: Path, head: str, body: str, said: list[str]
) -> None:
    result = published_as(tmp_path, body, head)
    assert result.exit_code == 2
    assert all(text in result.output for text in said)


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ("openapi: 3.1", "schema: {type: object}", ["openapi-version", "read as"]),
        ("openapi: 3.1.0", "schema: {type: object, type: object}", ["key-twice", "lines 4 and 4"]),
        ("openapi: 3.1.0", "schema: {type: object, deprecated: no}", ["keyword-malformed", "read as false"]),
        ("openapi: 3.1.0", "schema: {$ref: '#/components/schemas/A'}", ["ref-dangling", "is dangling"]),
    ],
)
def test_a_defect_that_only_the_published_document_has_is_listed_with_its_line(
    tmp_path: Path, head: str, body: str, said: list[str]
) -> None:
    result = published_as(tmp_path, body, head)
    assert result.exit_code == 0
    assert all(text in " ".join(result.output.split()) for text in said)


def test_a_document_that_no_mock_can_answer_is_compared_and_its_calls_are_not_tried(tmp_path: Path) -> None:
    schema: dict[str, Any] = {"type": "array"}
    answer = {"content": {"application/json": {"schema": schema}}, "description": "d"}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"get": {"responses": {"200": answer}}}},
    }
    (tmp_path / "old.json").write_text(json.dumps(document), encoding="utf-8")
    schema["minItems"] = 100_000_000
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")
    files = ["--contract", str(tmp_path / "old.json"), "--upstream", str(tmp_path / "new.json")]
    result = CliRunner().invoke(app, ["drift", *files, "--overlay", "none", "--format", "json"])
    found = [item["id"] for item in json.loads(result.stdout)["findings"]]
    assert result.exit_code == 0
    assert "calls-not-tried" in found
    assert "response-body-min-items-increased" in found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_changes_that_were_found_and_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    state = tmp_path / "state.json"
    files = ("--contract", NOVEMBER, "--upstream", JANUARY, "--page", put_page(tmp_path), "--format", "json")

    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(number)

    # The signal comes while calls are made, when the documents have been compared.
    monkeypatch.setattr(drift_report, "impact", interrupted)
    result = run(*files, "--state", state)
    assert (result.exit_code, state.exists()) == (2, False)
    assert "interrupted" in result.stderr
    changes = json.loads(compare(*files[:4], "--format", "json").stdout)["findings"]
    assert ids(result) == [change["id"] for change in changes] != []


def test_without_a_state_a_drift_is_reported_each_time(tmp_path: Path) -> None:
    page = put_page(tmp_path)
    assert [compare("--page", page).exit_code for _ in range(2)] == [1, 1]


def test_with_a_state_a_drift_is_reported_once(tmp_path: Path) -> None:
    arguments = ("--page", put_page(tmp_path), "--state", tmp_path / "state.json", "--format", "json")
    first, second = compare(*arguments), compare(*arguments)
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert (found(second), json.loads(second.stdout)["facts"]["reported before"]) == ([], 1)


def test_a_document_that_has_not_changed_is_not_sent_again_and_still_compared(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.content = REPLACED.read_bytes()
    arguments = ("--upstream", publisher.address, "--state", tmp_path / "state.json", "--format", "json")
    compare(*arguments)
    second = compare(*arguments, "--contract", NOVEMBER)
    assert publisher.answered == [200, 304]
    assert ids(second)
    assert json.loads(second.stdout)["facts"]["sources"][0]["note"] == "not modified since the last fetch"


def test_a_resolved_drift_is_reported_once(tmp_path: Path) -> None:
    arguments = ("--page", put_page(tmp_path), "--state", tmp_path / "state.json", "--format", "json")
    compare(*arguments)
    put_page(tmp_path, GOOD_PAGE)
    second, third = compare(*arguments), compare(*arguments)
    assert (ids(second), ids(third), second.exit_code) == (["drift-gone/page-example-vacuous"], [], 0)


def test_nothing_is_resolved_while_a_source_is_missing(tmp_path: Path) -> None:
    state, page = tmp_path / "state.json", put_page(tmp_path)
    bad, good = (
        put(tmp_path / f"{name}.jsonl", exchange({}, body))
        for name, body in (("bad", {}), ("good", {"data": [{"url": "a:b"}], "meta": {"usage": {"credits_used": 1}}}))
    )
    compare("--page", page, "--exchanges", bad, "--exchanges", good, "--state", state)
    bad.unlink()
    result = compare("--page", page, "--exchanges", bad, "--exchanges", good, "--state", state, "--format", "json")
    assert (result.exit_code, ids(result)) == (2, [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 7}'])
def test_a_corrupt_state_is_exit_code_2_before_anything_is_fetched(
    tmp_path: Path, publisher: Publisher, text: str
) -> None:
    state = tmp_path / "state.json"
    state.write_text(text, encoding="utf-8")
    result = compare("--upstream", publisher.address, "--state", state)
    assert (result.exit_code, publisher.answered, state.read_text(encoding="utf-8")) == (2, [], text)


def test_a_receiver_gets_new_findings_only(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BODYDOUBLE_NOTIFY", f" {publisher.hook}\n{publisher.hook} ")
    arguments = ("--page", put_page(tmp_path), "--state", tmp_path / "state.json", "--notify", publisher.hook)
    compare(*arguments)
    compare(*arguments)
    assert [got["title"] for got in publisher.notified] == ["Drift from the vendored contract: 1 error"] * 3


def test_an_unsupported_address_is_exit_code_2_before_anything_is_fetched(publisher: Publisher) -> None:
    result = compare("--upstream", publisher.address, "--notify", "nope://s3cr3t")
    assert (result.exit_code, publisher.answered, "s3cr3t" in result.output) == (2, [], False)


def test_a_failed_notification_is_reported_and_changes_nothing(tmp_path: Path, publisher: Publisher) -> None:
    publisher.refuses = True
    result = compare("--page", put_page(tmp_path), "--notify", publisher.hook, "--format", "json")
    assert (result.exit_code, ids(result)) == (1, ["page-example-vacuous"])
    assert "bodydouble: notification 1, JSON: " in result.stderr


def test_findings_that_were_not_delivered_are_reported_again(tmp_path: Path, publisher: Publisher) -> None:
    arguments = ("--page", put_page(tmp_path), "--state", tmp_path / "state.json", "--notify", publisher.hook)
    publisher.refuses = True
    compare(*arguments)
    publisher.refuses = False
    assert (compare(*arguments).exit_code, len(publisher.notified)) == (1, 1)


def test_a_report_that_cannot_be_written_is_still_sent(tmp_path: Path, publisher: Publisher) -> None:
    result = compare("--page", put_page(tmp_path), "--notify", publisher.hook, "--report", "html:/dev/full")
    assert (result.exit_code, len(publisher.notified)) == (2, 1)


def test_configured_severities_are_applied(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text('[tool.bodydouble.drift.severities]\nresponse-property-renamed = "info"\n', encoding="utf-8")
    assert compare("--contract", NOVEMBER, "--upstream", JANUARY).exit_code == 0


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("never", 0)])
def test_the_exit_code_follows_fail_on(tmp_path: Path, fail_on: str, code: int) -> None:
    assert compare("--page", put_page(tmp_path), "--fail-on", fail_on).exit_code == code


@pytest.mark.parametrize("option", ["--contract", "--config", "--requests", "--exchanges", "--page"])
def test_a_missing_file_is_named_and_exit_code_2(tmp_path: Path, option: str) -> None:
    result = run("--upstream", ADOPTED, option, tmp_path / "none.x")
    assert (result.exit_code, "none.x" in result.stderr) == (2, True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=40)
    | st.sampled_from([b"{}", b'{"paths": []}', b'{"openapi": "3.0.0", "paths": {"/x": {"post": 1}}}'])
)
def test_any_published_document_ends_with_a_documented_exit_code(tmp_path: Path, content: bytes) -> None:
    document = tmp_path / "document.json"
    document.write_bytes(content)
    result = compare("--upstream", document)
    assert result.exit_code in {1, 2}
    assert isinstance(result.exception, SystemExit)
