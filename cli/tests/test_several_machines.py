"""The page on several machines: its code is run, and its example of two servers behind a balancer is whole."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble.app import app
from typer.testing import CliRunner

from spec.tests.redis_server import run_redis

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "several-machines.md").read_text(encoding="utf-8")
WITH_REDIS, WITH_ARTIFACTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
REPLICAS = ROOT / "examples" / "replicas"
# The first machine finds the failure, as nearly every number is one; the second tries only what is known.
FAILING = """\
from hypothesis import given, settings, strategies as st, Phase

@settings(phases={phases})
@given(st.integers())
def test_numbers(number):
    assert abs(number) < 2
"""


@pytest.fixture
def machine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the failing test in a folder of its own, with the settings of the page."""

    def run(name: str, phases: str) -> pytest.RunResult:
        folder = pytester.mkdir(name)
        (folder / "conftest.py").write_text(WITH_REDIS, encoding="utf-8")
        (folder / "test_app.py").write_text(FAILING.format(phases=phases), encoding="utf-8")
        monkeypatch.chdir(folder)
        return pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", f"--rootdir={folder}", str(folder / "test_app.py")
        )

    return run


def test_a_failure_on_one_machine_is_tried_on_the_next(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_redis() as redis:
        monkeypatch.setenv("TEST_EXAMPLES", redis.url)
        machine("first", "tuple(Phase)").assert_outcomes(failed=1)
        machine("second", "(Phase.reuse,)").assert_outcomes(failed=1)
    with run_redis() as empty:
        monkeypatch.setenv("TEST_EXAMPLES", empty.url)
        machine("third", "(Phase.reuse,)").assert_outcomes(skipped=1)


@pytest.mark.parametrize("environ", [{"CI": "true"}, {}], ids=["in-ci", "here"])
def test_the_database_of_artifacts_is_written_in_ci_and_read_elsewhere(environ: dict[str, str], tmp_path: Path) -> None:
    code = f"{WITH_ARTIFACTS}\nprint(type(settings.default.database).__name__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    name = "DirectoryBasedExampleDatabase" if environ else "MultiplexedDatabase"
    assert (done.stdout, done.stderr) == (f"{name}\n", "")


def test_the_balancer_leads_to_the_services_of_the_compose_file(tmp_path: Path) -> None:
    services: Any = yaml.safe_load((REPLICAS / "compose.yaml").read_text(encoding="utf-8"))["services"]
    text = (REPLICAS / "haproxy.cfg").read_text(encoding="utf-8")
    assert set(re.findall(r"^ +server \w+ (\w+):8000$", text, re.MULTILINE)) == {"one", "two"} <= services.keys()
    for name in ("one", "two"):
        command = services[name]["command"]
        assert command[-2:] == ["--state", "redis://redis:6379/0"]
        assert (command[0], (REPLICAS / services[name]["build"]).resolve()) == ("serve", ROOT)
    program = shutil.which("haproxy")
    if program is None:
        pytest.skip("HAProxy is not installed; .ci/run packages installs it on Debian")
    local = tmp_path / "haproxy.cfg"
    local.write_text(re.sub(r"(one|two):8000", "127.0.0.1:8000", text), encoding="utf-8")
    done = subprocess.run([program, "-c", "-f", str(local)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "2"], "each process would have scripts, limits and pictures of its own; name a Redis"),
        (
            ["--state", "redis://localhost:1/0", "--keep", "kept"],
            "with --state, Redis has what pictures are drawn from",
        ),
        (["--state", "http://localhost"], "this is not the URL of a Redis; write it as redis://HOST:PORT/NUMBER"),
        (["--state", "redis://localhost/first"], "'first' is not the number of a database"),
        (["--state", "redis://localhost/0?socket_timout=2"], "did you mean socket_timeout?"),
        (["--state", "redis://localhost/0?socket_timeout=0"], "is not a number of seconds; write ?socket_timeout=2"),
        (["--state", "redis://:secret-of-redis@127.0.0.1:9/0"], "start the server there, or leave --state out"),
    ],
    ids=["workers", "keep", "scheme", "database", "option", "timeout", "nobody-there"],
)
def test_a_state_that_cannot_be_shared_is_refused_with_what_to_do(options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--port", "0", *options])
    shown = " ".join(re.sub(r"[│╭╮╰╯─]", "", result.output).split())
    assert (result.exit_code, words in shown, "secret-of-redis" in shown) == (2, True, False), shown
