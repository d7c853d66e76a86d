"""The pages on testing an app: their code is run, against the examples and the app of the test data."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [code for name, code in BLOCK.findall(text) if name == language]


@pytest.fixture
def my_app(pytester: pytest.Pytester) -> Path:
    """Copy an app with the address in its code, under the name that the page gives it."""
    return Path(shutil.copy(ROOT / "examples" / "requests" / "greeting.py", pytester.path / "my_app.py"))


def test_the_page_on_testing_has_the_sample_app_and_tests_that_pass(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    app, *tests = blocks("testing.md", "python")
    sample = DATA / "sample_app"
    assert app == (sample / "postcards.py").read_text(encoding="utf-8")
    assert tests[0] == (sample / "test_postcards.py").read_text(encoding="utf-8")
    pytester.makepyfile(postcards=app, **{f"test_{number}": code for number, code in enumerate(tests)})
    run_files().assert_outcomes(passed=sum(code.count("def test_") for code in tests))


@pytest.mark.usefixtures("my_app")
def test_the_tests_of_the_page_on_addresses_in_code_pass_with_its_settings(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]
) -> None:
    tests = blocks("address-in-code.md", "python")
    pytester.makepyfile(**{f"test_{number}": code for number, code in enumerate(tests)})
    # The first one stands before the settings on the page.
    run_files("test_0.py").assert_outcomes(passed=1)
    pytester.makeini(*blocks("address-in-code.md", "ini"))
    run_files().assert_outcomes(passed=len(tests))


def test_the_command_of_the_page_on_addresses_in_code_is_answered(my_app: Path) -> None:
    (command,) = blocks("address-in-code.md", "shell")
    words = shlex.split(command.replace("python my_app", f"{sys.executable} my_app"))
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=my_app.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.count("/generations/"), "No findings" in done.stderr) == (0, 1, True)
