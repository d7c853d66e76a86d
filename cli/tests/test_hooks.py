"""The hooks for pre-commit: their commands, run as pre-commit runs them, with the files that they ask for."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble.app import app
from bodydouble_spec import vendored
from typer.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parents[2]
HOOKS: dict[str, Any] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
FILES = ("openapi.json", "openapi.yaml", "contracts/openapi-v2.yml", "contracts/myopenapi.json", "package.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a project whose documents are those of bodydouble, the last one without a field."""
    published = json.dumps(vendored.published())
    for name, text in (("adopted.json", published), ("openapi.json", published.replace('"aspect_ratio"', '"ratio"'))):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str, *arguments: str) -> Result:
    """Run a hook for openapi.json, with arguments instead of its own."""
    hook = HOOKS[name]
    program, *words = hook["entry"].split()
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    return CliRunner().invoke(app, [*words, *(arguments or hook.get("args", ())), "openapi.json"])


@pytest.mark.parametrize(
    ("name", "chosen"), [("bodydouble-contract-check", FILES[:3]), ("bodydouble-contract-diff", FILES[:2])]
)
def test_a_hook_is_for_openapi_documents(name: str, chosen: tuple[str, ...]) -> None:
    assert tuple(file for file in FILES if re.search(HOOKS[name]["files"], file)) == chosen


@pytest.mark.usefixtures("project")
def test_a_change_that_breaks_clients_fails_the_commit() -> None:
    result = run("bodydouble-contract-diff")
    assert (result.exit_code, "request-property-renamed" in result.stdout) == (1, True)


def test_the_adopted_contract_can_be_one_of_the_project(project: Path) -> None:
    (project / "adopted.json").write_bytes((project / "openapi.json").read_bytes())
    assert run("bodydouble-contract-diff", "adopted.json").exit_code == 0


def test_a_document_with_a_defect_fails_the_commit_and_one_without_does_not(project: Path) -> None:
    schema = {"$ref": "#/components/schemas/Pet"}
    answer = {"description": "a pet", "content": {"application/json": {"schema": schema}}}
    broken = {
        "openapi": "3.0.3",
        "info": {"title": "pets", "version": "1"},
        "paths": {"/pet": {"get": {"responses": {"200": answer}}}},
    }
    sound = {**broken, "components": {"schemas": {"Pet": {"type": "object"}}}}
    codes: list[int] = []
    for document in (sound, broken):
        (project / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
        codes.append(run("bodydouble-contract-check").exit_code)
    assert codes == [0, 1]


def test_the_hooks_of_the_docs_exist() -> None:
    text = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(repos:.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (repository,) = yaml.safe_load(block)["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == set(HOOKS)
