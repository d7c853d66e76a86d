"""The README's code blocks, all of which are run."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from spec.tests.servers import run_serve

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with run_serve("--api-key", "any-key-you-like") as server:
        yield server.address


# The tests of the sample app are a file in the test data, and are run there; docs/testing.md has the app too.
SAMPLE_TESTS = (Path(__file__).parent / "data" / "sample_app" / "test_postcards.py").read_text(encoding="utf-8")
SCRIPTS = [code for code in blocks("python") if code != SAMPLE_TESTS]


def test_the_readme_shows_the_tests_of_the_sample_app() -> None:
    assert [code for code in blocks("python") if "postcards" in code] == [SAMPLE_TESTS]


@pytest.mark.parametrize("code", SCRIPTS, ids=range(len(SCRIPTS)))
def test_python_block_runs(code: str, address: str, tmp_path: Path) -> None:
    file = tmp_path / "block.py"
    file.write_text(code.replace("http://127.0.0.1:8000", address), encoding="utf-8")
    # Hypothesis builds its Unicode tables once a directory, and calls a first draw that waits for them too slow.
    environ = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")}
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("javascript"), ids=range(len(blocks("javascript"))))
def test_javascript_block_runs(code: str, address: str, tmp_path: Path) -> None:
    file = tmp_path / "block.mjs"
    file.write_text(code.replace("http://127.0.0.1:8000", address), encoding="utf-8")
    done = subprocess.run(["node", str(file)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(address)


COMMANDS = [
    line.removeprefix("$ ") for text in blocks("console") for line in text.splitlines() if line.startswith("$ ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_console_command_runs(command: str, address: str, tmp_path: Path) -> None:
    (tmp_path / "spec").symlink_to(ROOT / "spec")
    words = shlex.split(command.replace("http://127.0.0.1:8000", address))
    if words[0] == "bodydouble":
        words = [sys.executable, "-m", *words]
    # A command that `run` starts is looked up in the environment of this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environ = {**os.environ, "AIMLAPI_KEY": "any-key-you-like", "PATH": path}
    if words[3:4] == ["edit"]:
        httpx.post(f"{address}/_bodydouble/reset").raise_for_status()  # what another block has scripted
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environ, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options", [[], ["--image-url", "https://example.com/house.png"]], ids=["default", "image-url"]
)
def test_the_readme_says_the_numbers_of_the_default_plan(options: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bodydouble", "verify", "--dry-run", "--format", "json", *options]
    plan = json.loads(subprocess.run(command, capture_output=True, cwd=tmp_path, check=True).stdout)
    paid = [call for call in plan["calls"] if call["phase"] == "paid"]
    text = " ".join(README.split())
    assert f" {len(paid)} calls with {plan['paid_images']} pictures ({plan['usd']:.3f} USD)" in text
    if options:
        single = [call["images"] for call in paid if call["covers"]]
        assert (
            f"first {len(single)} of those, with {sum(single)} pictures ({sum(single) * 0.042:.2f} USD), cover" in text
        )
        assert {element for call in paid for element in call["covers"]} == set(plan["elements"])


def test_the_banner_in_the_readme_is_the_one_that_is_printed() -> None:
    wanted = next(text for text in blocks("text") if text.startswith("bodydouble stands in for"))
    with run_serve() as server:
        printed = server.banner + server.end()[1]
    # The banner ends with an empty line.
    assert re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", printed) == f"{wanted}\n"
