"""``bodydouble contract update`` on a scratch copy of the contract's files."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import bodydouble_spec
import pytest
from bodydouble.app import app
from bodydouble.commands.contract import is_checkout, write_together
from bodydouble_spec import Contract, ReportFormat, is_array, is_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from spec.tests.servers import Quiet, serve_http

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "spec" / "tests" / "data"
SPEC = Path(bodydouble_spec.__file__).parent
JUNE = DATA / "revision-2026-06-12-4cd011cd.json"
AUGUST = DATA / "revision-2026-08-14-87ef44bd.json"
FILES = ("openapi.json", "overlay.yaml", "provenance.json", "merged.json")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["contract", "update", *map(str, arguments)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the contract's files."""
    copy = tmp_path / "contract"
    copy.mkdir()
    for name in FILES:
        shutil.copy(SPEC / name, copy)
    return copy


class _QuietFiles(Quiet, SimpleHTTPRequestHandler):
    """The files of a folder."""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Return the address of a server with the revisions."""
    with serve_http(ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFiles, directory=str(DATA)))) as origin:
        yield origin


def descriptions(value: Any) -> set[str]:
    """Return every description in a document."""
    if is_array(value):
        return {text for item in value for text in descriptions(item)}
    if not is_object(value):
        return set()
    own = {value["description"]} if isinstance(value.get("description"), str) else set[str]()
    return own | {text for item in value.values() for text in descriptions(item)}


# --- the files --------------------------------------------------------------------------------------------------------


def test_the_structure_becomes_that_of_the_revision(folder: Path) -> None:
    assert run(AUGUST, "--spec-dir", folder).exit_code == 0
    adopted = Contract.load(folder / "openapi.json")
    assert adopted.fingerprint == Contract.load(AUGUST).fingerprint


def test_adopting_the_revision_that_is_vendored_changes_no_byte(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    info = json.loads(before["openapi.json"])["info"]
    source = tmp_path / JUNE.name
    source.write_text(json.dumps(json.loads(JUNE.read_bytes()) | {"info": info}), encoding="utf-8")
    run(source, "--spec-dir", folder)
    assert {name for name, content in contents(folder).items() if before[name] != content} == set()


def test_the_publishers_descriptions_are_not_adopted(folder: Path, tmp_path: Path) -> None:
    document = json.loads(AUGUST.read_bytes())
    post = document["paths"]["/v1/images/generations"]["post"]
    post |= {"description": "THEIRS", "x-codeSamples": ["THEIRS"], "summary": "THEIRS"}
    post["responses"]["200"]["description"] = "THEIRS"
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    schema["title"] = "THEIRS"
    for item in schema["properties"].values():
        item |= {"description": "THEIRS", "example": "THEIRS"}
    source = tmp_path / "2026-08-14-87ef44bd.json"
    source.write_text(json.dumps(document), encoding="utf-8")
    run(source, "--spec-dir", folder)
    assert [name for name, content in contents(folder).items() if b"THEIRS" in content] == []


def test_our_descriptions_are_kept_where_the_place_exists(folder: Path) -> None:
    before = json.loads((folder / "openapi.json").read_bytes())
    run(AUGUST, "--spec-dir", folder)
    lost = descriptions(before) - descriptions(json.loads((folder / "openapi.json").read_bytes()))
    assert lost == set()


def test_a_title_that_named_another_structure_is_dropped(folder: Path) -> None:
    run(AUGUST, "--spec-dir", folder)
    assert b"gemini-2.5-flash-image-edit" not in (folder / "openapi.json").read_bytes()


def test_provenance_names_the_revision(folder: Path) -> None:
    before = json.loads((folder / "provenance.json").read_bytes())
    run(AUGUST, "--spec-dir", folder)
    after = json.loads((folder / "provenance.json").read_bytes())
    assert after == before | {
        "revision": "87ef44bd",
        "date": "2026-08-14",
        "model": "google/nano-banana-edit",
        "fingerprint": Contract.load(AUGUST).fingerprint,
    }


def test_a_revision_without_a_name_is_named_by_its_digest(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "openapi.json"
    source.write_bytes(AUGUST.read_bytes())
    run(source, "--spec-dir", folder)
    assert json.loads((folder / "provenance.json").read_bytes())["revision"].startswith("sha256:")


def test_a_revision_from_a_url_makes_that_url_upstream(folder: Path, served: str) -> None:
    run(f"{served}/{AUGUST.name}?token=a-secret", "--spec-dir", folder)
    after = json.loads((folder / "provenance.json").read_bytes())
    assert (after["document"], after["revision"]) == (f"{served}/{AUGUST.name}?token=***", "87ef44bd")


def test_a_revision_that_is_refused_by_its_server_is_one_line_and_exit_code_2(folder: Path, served: str) -> None:
    result = run(f"{served}/gone.json", "--spec-dir", folder)
    assert (result.exit_code, result.stdout, "answered 404" in result.stderr) == (2, "", True)


def test_overlay_actions_that_no_longer_match_are_reported(folder: Path) -> None:
    result = run(AUGUST, "--spec-dir", folder)
    assert "the price of one picture" in result.stdout
    assert "pixels of each aspect ratio" in result.stdout


def test_the_overlay_is_not_changed(folder: Path) -> None:
    before = (folder / "overlay.yaml").read_bytes()
    run(AUGUST, "--spec-dir", folder)
    assert (folder / "overlay.yaml").read_bytes() == before


@pytest.mark.parametrize("name", ReportFormat)
def test_the_differences_are_shown_in_every_format(folder: Path, name: ReportFormat) -> None:
    result = run(AUGUST, "--spec-dir", folder, "--dry-run", "--format", name)
    assert (result.exit_code, "model-identity-replaced" in result.stdout) == (0, True)


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = contents(folder)
    result = run(AUGUST, "--spec-dir", folder, "--dry-run")
    assert (result.exit_code, contents(folder) == before) == (0, True)


def test_a_report_that_cannot_be_written_leaves_the_contract_as_it_was(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    result = run(AUGUST, "--spec-dir", folder, "--report", f"text:{tmp_path}/missing/report.txt")
    assert (result.exit_code, result.stderr.count("\n"), contents(folder) == before) == (2, 1, True)


# --- all or none ------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_replaced_keeps_all_others(folder: Path) -> None:
    (folder / "merged.json").unlink()
    (folder / "merged.json").mkdir()
    before = contents(folder)
    result = run(AUGUST, "--spec-dir", folder)
    assert (result.exit_code, result.stderr.count("\n"), contents(folder) == before) == (2, 1, True)


def test_new_files_are_removed_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(OSError, match=r"b"):
        write_together(tmp_path, {"a": b"1", "b": b"2"})
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=9)))
def test_the_files_have_the_written_content(tmp_path: Path, files: dict[str, bytes]) -> None:
    write_together(tmp_path, files)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b'{"paths":', b'{"openapi": "3.0.0", "paths": {}}', b"a: .nan", b"[" * 100_000],
)
def test_a_document_that_is_no_contract_is_refused_in_one_line_and_nothing_is_written(
    folder: Path, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "document.json"
    source.write_bytes(content)
    before = contents(folder)
    result = run(source, "--spec-dir", folder)
    assert (result.exit_code, result.stderr.count("\n"), contents(folder) == before) == (2, 1, True)


def test_a_value_that_json_cannot_hold_is_refused(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "document.yaml"
    source.write_text(json.dumps(json.loads(JUNE.read_bytes())).replace('"maximum": 4', '"maximum": .inf'))
    result = run(source, "--spec-dir", folder)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("missing", ["openapi.json", "overlay.yaml", "provenance.json"])
def test_a_folder_without_the_contracts_files_is_refused(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    result = run(AUGUST, "--spec-dir", folder)
    assert (result.exit_code, result.stderr.count("\n"), missing in result.stderr) == (2, 1, True)


@pytest.mark.parametrize("source", ["missing.json", "http://[bad", "."])
def test_a_missing_revision_is_one_line_and_exit_code_2(folder: Path, source: str) -> None:
    result = run(source, "--spec-dir", folder)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


# --- the folder ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "folder", "expected"),
    [
        ('[project]\nname = "bodydouble"', "spec/bodydouble_spec", True),
        ('[project]\nname = "an-app"', "vendor/bodydouble_spec", False),
        ("no toml", "spec/bodydouble_spec", False),
        (None, "lib/bodydouble_spec", False),
        ('[project]\nname = "bodydouble"', "site-packages/bodydouble_spec", False),
    ],
)
def test_a_checkout_is_distinguished_from_an_installation(
    tmp_path: Path, project: str | None, folder: str, expected: bool
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    assert is_checkout(tmp_path / folder) is expected


def test_an_installed_bodydouble_is_not_written_into(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(SPEC, tmp_path / "site-packages" / "bodydouble_spec", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(
        bodydouble_spec, "__file__", str(tmp_path / "site-packages" / "bodydouble_spec" / "__init__.py")
    )
    before = contents(tmp_path / "site-packages" / "bodydouble_spec")
    result = run(AUGUST)
    assert (result.exit_code, result.stderr.count("\n"), "--spec-dir" in result.stderr) == (2, 1, True)
    assert contents(tmp_path / "site-packages" / "bodydouble_spec") == before
