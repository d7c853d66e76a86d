"""``bodydouble diff``, in process."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from bodydouble.app import app
from bodydouble_spec import ReportFormat
from bodydouble_spec.diff import schemas
from bodydouble_spec.meaning import identity
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

DATA = Path(__file__).parents[2] / "spec" / "tests" / "data"
NOVEMBER = DATA / "revision-2025-11-27-d2ee08c0.json"
JANUARY = DATA / "revision-2026-01-16-b8e4f5ad.json"
JUNE = DATA / "revision-2026-06-12-4cd011cd.json"
AUGUST = DATA / "revision-2026-08-14-87ef44bd.json"
NEWER = """\
openapi: 3.1.0
info: {title: A, version: "1"}
paths:
  /a:
    get:
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: [string, "null"]}}}}
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


def changes(*arguments: str | Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--format", "json").stdout)["changes"]
    return found


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cyclic(limit: int) -> dict[str, Any]:
    """Return a document with two operations of one component that leads to itself."""
    loop = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}}, "maxProperties": limit}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loop"}}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "done"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/0": {"post": operation}, "/1": {"post": operation}},
        "components": {"schemas": {"Loop": loop}},
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a path for a document that does not exist yet."""
    return tmp_path / "document.json"


def test_equal_structures_have_no_changes_and_exit_code_0() -> None:
    result = run(DATA / "revision-2026-06-12-fbcad4ca.json", JUNE)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "No changes")


def test_the_vendored_contract_equals_its_revision() -> None:
    assert changes("vendored", JUNE) == []


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("info", 1), ("never", 0)])
def test_an_error_fails_unless_fail_on_is_never(fail_on: str, code: int) -> None:
    assert run(NOVEMBER, JANUARY, "--fail-on", fail_on).exit_code == code


def test_an_addition_fails_only_at_infos() -> None:
    assert [run(JANUARY, JUNE, "--fail-on", level).exit_code for level in ("error", "info")] == [0, 1]


def test_the_worst_comes_first() -> None:
    ranks = ["error", "warning", "info"]
    severities = [ranks.index(change["severity"]) for change in changes(NOVEMBER, JANUARY)]
    assert len(severities) > 1
    assert severities == sorted(severities)


def test_a_replaced_model_comes_first_and_covers_the_rest() -> None:
    (first, *others) = changes("vendored", AUGUST)
    assert (first["id"], others) == ("model-identity-replaced", [])
    assert len(first["covers"]) >= 10


@pytest.mark.parametrize("name", ReportFormat)
def test_covered_changes_are_shown_in_every_format_for_people(name: ReportFormat) -> None:
    text = run("vendored", AUGUST, "--format", name).stdout
    if name in {ReportFormat.MARKDOWN, ReportFormat.HTML, ReportFormat.JSON}:
        assert "usd_spent" in text
    assert "nano-banana" in text


# --- severities -------------------------------------------------------------------------------------------------------


def test_a_configured_severity_decides_the_exit_code(tmp_path: Path) -> None:
    rule = changes(NOVEMBER, JANUARY)[0]["id"]
    config = put(tmp_path / "own.toml", f'[tool.bodydouble.drift.severities]\n{rule} = "info"\n')
    result = run(NOVEMBER, JANUARY, "--config", config)
    assert (result.exit_code, str(config) in result.stdout) == (0, True)


def test_the_pyproject_of_the_working_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = changes(NOVEMBER, JANUARY)[0]["id"]
    put(tmp_path / "pyproject.toml", f'[tool.bodydouble.drift.severities]\n{rule} = "info"\n')
    monkeypatch.chdir(tmp_path)
    assert run(NOVEMBER, JANUARY).exit_code == 0


@pytest.mark.parametrize("text", ["[tool.bodydouble.drift.severities]\nno-such-rule = 'info'", "no toml"])
def test_an_invalid_configuration_is_one_line_and_exit_code_2(tmp_path: Path, text: str) -> None:
    config = put(tmp_path / "own.toml", text)
    result = run(NOVEMBER, JANUARY, "--config", config)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


# --- unreadable documents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\xff\x00\x01", b"[]", b'{"paths":', b"<html><p>Gone</p></html>"])
def test_a_document_that_became_unreadable_is_a_change(place: Path, content: bytes) -> None:
    result = run("vendored", put(place, content), "--format", "json")
    found = [change["id"] for change in json.loads(result.stdout)["changes"]]
    assert (result.exit_code, found) == (1, ["document-became-unreadable"])


def test_two_unreadable_documents_cannot_be_compared(place: Path) -> None:
    result = run(put(place, b"[]"), put(place.with_name("other.json"), b""))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("what", ["missing", "folder", "refused", "no URL", "null byte"])
def test_a_missing_document_is_named_in_one_line_and_exit_code_2(place: Path, what: str, is_new: bool) -> None:
    source = {
        "missing": str(place),
        "folder": str(place.parent),
        "refused": f"http://127.0.0.1:{closed_port()}/openapi.json",
        "no URL": "http://[bad",
        "null byte": "a\0b",
    }[what]
    result = run(*(("vendored", source) if is_new else (source, "vendored")))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_upstream_is_the_address_where_the_vendored_document_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodydouble.options.provenance", lambda: {"document": str(AUGUST)})
    assert [change["id"] for change in changes("vendored", "upstream")] == ["model-identity-replaced"]


def test_yaml_of_openapi_31_is_compared(place: Path) -> None:
    old = put(place, NEWER)
    new = put(place.with_name("new.yaml"), NEWER.replace('[string, "null"]', "string"))
    assert changes(old, old) == []
    assert changes(old, new) != []


def test_parts_that_were_not_compared_are_listed(place: Path) -> None:
    document = json.loads(JUNE.read_bytes())
    post = document["paths"]["/v1/images/generations"]["post"]
    post["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/gone"}
    facts = json.loads(run("vendored", put(place, json.dumps(document)), "--format", "json").stdout)["facts"]
    rows = facts["not compared because of defects"]
    assert [(row["contract"], "response" in row["place"]) for row in rows] == [("new", True)]


def test_a_comparison_beyond_its_budget_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_MAX_CYCLIC_IN_ALL", 0)
    files = [put(tmp_path / f"{limit}.json", json.dumps(cyclic(limit))) for limit in (3, 2)]
    config = put(tmp_path / "a.toml", '[tool.bodydouble.drift.severities]\ncomparison-limited = "off"\n')
    result = run(*files, "--fail-on", "never", "--format", "json")
    found = {
        item["operation"]: item["message"] for item in json.loads(result.stdout)["changes"] if "limited" in item["id"]
    }
    assert result.exit_code == 2
    assert [*found] == ["POST /1"]
    assert "not compared again" in found["POST /1"]
    assert "not all were compared" in result.stderr
    assert run(*files, "--fail-on", "never", "--config", config).exit_code == 2


def test_a_document_beyond_the_budget_of_its_meaning_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_MAX_STEPS", 1)
    result = run(*(put(tmp_path / f"{limit}.json", json.dumps(cyclic(limit))) for limit in (3, 2)))
    assert (result.exit_code, "not compared" in result.stderr) == (2, True)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
@example(b"[" * 100_000)
@example(b"a: &a [*a]")
@example(b'{"openapi": "3.0.0", "paths": {"/a": {"post": {"responses": {"200": {"$ref": "#/paths/~1a"}}}}}}')
def test_any_bytes_as_a_document_end_with_a_documented_exit_code(place: Path, content: bytes) -> None:
    result = run("vendored", put(place, content))
    assert isinstance(result.exception, SystemExit | None)
    assert result.exit_code in {1, 2}


def test_what_is_read_otherwise_than_written_is_listed_with_its_line(tmp_path: Path) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_text(
        NEWER.replace("openapi: 3.1.0", "openapi: 3.1").replace(
            "    get:\n", "    get:\n      deprecated: no\n      deprecated: no\n"
        ),
        encoding="utf-8",
    )
    facts = json.loads(run(odd, odd, "--format", "json").stdout)["facts"]
    found = {
        (row["defect"], row["line"], row["message"].rpartition("; ")[2])
        for row in facts["read differently than written"]
    }
    assert found == {
        ("openapi-version", 1, 'read as "3.1"'),
        ("flag-malformed", 6, "read as false"),
        ("key-twice", 6, "the last one is kept"),
    }
