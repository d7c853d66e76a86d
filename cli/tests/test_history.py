"""``bodydouble history``, in process."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bodydouble.app import app
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
    """Return a folder with the eight revisions of the contract."""
    inside = tmp_path / "revisions"
    inside.mkdir()
    for path in REVISIONS:
        (inside / path.name.removeprefix("revision-")).write_bytes(path.read_bytes())
    return inside


def test_revisions_are_listed_in_chronological_order() -> None:
    listed = [(row["date"], row["revision"]) for row in report(*reversed(REVISIONS))["facts"]["revisions"]]
    assert listed[0] == ("2025-11-25", "79308e54")
    assert [day for day, _ in listed] == sorted(day for day, _ in listed)


def test_a_folder_is_replaced_by_its_documents(folder: Path) -> None:
    assert report(folder)["facts"]["revisions"] == report(*REVISIONS)["facts"]["revisions"]


def test_a_revision_with_new_descriptions_only_has_no_structural_change(folder: Path) -> None:
    rows = {row["revision"]: row["changes"] for row in report(folder)["facts"]["revisions"]}
    unchanged = [name for name, text in rows.items() if text == "no structural change"]
    assert unchanged == ["8ef28615", "d2ee08c0", "94bfeffb", "fbcad4ca"]


def test_each_change_names_its_revision(folder: Path) -> None:
    found = {(change["id"], change["source"]) for change in report(folder)["changes"]}
    assert ("model-identity-replaced", "2026-08-14 87ef44bd") in found
    assert ("response-property-renamed", "2026-01-16 b8e4f5ad") in found


@pytest.mark.parametrize("name", ReportFormat)
def test_every_format_can_be_printed(folder: Path, name: ReportFormat) -> None:
    result = run(folder, "--format", name)
    assert (result.exit_code, "nano-banana" in result.stdout) == (0, True)


def test_errors_in_past_revisions_do_not_fail_the_command(folder: Path) -> None:
    assert run(folder).exit_code == 0


def test_a_document_that_cannot_be_read_is_reported_and_skipped(folder: Path) -> None:
    (folder / "2026-02-02-broken.json").write_text('{"paths":', encoding="utf-8")
    result = run(folder)
    assert (result.exit_code, result.stderr.count("2026-02-02-broken.json"), result.stderr.count("\n")) == (0, 1, 1)
    assert "broken.json" in result.stdout


def test_a_missing_document_is_exit_code_2_and_the_others_are_listed(tmp_path: Path) -> None:
    result = run(JUNE, tmp_path / "missing.json", "--format", "json")
    listed = [row["revision"] for row in json.loads(result.stdout)["facts"]["revisions"]]
    assert (result.exit_code, listed, result.stderr.count("missing.json")) == (2, ["4cd011cd"], 1)


def test_a_folder_without_documents_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("nothing here", encoding="utf-8")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("source", ["a" * 5000, "a\0b", "http://[bad", ""])
def test_an_impossible_file_name_is_an_error_without_a_traceback(source: str) -> None:
    result = run(source)
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)


def test_only_unreadable_documents_are_exit_code_2(tmp_path: Path) -> None:
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


def test_configured_severities_are_applied(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[tool.bodydouble.drift.severities]\nmodel-identity-replaced = "info"\n', encoding="utf-8")
    changes = report(folder, "--config", config)["changes"]
    assert [change["severity"] for change in changes if change["id"] == "model-identity-replaced"] == ["info"]
