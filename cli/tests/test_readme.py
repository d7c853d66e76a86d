"""The code blocks of README and docs, all of which are run but those that cost money or that do not end (`sh`)."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from spec.tests.servers import run_serve

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The code of the first two is run by test_docs, with the apps that it is about; that of the third needs a recording, and that of the last a Redis.
ELSEWHERE = ("testing.md", "address-in-code.md", "record-and-replay.md", "several-machines.md")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[Any]:
    """Return the blocks of all pages, each once, as parameters that are named after their pages."""
    found = {
        text: page.name
        for page in reversed(PAGES)
        if language == "shell" or page.name not in ELSEWHERE
        for name, text in BLOCK.findall(page.read_text(encoding="utf-8"))
        if name == language and (language != "shell" or page.name != "address-in-code.md")
    }
    return [pytest.param(text, id=f"{name}-{number}") for number, (text, name) in enumerate(found.items())]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with run_serve(*(word for key in ("any-key-you-like", "demo") for word in ("--api-key", key))) as server:
        yield server.address


# The tests of the sample app are a file in the test data, and are run there; docs/testing.md has the app too.
SAMPLE_TESTS = (Path(__file__).parent / "data" / "sample_app" / "test_postcards.py").read_text(encoding="utf-8")


def test_the_readme_shows_the_tests_of_the_sample_app() -> None:
    assert [code for _, code in BLOCK.findall(README) if "from postcards" in code] == [SAMPLE_TESTS]


@pytest.mark.parametrize("code", [block for block in blocks("python") if block.values != (SAMPLE_TESTS,)])
def test_python_block_runs(code: str, address: str, tmp_path: Path) -> None:
    file = tmp_path / "block.py"
    file.write_text(code.replace("http://127.0.0.1:8000", address), encoding="utf-8")
    # Hypothesis builds its Unicode tables once a directory; on a machine of CI it calls no draw too slow.
    environ = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"), "CI": "true"}
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("javascript"))
def test_javascript_block_runs(code: str, address: str, tmp_path: Path) -> None:
    file = tmp_path / "block.mjs"
    file.write_text(code.replace("http://127.0.0.1:8000", address), encoding="utf-8")
    done = subprocess.run(["node", str(file)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(address)


@pytest.mark.parametrize("block", blocks("shell"))
def test_shell_commands_run(block: str, address: str, tmp_path: Path) -> None:
    """Commands of one block run in one folder, one after the other."""
    (tmp_path / "spec").symlink_to(ROOT / "spec")
    # A command that `run` starts is looked up in the environment of this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    httpx.post(f"{address}/_bodydouble/reset").raise_for_status()  # what another block has scripted
    for line in block.splitlines():
        words = shlex.split(line.replace("http://127.0.0.1:8000", address))
        own = [word for word in words if "=" in word][: words.index("bodydouble") if "bodydouble" in words else 0]
        words = words[len(own) :]
        if words[0] in ("bodydouble", "pytest"):
            words = [sys.executable, "-m", *words]
        environ = {**os.environ, "PATH": path, **dict(word.split("=", 1) for word in own)}
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environ, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


@pytest.mark.parametrize("block", blocks("bash"))
def test_bash_block_is_answered(block: str, address: str) -> None:
    done = subprocess.run(
        ["bash", "-c", block.replace("http://127.0.0.1:8000", address)], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["data"][0]["url"].startswith(address)


@pytest.mark.parametrize(
    "options", [[], ["--image-url", "https://example.com/house.png"]], ids=["default", "image-url"]
)
def test_the_page_on_live_runs_has_the_numbers_of_the_default_plan(options: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bodydouble", "verify", "--dry-run", "--format", "json", *options]
    plan = json.loads(subprocess.run(command, capture_output=True, cwd=tmp_path, check=True).stdout)
    paid = [call for call in plan["calls"] if call["phase"] == "paid"]
    text = " ".join((ROOT / "docs" / "live.md").read_text(encoding="utf-8").split())
    assert f" {len(paid)} calls with {plan['paid_images']} pictures ({plan['usd']:.3f} USD)" in text
    if options:
        single = [call["images"] for call in paid if call["covers"]]
        assert (
            f"first {len(single)} of those, with {sum(single)} pictures ({sum(single) * 0.042:.2f} USD), cover" in text
        )
        assert {element for call in paid for element in call["covers"]} == set(plan["elements"])


def test_the_banner_in_the_readme_is_the_one_that_is_printed() -> None:
    wanted = next(text for name, text in BLOCK.findall(README) if name == "text")
    with run_serve() as server:
        printed = server.banner + server.end()[1]
    # The banner ends with an empty line.
    assert re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", printed) == f"{wanted}\n"
