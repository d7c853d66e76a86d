"""Files of the project that no package holds: pinned versions, CI, the sessions of nox, and what their documentation says of them."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.tests.make_reference import pages
from spec.tests.servers import serve_http

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
# A virtual environment in no time: its pip installs nothing, and its bodydouble is the one under test, on a port of the test's choice.
ENVIRONMENT = """\
#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\n' >"$3/bin/pip"
printf '#!/bin/sh\\necho $$ >"$PID_FILE"\\nexec "$REAL_PYTHON" -m bodydouble "$@" --port "$PORT"\\n' >"$3/bin/bodydouble"
chmod +x "$3/bin/pip" "$3/bin/bodydouble"
echo "PATH=$3/bin:\\$PATH" >"$3/bin/activate"
"""

RunStep = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_step(tmp_path: Path) -> RunStep:
    """Return a function that runs a step of .ci/run in a copy, with variables of the environment set."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    shutil.copy(ROOT / "README.md", tmp_path)

    def run(step: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(tmp_path / ".ci" / "run"), step]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, check=False)

    return run


@pytest.fixture
def run_mock(run_step: RunStep, tmp_path: Path) -> Callable[[int], tuple[subprocess.CompletedProcess[str], int]]:
    """Return a function that runs the step ``mock`` on a port and returns its result and the process id of the server."""
    (tmp_path / "python").write_text(ENVIRONMENT, encoding="utf-8")
    (tmp_path / "python").chmod(0o700)

    def run(port: int) -> tuple[subprocess.CompletedProcess[str], int]:
        pid_file = tmp_path / "pid"
        done = run_step(
            "mock",
            PYTHON=str(tmp_path / "python"),
            REAL_PYTHON=sys.executable,
            PID_FILE=str(pid_file),
            PORT=str(port),
        )
        return done, int(pid_file.read_text(encoding="utf-8"))

    return run


def test_constraints_hold_one_exact_version_a_line_and_no_address() -> None:
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", pin)] == []
    names = [canonicalize_name(pin.partition("==")[0]) for pin in PINS]
    assert len(names) == len(set(names))


def test_every_dependency_is_pinned_to_a_version_that_it_allows() -> None:
    pins = {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in PINS)}
    project = SETTINGS["project"]
    listed = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    wanted = [item for item in map(Requirement, listed) if item.name != project["name"]]
    assert [str(item) for item in wanted if pins.get(canonicalize_name(item.name), "none") not in item.specifier] == []


def test_ci_runs_the_commands_that_stand_in_the_readme(run_step: RunStep, tmp_path: Path) -> None:
    assert run_step("commands").stdout.splitlines() == [
        "pip install . && bodydouble serve",
        "pip install -c constraints.txt -e '.[dev]' && pytest",
    ]
    readme = tmp_path / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("-c constraints.txt", "-c other.txt"), "utf-8")
    assert run_step("commands").stdout.splitlines()[1] == "pip install -c other.txt -e '.[dev]' && pytest"


@pytest.mark.parametrize("command", ["bodydouble serve", "pytest"])
def test_ci_fails_when_a_command_has_gone_from_the_readme(run_step: RunStep, tmp_path: Path, command: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace(f"&& {command}", "&& true"), "utf-8")
    done = run_step("commands")
    assert (done.returncode, done.stdout) == (1, "")
    assert "README.md must have exactly one command to install and" in done.stderr


def test_ci_asks_the_server_that_it_started_and_ends_it(run_mock: Any) -> None:
    done, pid = run_mock(0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"credits_used"' in done.stdout
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ci_fails_when_another_server_has_the_port_and_does_not_ask_that_one(run_mock: Any) -> None:
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            asked.append(self.requestline)

    other = HTTPServer(("127.0.0.1", 0), Other)
    with serve_http(other):
        done, _ = run_mock(other.server_port)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {other.server_port}" in done.stdout
    assert asked == []


def test_the_workflow_calls_ci_run() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert {"run": ".ci/run"} in workflow["jobs"]["ci"]["steps"]


def test_mypy_reads_every_package_folder_of_tests_and_benchmark() -> None:
    packages = [Path(folder).name for folder in SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    tests = [folder.replace("/", ".") for folder in SETTINGS["tool"]["pytest"]["ini_options"]["testpaths"]]
    scripts = [path.stem for path in (*ROOT.glob("*.py"), *ROOT.glob("benchmarks/*.py"))]
    assert {f"{path.parent.name}.tests" for path in ROOT.glob("*/tests")} == set(tests)
    assert set(SETTINGS["tool"]["mypy"]["packages"]) == {*packages, *tests}
    assert set(SETTINGS["tool"]["mypy"]["modules"]) == set(scripts)


def test_every_nox_session_that_is_named_exists() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    assert {"test", "lint", "types", "docs", "bench", "newest"} <= sessions
    files = [*DOCUMENTS, *(ROOT / name for name in (".ci/run", ".github/workflows/ci.yml", "constraints.txt"))]
    named = {name for file in files for name in re.findall(r"\bnox -s (\w+)", file.read_text(encoding="utf-8"))}
    assert named <= sessions


def test_every_file_that_the_noxfile_names_exists() -> None:
    names = re.findall(r'"([\w/]+\.\w+)"', (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert "constraints.txt" in names
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_the_page_on_architecture_lists_every_folder_of_modules() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("*/bodydouble*/**/__init__.py")}
    assert rooms
    assert rooms - set(re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \|", text, re.MULTILINE)) == set()


def test_the_generated_pages_of_the_reference_are_current() -> None:
    """After a change of options, checks or limits: ``python -m cli.tests.make_reference``."""
    assert [page.name for page, text in pages().items() if page.read_text(encoding="utf-8") != text] == []


def test_every_link_to_a_file_leads_to_one() -> None:
    links = [
        (document, link)
        for document in DOCUMENTS
        for link in re.findall(r"\]\((?!\w+:)([^)#]+)", document.read_text(encoding="utf-8"))
    ]
    assert [(str(document), link) for document, link in links if not (document.parent / link).exists()] == []
