"""The action for GitHub's workflows: its steps are run as a runner does."""

import re
import subprocess
import sys
from collections.abc import Callable
from os import environ
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Exchange, RecordedAnswer

ROOT = Path(__file__).resolve().parents[2]
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
ADOPTED = ROOT / "spec" / "bodydouble_spec" / "openapi.json"
VALID = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "a hat", "image_urls": ["https://example.org/a.png"]}
GITHUB = {
    "action_path": str(ROOT),
    "server_url": "https://ci.example.org",
    "repository": "team/app",
    "run_id": "1",
    "run_attempt": "1",
}
# A virtual environment whose pip writes down its arguments, and whose bodydouble is the one under test.
PYTHON = """\
#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$@" >"$RUNNER_TEMP/pip.txt"\\n' >"$3/bin/pip"
printf '#!/bin/sh\\nexec "$REAL_PYTHON" -m bodydouble "$@"\\n' >"$3/bin/bodydouble"
chmod +x "$3/bin/pip" "$3/bin/bodydouble"
"""


class Result:
    """The result of the action: exit code, log, summary of the run, and outputs."""

    def __init__(self, done: subprocess.CompletedProcess[str], temp: Path) -> None:
        self.code = done.returncode
        self.log = done.stdout
        self.errors = done.stderr
        self.summary = (temp / "summary").read_text(encoding="utf-8")
        self.outputs = dict(line.split("=", 1) for line in (temp / "output").read_text(encoding="utf-8").splitlines())


Run = Callable[..., Result]


def valued(text: str, inputs: dict[str, str]) -> str:
    """Replace the expressions in a text."""
    known = {
        **{f"inputs.{name}": value for name, value in inputs.items()},
        **{f"github.{name}": value for name, value in GITHUB.items()},
    }
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known[found[1]], text)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the scripts of the action in an empty workspace that stays for the next run, with a list of options and other inputs."""
    temp, workspace = tmp_path / "temp", tmp_path / "workspace"
    for folder in (temp, workspace, tmp_path / "bin"):
        folder.mkdir()
    (tmp_path / "bin" / "python3").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "bin" / "python3").chmod(0o700)

    def run(*options: str, **given: str) -> Result:
        defaults = {name: item["default"] for name, item in ACTION["inputs"].items()}
        inputs = {**defaults, "options": "\n".join(options), **{name.replace("_", "-"): given[name] for name in given}}
        for name in ("output", "summary"):
            (temp / name).write_text("", encoding="utf-8")
        base = {
            **environ,
            "PATH": f"{tmp_path / 'bin'}:{environ['PATH']}",
            "REAL_PYTHON": sys.executable,
            "RUNNER_TEMP": str(temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
        }

        def run_script(step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
            (temp / "script.sh").write_text(step["run"], encoding="utf-8")
            return subprocess.run(
                [step["shell"], "--noprofile", "--norc", "-eo", "pipefail", str(temp / "script.sh")],
                env=base | {name: valued(value, inputs) for name, value in step["env"].items()},
                cwd=workspace, capture_output=True, text=True, check=False,
            )  # fmt: skip

        install, command = [step for step in STEPS if "run" in step]
        assert run_script(install).returncode == 0
        done = run_script(command)
        return Result(done, temp)

    return run


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """Write a published document that has lost a field."""
    document = tmp_path / "published.json"
    document.write_text(ADOPTED.read_text(encoding="utf-8").replace('"aspect_ratio"', '"ratio"'), encoding="utf-8")
    return f"--upstream={document}"


def test_drift_is_annotated_and_summarized_and_fails_once(run: Run, changed: str, tmp_path: Path) -> None:
    first, second = run(changed, "--no-impact"), run(changed, "--no-impact")
    assert (first.code, first.outputs) == (1, {"exit-code": "1"}), first.errors
    assert "::error " in first.log
    assert "aspect_ratio" in first.summary
    assert (second.code, second.outputs, "::error " in second.log) == (0, {"exit-code": "0"}, False)
    assert {file.name for file in (tmp_path / "workspace").iterdir()} == {
        ACTION["inputs"][name]["default"] for name in ("state", "report")
    }


def test_a_finding_of_verify_is_reported_by_drift_with_a_state_and_by_itself_without(run: Run, tmp_path: Path) -> None:
    answer = RecordedAnswer(200, {"content-type": "application/json"}, {"images": []})
    call = ("POST", "/v1/images/generations", "POST /v1/images/generations")
    exchange = Exchange("call-1", "2026-11-01T10:00:00.000Z", *call, body=VALID, answer=answer)
    (tmp_path / "calls.jsonl").write_bytes(exchange.to_line())
    option = f"--exchanges={tmp_path}/calls.jsonl"
    results = [run(option, command="verify", state=state) for state in ("known.json", "")]
    assert [(item.code, item.outputs["exit-code"], "::error " in item.log) for item in results] == [(1, "1", True)] * 2
    assert ["Drift" in item.summary for item in results] == [True, False]
    assert [item.summary.count("answer-strict/undocumented") for item in results] == [1, 1]


def test_another_command_is_an_error_with_the_two_that_there_are(run: Run) -> None:
    result = run(command="serve")
    assert (result.code, result.outputs) == (2, {"exit-code": "2"})
    assert "::error::bodydouble has no action 'serve': command must be drift or verify" in result.log


def test_an_input_is_never_code_and_what_could_not_run_is_2(run: Run, tmp_path: Path) -> None:
    result = run(f'--page=a "b" $(touch {tmp_path}/ran) `touch {tmp_path}/ran`; true')
    assert (result.code, result.outputs, 'a "b" $(touch' in result.errors) == (2, {"exit-code": "2"}, True)
    assert not (tmp_path / "ran").exists()
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_it_installs_itself_with_pinned_versions_and_the_extra_that_both_commands_need(
    run: Run, tmp_path: Path
) -> None:
    run(command="none")
    words = (tmp_path / "temp" / "pip.txt").read_text(encoding="utf-8")
    assert words == f"install --quiet --constraint {ROOT}/constraints.txt {ROOT}[contract]\n"


def test_the_state_is_restored_before_and_saved_after_also_when_there_is_a_finding() -> None:
    kinds = [str(step.get("uses", step.get("name"))).partition("@")[0] for step in STEPS]
    before, after = kinds.index("actions/cache/restore"), kinds.index("actions/cache/save")
    assert before < kinds.index("Run bodydouble") < after
    keys = {STEPS[index]["with"]["key"] for index in (before, after)}
    paths = {STEPS[index]["with"]["path"] for index in (before, after)}
    assert (len(keys), paths) == (1, {"${{ inputs.state }}"})
    assert STEPS[before]["with"]["key"].startswith(STEPS[before]["with"]["restore-keys"])
    assert STEPS[after]["if"].startswith("always() && ")


def test_the_workflow_of_the_docs_gives_inputs_that_there_are() -> None:
    text = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]
    steps = [step for block in blocks for job in block["jobs"].values() for step in job["steps"]]
    used = [step["with"] for step in steps if "/bodydouble@" in step["uses"]]
    assert [item["command"] for item in used] == ["drift", "verify"]
    assert {name for item in used for name in item} <= set(ACTION["inputs"])
