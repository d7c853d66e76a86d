"""``bodydouble history``, in process."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bodydouble._app import app
from bodydouble_spec import ReportFormat, provenance
from typer.testing import CliRunner, Result

DATA = Path(__file__).parents[2] / "spec" / "tests" / "data"
REVISIONS = sorted(DATA.glob("revision-*.json"))
JUNE = DATA / "revision-2026-06-12-4cd011cd.json"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["history", *map(str, arguments)])


def report(*arguments: str | Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run(*arguments, "--format", "json").stdout)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the eight revisions of the contract."""
    inside = tmp_path / "revisions"
    inside.mkdir()
    for path in REVISIONS:
        (inside / path.name.removeprefix("revision-")).write_bytes(path.read_bytes())
    return inside


def test_the_history_is_told_in_order_of_time() -> None:
    told = [(row["date"], row["revision"]) for row in report(*reversed(REVISIONS))["facts"]["revisions"]]
    assert told[0] == ("2025-11-25", "79308e54")
    assert [day for day, _ in told] == sorted(day for day, _ in told)


def test_a_folder_stands_for_the_documents_in_it(folder: Path) -> None:
    assert report(folder)["facts"]["revisions"] == report(*REVISIONS)["facts"]["revisions"]


def test_a_revision_that_changed_its_prose_only_says_so(folder: Path) -> None:
    rows = {row["revision"]: row["what changed"] for row in report(folder)["facts"]["revisions"]}
    unchanged = [name for name, text in rows.items() if text == "no structural change"]
    assert unchanged == ["8ef28615", "d2ee08c0", "94bfeffb", "fbcad4ca"]


def test_each_change_says_with_which_revision_it_came(folder: Path) -> None:
    found = {(change["id"], change["witness"]) for change in report(folder)["changes"]}
    assert ("model-identity-replaced", "2026-08-14 87ef44bd") in found
    assert ("response-property-renamed", "2026-01-16 b8e4f5ad") in found


@pytest.mark.parametrize("name", ReportFormat)
def test_every_format_can_be_printed(folder: Path, name: ReportFormat) -> None:
    result = run(folder, "--format", name)
    assert (result.exit_code, "nano-banana" in result.stdout) == (0, True)


def test_errors_in_the_past_are_no_failure(folder: Path) -> None:
    assert run(folder).exit_code == 0


def test_a_document_that_cannot_be_read_is_said_and_passed_over(folder: Path) -> None:
    (folder / "2026-02-02-broken.json").write_text('{"paths":', encoding="utf-8")
    result = run(folder)
    assert (result.exit_code, result.stderr.count("2026-02-02-broken.json"), result.stderr.count("\n")) == (0, 1, 1)
    assert "broken.json" in result.stdout


def test_a_document_that_is_not_there_is_exit_code_2_and_the_others_are_told(tmp_path: Path) -> None:
    result = run(JUNE, tmp_path / "missing.json", "--format", "json")
    told = [row["revision"] for row in json.loads(result.stdout)["facts"]["revisions"]]
    assert (result.exit_code, told, result.stderr.count("missing.json")) == (2, ["4cd011cd"], 1)


def test_a_folder_without_documents_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("nothing here", encoding="utf-8")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("source", ["a" * 5000, "a\0b", "http://[bad", ""])
def test_a_source_that_can_be_no_file_is_said_without_a_traceback(source: str) -> None:
    result = run(source)
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)


def test_nothing_but_unreadable_documents_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_vendored_contract_is_dated_by_its_provenance() -> None:
    (row,) = report("vendored")["facts"]["revisions"]
    assert (row["date"], row["revision"], row["dated by"]) == (
        provenance()["date"],
        provenance()["revision"],
        "provenance",
    )


def test_a_name_without_a_date_is_dated_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_bytes(JUNE.read_bytes())
    os.utime(path, (86400 * 365.25 * 30, 86400 * 365.25 * 30))
    (row,) = report(path)["facts"]["revisions"]
    assert (row["date"][:4], row["revision"], row["dated by"]) == ("2000", "openapi", "file time")


def test_severities_of_ones_own_count_here_too(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[tool.bodydouble.drift.severities]\nmodel-identity-replaced = "info"\n', encoding="utf-8")
    changes = report(folder, "--config", config)["changes"]
    assert [change["severity"] for change in changes if change["id"] == "model-identity-replaced"] == ["info"]
